"""What of a change is new since it was reviewed last.

Two diffs of one merge request are compared row by row, not two commits: a rebase, which brings other people's work
into the commits, leaves the rows of the diff as they were, wherever they stand now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from bot.domain.diff import Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.findings import Finding, Fix

#: Rows shown around what is new, as many as git shows.
_CONTEXT = 3

#: Stands before, between and behind hunks.
_EDGE = DiffLine(Sign.context, None, None, "")


@dataclass(frozen=True)
class Increment:
    """Hold what is new.

    Args:
        diff: only files that got lines, of those only what is around them. Added lines that were there before are
            context now; lines that were added before and are gone are shown as removed, without a number.
        moves: path before -> path now, and where the lines of the head then stand in the head now.
    """

    diff: Diff
    moves: Mapping[str, tuple[str, Mapping[int, int]]]

    def carry(self, finding: Finding) -> Finding | None:
        """Return *finding*, which was made then, where its code stands now; None if that is gone."""
        path, lines = self.moves.get(finding.path, ("", {}))
        if finding.line not in lines:
            return None
        line, length = lines[finding.line], finding.end_line - finding.line
        kept = next((n for n in range(1, length + 1) if lines.get(finding.line + n) != line + n), length + 1)
        update = {
            "path": path,
            "line": line,
            "end_line": line + kept - 1,
            "fix": _moved(finding.fix, lines),
            "evidence": tuple(
                one.model_copy(update={"line": lines[one.line]})
                for one in finding.evidence
                if one.line in lines
            ),
        }
        return finding.model_copy(update=update)


def increment(before: Diff, now: Diff, *, unseen: Collection[str] = ()) -> Increment:
    """Return what *now* has that *before* had not.

    An added line is old when its row was there before and so were its neighbours: the same line in another place
    counts as new where it meets what it did not stand beside. Each row of before stands for one row of now.

    Args:
        before: the change as it was reviewed.
        now: the change to review.
        unseen: paths in *before* that were not looked at; all of them is new.
    """
    pairs = _counterparts(before, now, frozenset(unseen))
    files: list[FileDiff] = []
    moves: dict[str, tuple[str, Mapping[int, int]]] = {}
    for file in now.files:
        earlier = pairs.get(file.new_path)
        if earlier is None:
            files.append(file)
            continue
        comparison = _Comparison(_rows(earlier), _rows(file))
        moves[earlier.new_path] = file.new_path, comparison.lines
        if hunks := tuple(comparison.hunks()):
            files.append(replace(file, hunks=hunks))
    return Increment(Diff(tuple(files)), moves)


def merged(fresh: Sequence[Finding], carried: Sequence[Finding]) -> list[Finding]:
    """Return *fresh* findings, then those of *carried* that they do not say anew."""
    names = {finding.fingerprint for finding in fresh}
    return [
        *fresh,
        *(
            old
            for old in carried
            if old.fingerprint not in names and not any(_same(new, old) for new in fresh)
        ),
    ]


def _same(new: Finding, old: Finding) -> bool:
    return (new.path, new.category, new.explains) == (old.path, old.category, old.explains) and (
        new.line <= old.end_line and old.line <= new.end_line
    )


def _moved(fix: Fix | None, lines: Mapping[int, int]) -> Fix | None:
    """Return *fix* at its new place, unchecked there; None if its lines are not together any more."""
    if fix is None or fix.line not in lines:
        return None
    offset = lines[fix.line] - fix.line
    if any(lines.get(line) != line + offset for line in range(fix.line, fix.end_line + 1)):
        return None
    return Fix(line=fix.line + offset, end_line=fix.end_line + offset, replacement=fix.replacement)


def _counterparts(before: Diff, now: Diff, unseen: frozenset[str]) -> dict[str, FileDiff]:
    """Return by path now which file of *before* it is: that of the same name, or else the one most like it."""
    seen = {file.new_path: file for file in before.files if file.new_path not in unseen and _known(file)}
    asked = [file for file in now.files if _known(file)]
    pairs = {file.new_path: seen[file.new_path] for file in asked if file.new_path in seen}
    left = {path: file for path, file in seen.items() if path not in pairs}
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for path, file in left.items():
        for line in _telling(file):
            owners[line].add(path)
    for file in asked:
        if file.new_path in pairs:
            continue
        shared = Counter(
            next(iter(owners[line])) for line in _telling(file) if len(owners.get(line, ())) == 1
        )
        path, count = shared.most_common(1)[0] if shared else ("", 0)
        if path in left and 2 * count > len(_telling(left[path])):
            pairs[file.new_path] = left.pop(path)
    return pairs


def _known(file: FileDiff) -> bool:
    return bool(file.hunks) and not file.truncated


def _telling(file: FileDiff) -> frozenset[str]:
    """Return the added lines that say something: brackets and blank lines stand everywhere."""
    return frozenset(
        line.text.strip()
        for hunk in file.hunks
        for line in hunk.lines
        if line.sign is Sign.added and any(map(str.isalnum, line.text))
    )


def _rows(file: FileDiff) -> list[DiffLine]:
    rows = [_EDGE]
    for hunk in file.hunks:
        rows += [*hunk.lines, _EDGE]
    return rows


def _key(row: DiffLine) -> tuple[bool, Sign, str]:
    return row is _EDGE, row.sign, row.text


class _Comparison:
    """Compare the rows of one file then and now."""

    def __init__(self, old: Sequence[DiffLine], new: Sequence[DiffLine]) -> None:
        self._old = old
        self._new = new
        self._pairs = _paired([_key(row) for row in old], [_key(row) for row in new])
        self._kept = frozenset(self._pairs.values())

    @property
    def lines(self) -> dict[int, int]:
        """Return where lines of the head then stand now."""
        found = ((self._old[old].new, self._new[new].new) for new, old in self._pairs.items())
        return {before: now for before, now in found if before and now}

    @cached_property
    def _fresh(self) -> frozenset[int]:
        """Return which rows are added lines that are to be looked at."""
        fresh = {at for at, row in enumerate(self._new) if row is not _EDGE and at not in self._pairs}
        touched = {
            at for above, below in pairwise(range(len(self._new))) for at in self._cut(above, below, fresh)
        }
        return frozenset(at for at in fresh | touched if self._new[at].sign is Sign.added)

    def _cut(self, above: int, below: int, fresh: Collection[int]) -> tuple[int, ...]:
        """Return those of two neighbours to which it matters that they were none before.

        A new line is looked at itself, so those around it need not be.
        """
        for one, other in ((above, below), (below, above)):
            if one in fresh:
                return () if self._new[one].sign is Sign.added else (other,)
        return () if self._together(above, below) else (above, below)

    def _together(self, above: int, below: int) -> bool:
        """Say whether two rows that were there before were neighbours then."""
        if self._new[above] is _EDGE:
            return self._new[below] is _EDGE or self._old[self._pairs[below] - 1] is _EDGE
        if self._new[below] is _EDGE:
            return self._old[self._pairs[above] + 1] is _EDGE
        return self._pairs[above] + 1 == self._pairs[below]

    def hunks(self) -> Iterator[Hunk]:
        """Yield what to show, nothing if no added line is to be looked at."""
        if not self._fresh:
            return
        shown: set[int] = set()
        for at, row in enumerate(self._new):
            if at in self._fresh or (row.sign is Sign.removed and at not in self._pairs):
                shown.update(range(at - _CONTEXT, at + _CONTEXT + 1))
        run: list[DiffLine] = []
        for at, row in enumerate(self._new):
            if at not in shown or row is _EDGE:
                yield from _hunk(run)
                run = []
                continue
            run += self._gone_behind(at - 1)
            seen = row.sign is Sign.added and at not in self._fresh
            run.append(replace(row, sign=Sign.context) if seen else row)
        yield from _hunk(run)

    def _gone_behind(self, at: int) -> Iterator[DiffLine]:
        """Yield the added lines that followed row *at* then, and are gone."""
        old = self._pairs.get(at, len(self._old)) + 1
        while old < len(self._old) and old not in self._kept and self._old[old] is not _EDGE:
            if self._old[old].sign is Sign.added:
                yield DiffLine(Sign.removed, None, None, self._old[old].text)
            old += 1


def _hunk(rows: Sequence[DiffLine]) -> Iterator[Hunk]:
    old = [row.old for row in rows if row.old]
    new = [row.new for row in rows if row.new]
    if rows:
        yield Hunk(min(old, default=0), len(old), min(new, default=0), len(new), "", tuple(rows))


def _paired(old: Sequence[object], new: Sequence[object]) -> dict[int, int]:
    """Return which row of *old* each row of *new* is.

    What is found once on both sides comes first, with its two neighbours or else alone, and takes along what
    adjoins it; rows that are found more than once are taken in their order.
    """
    pairing = _Pairing(old, new, {}, set())
    with_neighbours = _places(old, new, 1)
    pairing.take(with_neighbours, once=True)
    pairing.take(_places(old, new, 0), once=True)
    pairing.take(with_neighbours, once=False)
    return pairing.pairs


def _places(
    old: Sequence[object], new: Sequence[object], reach: int
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Return where each sequence of rows, *reach* to either side of its middle, is found in both."""
    places: dict[object, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((old, new)):
        for at in range(reach, len(rows) - reach):
            places[tuple(rows[at - reach : at + reach + 1])][side].append(at)
    return [found for found in places.values() if all(found)]


@dataclass(frozen=True, slots=True)
class _Pairing:
    """Pair rows one to one; ``taken`` are those of ``old``."""

    old: Sequence[object]
    new: Sequence[object]
    pairs: dict[int, int]
    taken: set[int]

    def take(self, places: Sequence[tuple[Sequence[int], Sequence[int]]], *, once: bool) -> None:
        """Pair what stands at *places*, only if that is one on both sides when *once*, and what adjoins it."""
        for theirs, ours in places:
            if once and (len(theirs), len(ours)) != (1, 1):
                continue
            free = [at for at in theirs if at not in self.taken], [at for at in ours if at not in self.pairs]
            for there, here in zip(*free, strict=False):
                if self._extend(here, there, 1):
                    self._extend(here - 1, there - 1, -1)

    def _extend(self, here: int, there: int, step: int) -> bool:
        """Pair equal rows from there on; say whether there were any."""
        start = here
        while self._fit(here, there):
            self.pairs[here] = there
            self.taken.add(there)
            here, there = here + step, there + step
        return here != start

    def _fit(self, here: int, there: int) -> bool:
        if not (0 <= here < len(self.new) and 0 <= there < len(self.old)):
            return False
        free = here not in self.pairs and there not in self.taken
        return free and self.new[here] == self.old[there]
