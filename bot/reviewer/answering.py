"""Answer what developers ask about one finding: explain it, or propose a fix that was checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bot.domain.errors import Permanent
from bot.domain.excerpt import Excerpt, Source, Unshowable
from bot.domain.findings import Fix
from bot.domain.fingerprint import lines_of
from bot.domain.prompt import Instructions, instructions
from bot.domain.question import ANSWER_TOKENS, FRAME, SCHEMA, Question, Told, prompt, read
from bot.domain.records import Task
from bot.domain.run import Run
from bot.domain.suggestion import SuggestionBlock, offer
from bot.ports import ModelRequest, Runner, Workspaces
from bot.resources import resource
from bot.reviewer.asking import Asker, Ledger
from bot.reviewer.verification import Verification
from bot.scanners import Scanner

_ELSEWHERE = "this thread stands at another line"


def guide() -> Instructions:
    """Return the instructions as this release has them."""
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in (resource("rules") / "answer").glob("*.md")
    }
    return instructions(texts, SCHEMA, FRAME)


@dataclass(frozen=True)
class Answering:
    """Answer questions; one for all of a process.

    Args:
        asker: asks the models.
        guide: what the model is told.
        workspaces: give the code.
        scanners: check fixes, by name.
        runner: runs their tools.
        redact: masks secrets, keeping the number of lines.
    """

    asker: Asker
    guide: Instructions
    workspaces: Workspaces
    scanners: Mapping[str, Scanner]
    runner: Runner
    redact: Callable[[str], str]

    async def ask(self, question: Question, run: Run, *, ledger: Ledger) -> Told | None:
        """Return the answer about a finding of *run*, None if its code is not there; a fix comes judged.

        Every call is noted in *ledger*.

        Raises:
            Transient: the model did not answer, and may later.
            Permanent: it cannot.
        """
        path = question.finding.path
        content = None
        if run.revision is not None:
            blob = (await self.workspaces.read(run.revision, [path])).get(path)
            content = blob.content if blob else None
        if content is None:
            return None
        asked = await asyncio.to_thread(self._prompt, question, content.decode(errors="replace"))
        if asked is None:
            return None
        text, shown = asked
        told = await self.asker.ask(
            Task.review,
            ModelRequest(self.guide.system, text, self.guide.schema, max_output_tokens=ANSWER_TOKENS),
            partial(read, question=question, shown=shown),
            version=self.guide.version,
            ledger=ledger,
        )
        return await self._judged(told, question, run, content)

    def _prompt(self, question: Question, text: str) -> tuple[str, Excerpt] | None:
        model = self.asker.models[Task.review]
        try:
            source = Source.of(text, self.redact)
        except Unshowable as error:
            raise Permanent(str(error)) from None
        if question.finding.line > len(source.lines):
            return None
        room = model.window_tokens - model.estimate_tokens(self.guide.system)
        asked = prompt(question, source, estimate=model.estimate_tokens, room_tokens=room)
        if asked is None:
            msg = f"the code does not fit into the model's window of {model.window_tokens} tokens"
            raise Permanent(msg)
        return asked

    async def _judged(self, told: Told, question: Question, run: Run, content: bytes) -> Told:
        text = self.redact(told.text)
        if told.fix is None:
            return Told(text)
        verification = Verification(list(self.scanners.values()), self.runner, run.policy, self.redact)
        wanted = question.finding.model_copy(update={"fix": told.fix})
        (judged,) = await verification.judge([wanted], {question.finding.path: content})
        assert judged.fix is not None, "judging drops no fix"
        return Told(text, judged.fix, _offer(judged.fix, question, content))


def _offer(fix: Fix, question: Question, content: bytes) -> SuggestionBlock | str:
    """Return *fix* as a suggestion where that replaces the right lines, which are counted from the thread's."""
    if question.anchor != question.finding.end_line:
        return _ELSEWHERE
    return offer(fix, path=question.finding.path, anchor=question.anchor, lines=lines_of(content))
