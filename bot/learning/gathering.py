"""Gather the comments that a data set is made of, with the code that they are about."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from bot.domain.errors import CloisterError, Permanent
from bot.domain.findings import Finding
from bot.learning.drawing import Lots
from bot.learning.formats import Format
from bot.learning.remaking import Mind, Remade, answer_of, remade
from bot.learning.rows import Material
from bot.learning.selection import Candidate, Consent, candidate
from bot.ports import Labels, Learning, Place, Store, Workspaces

#: Comments read at a time.
_BATCH: Final = 500

_GONE: Final = "its code is not to be had any more"
_NO_SIGNALS: Final = "what people did with it is not kept any more"
_NO_FINDING: Final = "its finding is gone"
_NO_PROMPT: Final = "what the model was asked could not be made again byte for byte"
_NO_ANSWER: Final = "what the model said does not hold against what it was asked"


@dataclass
class Gathering:
    """Gather material.

    Args:
        labels: comments and what people did with them.
        learning: consent, and what models were asked.
        store: what was found.
        workspaces: the code.
        mind: what prompts are made with, None if no prompts are needed.
        told: hears how far it is, now and then.
        left_out: why comments are not in it, counted.
    """

    labels: Labels
    learning: Learning
    store: Store
    workspaces: Workspaces
    mind: Mind | None = None
    told: Callable[[str], None] = lambda _: None
    left_out: Counter[str] = field(default_factory=Counter)

    async def gather(
        self, format_: Format, *, since: datetime | None, until: datetime, project_id: int | None = None
    ) -> list[Material]:
        """Return the material for *format_* of comments posted between two times, of one project or of all.

        Raises:
            Transient: the database is out of reach.
        """
        with Lots() as lots:
            await self._collect(lots, format_, since, until, project_id)
            kept, dropped = await asyncio.to_thread(lots.draw, whole=format_.whole)
        self.left_out += dropped
        material: list[Material] = []
        by_run = sorted(kept, key=lambda one: (str(one.comment.run_id), str(one.comment.id)))
        for number, (run_id, group) in enumerate(
            groupby(by_run, key=lambda one: one.comment.run_id), start=1
        ):
            material += await self._of_run(list(group))
            self.told(f"{len(material)} comments gathered, {number} reviews read, the last {run_id}")
        return material

    async def _collect(
        self, lots: Lots, format_: Format, since: datetime | None, until: datetime, project_id: int | None
    ) -> None:
        version = self.mind.guides.find.version if self.mind else ""
        projects, opted_out = await self.learning.consenting(), await self.learning.opted_out()
        gone = await self.labels.without_signals(since=since, until=until, project_id=project_id)
        self.left_out += Counter({_NO_SIGNALS: gone} if gone else {})
        place: Place | None = None
        while histories := await self.labels.histories(limit=_BATCH, since=since, after=place):
            place = Place.of(histories[-1].comment)
            authors = await self.learning.authors({one.comment.ref for one in histories})
            consent = Consent(projects, opted_out, dict(authors))
            for history in histories:
                comment = history.comment
                if comment.posted_at > until or project_id not in {None, comment.ref.project_id}:
                    continue
                outcome = candidate(history, consent, until, format_, version)
                if isinstance(outcome, str):
                    self.left_out[outcome] += 1
                else:
                    lots.add(outcome)
            self.told(f"{len(lots)} comments with a clear label so far")

    async def _of_run(self, group: Sequence[Candidate]) -> list[Material]:
        run = await self.learning.run(group[0].comment.run_id)
        if run is None or run.revision is None:
            self.left_out[_NO_FINDING] += len(group)
            return []
        if not run.policy.learning.export:
            self.left_out["the project had not allowed it then"] += len(group)
            return []
        findings = {
            one.fingerprint: one for some in (await self.store.findings(run.id)).values() for one in some
        }
        try:
            about = await remade(run, self.learning, self.workspaces, self.mind)
        except CloisterError:
            self.left_out[_GONE] += len(group)
            return []
        said = about.said(findings.values())
        material = []
        for one in group:
            try:
                finding = findings.get(one.comment.fingerprint)
                material.append(self._material(one, finding, about, said))
            except Permanent as error:
                self.left_out[str(error)] += 1
        return material

    def _material(
        self, one: Candidate, finding: Finding | None, about: Remade, said: Mapping[str, frozenset[str]]
    ) -> Material:
        """Return what a row needs.

        Raises:
            Permanent: something of it is missing; the message says what.
        """
        if finding is None:
            raise Permanent(_NO_FINDING)
        code, prompt, answer = about.code_of(finding), None, None
        if not code:
            raise Permanent(_GONE)
        if self.mind is not None:
            asked = about.prompt_of(finding)
            if asked is None:
                raise Permanent(_NO_PROMPT)
            prompt, part = asked
            prompt = replace(prompt, said=said[prompt.sha256])
            answer = answer_of(finding, part)
            if answer is None:
                raise Permanent(_NO_ANSWER)
        words = f"{finding.title}\n{finding.message}".strip()
        return Material(
            one.comment, one.label, one.reasons, one.merged_at, one.people, code, words, prompt, answer
        )
