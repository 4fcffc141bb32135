"""What the commits of a branch have added and taken away again: it is still in them for everybody to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.clip import clip
from bot.domain.diff import FileDiff
from bot.domain.findings import Finding, ScanReport
from bot.domain.history import CommitDiff, History
from bot.domain.newness import Identity, identity
from bot.domain.policy import Policy, excluded
from bot.ports import Blob, Runner
from bot.scanners import Scanner, Source, wanted
from bot.scanners.comparison import Read
from bot.scanners.hidden import MOST_FILES, hidden, reveal
from bot.scanners.sources import excerpt, excerpt_before

#: Reads the commits of a revision, as ``Workspaces.commits``.
ReadCommits = Callable[[], Awaitable[History]]


def about(finding: Finding, source: Source) -> Identity:
    """Return what makes *finding* the same in any commit: another rule may see the same secret."""
    rule, subject = identity(finding, source.lines)
    return ("" if finding.subject else rule), subject


@dataclass
class Past:
    """Hold what is only in commits: findings with ``commit`` set, with where they were seen.

    ``not_analysed`` maps a path to the reason, ``missing`` says what else of the branch was not looked at.
    """

    findings: list[tuple[Finding, Source]] = field(default_factory=list)
    not_analysed: dict[str, str] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True)
class Look:
    """Have *scanner* look at commits; *policy* says at which files nobody looks, *read* gives those without lines.

    Their paths at the head are in *hidden_at_head*: there they have been read already.
    """

    scanner: Scanner
    runner: Runner
    policy: Policy
    read: Read
    hidden_at_head: Collection[str] = ()

    async def past(self, history: History, at_head: Collection[Identity]) -> Past:
        """Return what commits of *history* added that is not *at_head* any more, each thing once, where it came in.

        What a commit takes away that none before it has added was there before the branch: putting it back is
        nothing new.
        """
        past = Past(missing=history.missing)
        if len(history.commits) < 2 and not history.missing:
            return past  # what the only commit adds is what the diff shows
        seen = [await self._added(commit, past) for commit in history.commits]
        for number, files in enumerate(self._hidden(history, past)):
            seen[number] += await self._revealed(history.commits[number], files, past)
        if all(kind in at_head for found in seen for _, kind, _ in found):
            return past
        known, added = set(at_head), set[Identity]()
        for commit, found in zip(history.commits, seen, strict=True):
            known |= await self._removed(commit) - added
            for finding, kind, source in found:
                if kind not in known and kind not in added:
                    there = finding.model_copy(update={"commit": commit.sha, "fix": None})
                    past.findings.append((there, source))
                added.add(kind)
        return past

    async def _added(self, commit: CommitDiff, past: Past) -> list[tuple[Finding, Identity, Source]]:
        files = commit.diff.by_new_path
        sources = {path: excerpt(files[path]) for path in wanted(self.scanner, commit.diff, self.policy)}
        report = await self._scan(sources)
        unseen = {path: "the change is too large to be read" for path in files if files[path].truncated}
        for path, reason in {**unseen, **report.not_analysed}.items():
            if not excluded(path, self.policy, everywhere=self.scanner.everywhere):
                past.not_analysed.setdefault(path, f"in commit {commit.sha[:8]}: {reason}")
        kept, _ = clip(report.findings, commit.diff)
        return [(one, about(one, sources[one.path]), sources[one.path]) for one in kept]

    def _hidden(self, history: History, past: Past) -> list[list[FileDiff]]:
        """Return for each commit its files without lines; one that only this commit touches is as at the head."""
        touched = Counter(path for commit in history.commits for path in commit.diff.by_new_path)
        there = {path for path in self.hidden_at_head if touched[path] == 1}
        found, left = [], MOST_FILES
        for commit in history.commits:
            files = [file for file in hidden(commit.diff, self.policy) if file.new_path not in there]
            for file in files[left:]:
                reason = f"in commit {commit.sha[:8]}: one of too many binary files"
                past.not_analysed.setdefault(file.new_path, reason)
            found.append(files[:left])
            left -= len(found[-1])
        return found

    async def _revealed(
        self, commit: CommitDiff, files: Sequence[FileDiff], past: Past
    ) -> list[tuple[Finding, Identity, Source]]:
        async def read(paths: Sequence[str], side: str) -> Mapping[str, Blob]:
            # What the target branch had is nothing new, whatever the commits in between made of it.
            return await self.read(paths, commit.sha if side == "head" else side)

        revealed = await reveal(self.scanner, self.runner, read, files)
        for path, reason in revealed.not_analysed.items():
            past.not_analysed.setdefault(path, f"in commit {commit.sha[:8]}: {reason}")
        return [(finding, about(finding, source), source) for finding, source in revealed.findings]

    async def _removed(self, commit: CommitDiff) -> set[Identity]:
        sources = {file.old_path: excerpt_before(file) for file in commit.diff.files if file.removed_lines}
        report = await self._scan(sources)
        return {about(one, sources[one.path]) for one in report.findings}

    async def _scan(self, sources: Mapping[str, Source]) -> ScanReport:
        if not sources:
            return ScanReport(scanner=self.scanner.name)
        return await self.scanner.scan(list(sources.values()), self.runner)


def kinds(findings: Sequence[Finding], sources: Sequence[Source]) -> set[Identity]:
    """Return what *findings* are about, whatever their place; see `about`."""
    by_path = {source.path: source for source in sources}
    return {about(one, by_path[one.path]) for one in findings if one.path in by_path}
