"""Findings of one scanner at the head -> those that the merge request adds, by running it on what was there before.

Before is the base, because the diff starts there: only with it can be told which code moved. What is not at the
tip of the target branch any more counts as new all the same: a branch that starts at an old commit must not bring
back what was mended since. A tip that has more than the base changes nothing, since the branch does not have it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.diff import Change, Diff, FileDiff, Sign
from bot.domain.findings import Finding, ScanReport
from bot.domain.newness import Found, Identity, added, count, fewest, identity, shape
from bot.domain.policy import Policy, left_out
from bot.ports import Blob, Runner
from bot.scanners import Scanner, Source
from bot.scanners.sources import excerpt_before, whole, whole_before

#: Reads files at a side of the revision (``head``, ``base`` or ``start``) or in a commit, as ``Workspaces.read``.
Read = Callable[[Sequence[str], str], Awaitable[Mapping[str, Blob]]]


def found(report: ScanReport, sources: Sequence[Source]) -> Found:
    """Count what *report* says about those of *sources* that the scanner could look at."""
    analysed = set(report.analysed)
    lines = {source.path: source.lines for source in sources if source.path in analysed}
    return count(report.findings, lines)


@dataclass(frozen=True)
class Comparison:
    """Compare the findings of *scanner* on *diff* with what it finds before.

    Args:
        scanner: who found them.
        runner: runs the scanner's tool.
        read: gives files before and after.
        diff: what changed.
        policy: says which files nobody looks at.
        target_moved: the target branch has more than the base.
    """

    scanner: Scanner
    runner: Runner
    read: Read
    diff: Diff
    policy: Policy
    target_moved: bool = False

    async def new(
        self, candidates: Sequence[Finding], report: ScanReport, sources: Sequence[Source]
    ) -> list[Finding]:
        """Return those of *candidates* that are new; costs nothing when there are none.

        Args:
            candidates: findings on lines that the diff adds.
            report: everything that was found at the head.
            sources: where it was looked for.

        Raises:
            Transient: a file could not be read, or the scanner broke.
            Permanent: the same, without hope.
        """
        if not candidates:
            return []
        lines = {source.path: source.lines for source in sources}
        kinds = {id(one): identity(one, lines.get(one.path, ())) for one in candidates}
        now = dict(await asyncio.to_thread(found, report, sources))
        paths = {one.path for one in candidates}
        own = [file for path, file in self.diff.by_new_path.items() if path in paths]
        before = dict(await self._before(own))

        def new() -> list[Finding]:
            return added(candidates, self.diff, head=now, before=before, identify=lambda one: kinds[id(one)])

        fresh = new()
        others = self._origins({kinds[id(one)] for one in fresh}, fresh, own)
        if others:
            before |= await self._before(others)
            now |= await self._head([file for file in others if file.new_path not in now])
            fresh = new()
        return fresh

    def _origins(
        self, kinds: set[Identity], fresh: Sequence[Finding], own: Sequence[FileDiff]
    ) -> list[FileDiff]:
        """Return the files from which the code of *fresh* findings may have moved."""
        known = {id(file) for file in own}
        skipped = left_out(self.diff, self.policy, everywhere=self.scanner.everywhere)
        anything = any(one.subject for one in fresh)
        codes = [code for _, code in kinds]
        return [
            file
            for file in self.diff.files
            if file.removed_lines
            and id(file) not in known
            and file.new_path not in skipped
            and self.scanner.wants(file.old_path)
            and (anything or _lost_any(file, codes))
        ]

    async def _before(self, files: Sequence[FileDiff]) -> Found:
        files = [file for file in files if file.change is not Change.added]
        if self.scanner.history:
            # A secret that is only in the past of the target branch has leaked there: its tip does not matter.
            return await self._look([excerpt_before(file) for file in files])
        paths = [file.old_path for file in files]
        base = await self.read(paths, "base")
        before = await self._look(whole_before(files, base))
        if not self.target_moved or not any(before.values()):
            return before
        start = await self.read(paths, "start")
        moved = [file for file in files if start.get(file.old_path) != base.get(file.old_path)]
        same = {path: before[path] for path in before if start.get(path) == base.get(path)}
        return fewest(before, same | dict(await self._look(whole_before(moved, start))))

    async def _head(self, files: Sequence[FileDiff]) -> Found:
        paths = [file.new_path for file in files if file.change is not Change.deleted]
        if self.scanner.history:
            return {path: Counter() for path in paths}  # they add no line, so nothing on added ones
        return await self._look(whole(paths, await self.read(paths, "head"), self.diff))

    async def _look(self, sources: Sequence[Source]) -> Found:
        if not sources:
            return {}
        report = await self.scanner.scan(sources, self.runner)
        return await asyncio.to_thread(found, report, sources)


def _lost_any(file: FileDiff, codes: Sequence[str]) -> bool:
    """Say whether lines of *file* that went away hold any of *codes*."""
    removed = (line.text for hunk in file.hunks for line in hunk.lines if line.sign is Sign.removed)
    text = shape(removed)
    return any(code in text for code in codes)
