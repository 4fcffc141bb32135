"""At the merge, have the model say of what it had found whether the final code still has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from bot.domain.claims import ANSWER_TOKENS, FRAME, MOST_CLAIMS
from bot.domain.errors import CloisterError, Permanent, Transient
from bot.domain.excerpt import Source, Unshowable
from bot.domain.findings import Severity
from bot.domain.mended import SCHEMA, Claim, Verdict, claim, question, read
from bot.domain.prompt import Instructions, instructions
from bot.domain.records import Task
from bot.domain.run import Run
from bot.domain.signals import Comment
from bot.domain.window import batches
from bot.ports import ModelRequest, Store, Workspaces
from bot.resources import resource
from bot.reviewer.asking import Asker, Ledger
from bot.reviewer.finding import is_away
from bot.reviewer.threads import finding_behind
from bot.reviewer.tracking import versions

log = structlog.get_logger()

#: What is asked for one merge request, at most: each a request of up to so many tokens.
_MOST_REQUESTS: Final = 2
_PROMPT_TOKENS: Final = 4_000
#: Tokens that the server's template takes.
_TEMPLATE_TOKENS: Final = 64
#: For all answers about one merge request; no label is in a hurry, and other merge requests wait for a place.
_LIMIT_S: Final = 120.0
#: Merge requests at a time, so that a slow model leaves places for all else that people do.
_AT_A_TIME: Final = 2


def guide() -> Instructions:
    """Return the instructions as this release has them."""
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in (resource("rules") / "mended").glob("*.md")
    }
    return instructions(texts, SCHEMA, FRAME)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Hold what was proven, by fingerprint, and which comments are worth another try later."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    later: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mending:
    """Judge findings of the model; one for all of a process.

    Args:
        asker: asks the models.
        guide: what the model is told.
        store: gives what was found.
        workspaces: give the code.
        redact: masks secrets, keeping the number of lines.
        key: the secret of fingerprints.
        limit_s: how long the answers about one merge request may take.
    """

    asker: Asker
    guide: Instructions
    store: Store
    workspaces: Workspaces
    redact: Callable[[str], str]
    key: bytes
    limit_s: float = _LIMIT_S
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_A_TIME), repr=False)

    @property
    def by(self) -> str:
        """Return what verdicts are told by."""
        return f"model:{self.guide.version}"

    async def judge(self, comments: Sequence[Comment], run: Run) -> Judgement:
        """Return what the code at the head of *run* proves of the findings of *comments*, whose lines have changed.

        It never fails: what nobody answers in time is left for later, what cannot be answered for good. The gravest
        findings come first, and those beyond two requests are left out.
        """
        later = frozenset(one.fingerprint for one in comments)
        if self._places.locked():
            log.info("mending.put_off", error="others are being judged")
            return Judgement(later=later)
        try:
            async with self._places, asyncio.timeout(self.limit_s):
                return await self._judge(comments, run)
        except TimeoutError:
            log.info("mending.put_off", error="the model took too long")
            return Judgement(later=later)
        except CloisterError as error:
            if is_away(error):
                log.info("mending.put_off", error=str(error))
                return Judgement(later=later)
            log.info("mending.not_judged", error=str(error))
            return Judgement()

    async def _judge(self, comments: Sequence[Comment], run: Run) -> Judgement:
        order = sorted(
            comments, key=lambda one: (-Severity(one.severity).rank, one.posted_at, one.fingerprint)
        )
        claims, later = list[Claim](), set[str]()
        for comment in order[: _MOST_REQUESTS * MOST_CLAIMS]:
            try:
                found = await self._claim(comment, run)
            except Transient as error:
                log.info("mending.put_off", error=str(error))
                later.add(comment.fingerprint)
            else:
                claims += [found] if found else []
        verdicts: dict[str, Verdict] = {}
        for group in list(batches(claims, most=MOST_CLAIMS, fits=self._fits))[:_MOST_REQUESTS]:
            told = await self._ask(group, run)
            verdicts |= {group[number].finding.fingerprint: one for number, one in told.items()}
        return Judgement(verdicts, frozenset(later))

    def _fits(self, group: Sequence[Claim]) -> bool:
        model = self.asker.models[Task.judge]
        fixed = model.estimate_tokens(self.guide.system) + ANSWER_TOKENS + _TEMPLATE_TOKENS
        return model.estimate_tokens(question(group)) <= min(model.window_tokens - fixed, _PROMPT_TOKENS)

    async def _ask(self, group: Sequence[Claim], run: Run) -> Mapping[int, Verdict]:
        request = ModelRequest(
            self.guide.system, question(group), self.guide.schema, max_output_tokens=ANSWER_TOKENS
        )
        return await self.asker.ask(
            Task.judge,
            request,
            lambda text: read(text, group),
            version=self.guide.version,
            ledger=Ledger(run.id),
        )

    async def _claim(self, comment: Comment, run: Run) -> Claim | None:
        """Return what to ask about *comment*, None where what was found, or its code, cannot be shown.

        Raises:
            Transient: the code is out of reach.
        """
        assert run.revision is not None, "only a fetched run has code"
        try:
            found = await finding_behind(comment, store=self.store, workspaces=self.workspaces, key=self.key)
            file = await versions(comment, run.revision, self.workspaces)
            if found is None or file is None or self.redact(file.file.new_path) != file.file.new_path:
                return None
            texts = [content.decode(errors="replace") for content in (file.then, file.now)]
            then, now = await asyncio.to_thread(lambda: [Source.of(text, self.redact) for text in texts])
        except (Permanent, Unshowable) as error:
            log.info("mending.not_judged", error=str(error))
            return None
        return claim(found, file.file, then=then, now=now)
