"""What became of the lines that a comment is about, in a later version of the code."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from itertools import pairwise

from bot.domain.diff import Change, FileDiff
from bot.domain.line_map import LineMap


class Fate(enum.StrEnum):
    """What became of them."""

    kept = "kept"
    moved = "moved"
    """They stand elsewhere in the same file, or in another one, perhaps with other blanks."""
    changed = "changed"
    removed = "removed"
    """Their file is gone."""


def fate(
    first: int,
    last: int,
    file: FileDiff | None,
    *,
    before: Sequence[str],
    now: Sequence[str],
    others: Iterable[tuple[Sequence[str], Sequence[str]]] = (),
) -> Fate:
    """Return what became of the lines *first* to *last*.

    Code that stands somewhere else as often as it did counts as moved, so a rebase, a rename, another indentation or
    code put around it is no change. Code put between its lines is one.

    Args:
        first: 1-based, in *before*.
        last: inclusive.
        file: how their file changed between the two versions, None if it did not.
        before: all lines of the file then.
        now: all lines of the file now, under whatever name; none if it is gone.
        others: the lines of other files that got lines meanwhile, then and now. Common code that stood there before
            did not move there.
    """
    if file is None or _in_place(first, last, LineMap(file)):
        return Fate.kept
    code = words(before[first - 1 : last])
    if not code:
        return Fate.kept
    if often(code, now) >= max(often(code, before), 1):
        return Fate.moved
    if any(often(code, there) > often(code, then) for then, there in others):
        return Fate.moved
    return Fate.removed if file.change is Change.deleted else Fate.changed


def _in_place(first: int, last: int, lines: LineMap) -> bool:
    """Say whether all of them are there, one below the other."""
    there = [lines.new_of(line) for line in range(first, last + 1)]
    if any(line is None for line in there):
        return False
    return all(below == (above or 0) + 1 for above, below in pairwise(there))


def often(code: Sequence[str], lines: Sequence[str]) -> int:
    """Return how often *code*, as `words` has it, stands in *lines*."""
    there = words(lines)
    return sum(there[at : at + len(code)] == code for at in range(len(there) - len(code) + 1))


def words(lines: Iterable[str]) -> list[str]:
    """Return the lines that say something, without their blanks."""
    return [" ".join(line.split()) for line in lines if line.strip()]
