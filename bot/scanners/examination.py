"""One scanner on one change: what it sees, what it says about it, and what of that the change has brought about."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.clip import clip
from bot.domain.diff import Diff
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding, ScanReport
from bot.domain.fingerprint import stamp
from bot.domain.policy import Policy, asks_for_existing
from bot.domain.silencing import silenced
from bot.ports import Blob, Runner
from bot.scanners import Scanner, Source, folded, unseen, wanted
from bot.scanners.comparison import Comparison, Read
from bot.scanners.hidden import Revealed, hidden, reveal
from bot.scanners.past import Look, Past, ReadCommits, about, kinds
from bot.scanners.sources import excerpt, whole

#: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: what git has in the place of a file.
_LFS: Final = re.compile(
    rb"version https://[!-~]+\n(?:ext-[!-~]+ [!-~]+\n)*oid sha256:[0-9a-f]{64}\nsize [0-9]+\n?"
)


@dataclass(frozen=True)
class Examined:
    """Hold the findings, stamped and clipped, and what could not be looked at (path -> reason).

    ``existing`` ones were there before; they are among them only if the policy asks for such. Findings with a ``commit`` are in that commit only. ``past`` says what of the branch's commits was not looked at,
    ``not_compared`` why findings may be there that are not new.
    """

    findings: Sequence[Finding] = ()
    not_analysed: Mapping[str, str] = field(default_factory=dict)
    past: str = ""
    not_compared: str = ""


@dataclass(frozen=True)
class Examination:
    """Have *scanner* look at a change.

    Args:
        scanner: who looks.
        runner: runs the scanner's tool.
        read: gives files before and after.
        diff: what changed.
        policy: says which files nobody looks at.
        key: the secret of fingerprints.
        target_moved: the target branch has more than the base.
        patient: a comparison with what was there before may be tried again. Otherwise a failed one is done
            without: too much is said then, never too little.
        commits: gives the commits of the branch, to scanners that want them; None for no look at them.
    """

    scanner: Scanner
    runner: Runner
    read: Read
    diff: Diff
    policy: Policy
    key: bytes
    target_moved: bool = False
    patient: bool = False
    commits: ReadCommits | None = None

    async def findings(self) -> Examined:
        """Return what the change has brought about.

        Raises:
            Transient: files cannot be read, or the scanner broke in a way that another try may mend.
            Permanent: the same, without hope.
        """
        sources, unread = await self._sources()
        report = await self.scanner.scan(sources, self.runner)
        touched = await asyncio.to_thread(self._touched, report, sources)
        new, not_compared = await self._new(touched, report, sources)
        revealed = await self._revealed()
        past = await self._past(report, sources, revealed)
        only_there = [
            one
            for finding, source in (*past.findings, *revealed.findings)
            for one in self._stamped([finding], {finding.path: source.lines})
        ]
        not_analysed = {**past.not_analysed, **unread, **report.not_analysed, **revealed.not_analysed}
        said = [*folded(self.scanner, new), *self._existing(touched, new), *only_there]
        return Examined(said, not_analysed, past.missing, not_compared)

    def _existing(self, touched: Sequence[Finding], new: Sequence[Finding]) -> list[Finding]:
        """Return what was there before on lines that the change touches, if the policy asks for it."""
        if not asks_for_existing(self.policy):
            return []
        fresh = {id(finding) for finding in new}
        return [
            finding.model_copy(update={"existing": True}) for finding in touched if id(finding) not in fresh
        ]

    async def _revealed(self) -> Revealed:
        if not self.scanner.history:
            return Revealed()
        return await reveal(self.scanner, self.runner, self.read, hidden(self.diff, self.policy))

    async def _past(self, report: ScanReport, sources: Sequence[Source], revealed: Revealed) -> Past:
        if not self.scanner.history or self.commits is None:
            return Past()
        try:
            history = await self.commits()
        except Permanent as error:
            return Past(missing=str(error))
        there = [file.new_path for file in hidden(self.diff, self.policy)]
        look = Look(self.scanner, self.runner, self.policy, self.read, there)
        at_head = kinds(report.findings, sources) | {about(*one) for one in revealed.findings}
        return await look.past(history, at_head)

    @property
    def _renamed(self) -> dict[str, str]:
        return {file.new_path: file.old_path for file in self.diff.files if file.old_path != file.new_path}

    async def _sources(self) -> tuple[list[Source], dict[str, str]]:
        """Return what the scanner gets to see, and what could not be read of it."""
        paths = wanted(self.scanner, self.diff, self.policy)
        if self.scanner.history:
            return [excerpt(self.diff.by_new_path[path]) for path in paths], {}
        blobs = await self.read(paths, "head")
        return whole(paths, blobs, self.diff), self._unread(paths, blobs)

    def _touched(self, report: ScanReport, sources: Sequence[Source]) -> list[Finding]:
        lines = {source.path: source.lines for source in sources}
        kept, _ = clip(self._stamped(report.findings, lines), self.diff)
        return kept

    def _stamped(self, findings: Sequence[Finding], lines: Mapping[str, Sequence[str]]) -> list[Finding]:
        return silenced(stamp(findings, lines, key=self.key, old_paths=self._renamed), lines)

    async def _new(
        self, touched: Sequence[Finding], report: ScanReport, sources: Sequence[Source]
    ) -> tuple[Sequence[Finding], str]:
        comparison = Comparison(
            self.scanner, self.runner, self.read, self.diff, self.policy, target_moved=self.target_moved
        )
        try:
            return await comparison.new(touched, report, sources), ""
        except (Transient, Permanent) as error:
            if isinstance(error, Transient) and self.patient:
                raise
            return touched, str(error)

    def _unread(self, paths: Sequence[str], blobs: Mapping[str, Blob]) -> dict[str, str]:
        """Return why files could not be read; links and submodules have no content of their own."""
        unread = {
            path: _too_large(blob.size) if blob.content is None else "its content is in Git LFS"
            for path in paths
            if (blob := blobs.get(path)) is not None
            and (blob.content is None or _LFS.fullmatch(blob.content))
        }
        for file in self.diff.files:
            path = file.new_path
            if path in paths and path not in blobs and file.regular:
                unread[path] = "not found under this name"
        return unread | dict.fromkeys(unseen(self.scanner, self.diff, self.policy), "binary for git")


def _too_large(size: int) -> str:
    megabytes = size // 1_000_000
    # A small one is left out where all files together are more than is held in memory.
    return f"larger than {megabytes} MB" if megabytes else "one of too many changed files to read all of them"
