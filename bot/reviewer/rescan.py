"""What scanners say about files that fixes were put into, each fix in a copy of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of
from bot.domain.policy import Policy, governed
from bot.domain.suggestion import Refusal
from bot.domain.together import together
from bot.ports import Runner
from bot.reviewer.edit import Edit
from bot.scanners import Scanner, Source, absent

ADDS = "something new would be reported ({rule})"


@dataclass
class Outlook:
    """Hold which scanners have looked at an edited file, and what speaks against the edit, if anything."""

    looked: list[str] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class Rescan:
    """Scan files before and after their edits, all of them in one go of each scanner."""

    scanners: Collection[Scanner]
    runner: Runner
    policy: Policy

    async def judge(self, edits: Sequence[Edit]) -> list[Outlook]:
        """Return how each of *edits* would look.

        Raises:
            Transient: a scanner broke.
            Permanent: the same, without hope.
        """
        outlooks = [Outlook() for _ in edits]
        usable = [one for one in self.scanners if not absent(one)]
        scans = await together(*(self._scan(scanner, edits) for scanner in usable))
        for scanner, copies in zip(usable, scans, strict=True):
            for edit, outlook in zip(edits, outlooks, strict=True):
                if scanner.wants(edit.path):
                    outlook.looked.append(scanner.name)
                    outlook.problem = outlook.problem or _problem(scanner.name, edit, copies)
        return outlooks

    async def _scan(
        self, scanner: Scanner, edits: Iterable[Edit]
    ) -> Mapping[tuple[str, bytes], Sequence[Finding] | None]:
        """Return what is found in each content of a file, None where it could not be analysed."""
        contents = dict.fromkeys(
            (one.path, content)
            for one in edits
            if scanner.wants(one.path)
            for content in (one.before, one.after)
        )
        if not contents:
            return {}
        sources = {key: _copy(number, *key) for number, key in enumerate(contents)}
        report = await scanner.scan(list(sources.values()), self.runner)
        analysed = set(report.analysed)
        found: dict[str, list[Finding]] = {}
        for finding in report.findings:
            if governed([finding], self.policy):
                found.setdefault(finding.path, []).append(finding)
        return {
            key: found.get(source.path, []) if source.path in analysed else None
            for key, source in sources.items()
        }


def _copy(number: int, path: str, content: bytes) -> Source:
    every_line = frozenset(range(1, len(lines_of(content)) + 1))
    return Source(f"{number}/{path}", content, every_line, stands_for=path)


def _problem(scanner: str, edit: Edit, copies: Mapping[tuple[str, bytes], Sequence[Finding] | None]) -> str:
    before, after = copies[edit.path, edit.before], copies[edit.path, edit.after]
    if before is None or after is None:
        return Refusal.unscanned
    return objection(edit, before, after, edit.ends.get(scanner, frozenset()))


def objection(edit: Edit, before: Iterable[Finding], after: Iterable[Finding], ends: Collection[str]) -> str:
    """Return why what a scanner finds *after* an edit is worse than *before*, or not better; empty if it is not.

    Findings are counted by rule. Those that the edit does not touch must all be where they were; it may only take
    away, and of each rule in *ends* it must take one.
    """
    was, now = _Count(), _Count()
    for one in before:
        was.add(one.rule, one.line, one.end_line, _touches(edit, one))
    for one in after:
        first, last = edit.origin(one.line), edit.origin(one.end_line)
        apart = first is not None and last is not None and (last < edit.fix.line or first > edit.fix.end_line)
        now.add(one.rule, first, last, not apart)
    for rule in ends:
        if not was.total(rule):
            return Refusal.unconfirmed
        if now.total(rule) >= was.total(rule):
            return Refusal.stays
    moved = Counter(rule for rule, _, _ in (now.apart - was.apart).elements())
    for rule in sorted({*now.touched, *moved, *(rule for rule, _, _ in now.apart)}):
        if now.total(rule) > was.total(rule) or moved[rule] > was.touched[rule]:
            return ADDS.format(rule=rule)
    return ""


def _touches(edit: Edit, one: Finding) -> bool:
    return one.line <= edit.fix.end_line and one.end_line >= edit.fix.line


@dataclass
class _Count:
    """Count findings by rule: those that an edit touches, and those apart from it by their lines before it."""

    touched: Counter[str] = field(default_factory=Counter)
    apart: Counter[tuple[str, int | None, int | None]] = field(default_factory=Counter)

    def add(self, rule: str, first: int | None, last: int | None, touched: bool) -> None:
        if touched:
            self.touched[rule] += 1
        else:
            self.apart[rule, first, last] += 1

    def total(self, rule: str) -> int:
        return self.touched[rule] + sum(count for (name, _, _), count in self.apart.items() if name == rule)
