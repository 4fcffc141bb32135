"""Which line of the base is which line of the head."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from bot.domain.diff import Change, DiffLine, FileDiff, Hunk


class LineMap:
    """Translate line numbers (1-based) of one file between base and head, outside hunks too.

    The map does not know how long the file is: a number past the end of the file is translated as if
    the file went on unchanged. Nothing is known about files without a line diff (truncated, binary,
    submodules): every answer is None.
    """

    def __init__(self, file: FileDiff) -> None:
        known = not (file.truncated or file.binary or file.submodule)
        two_sided = known and file.change not in (Change.added, Change.deleted)
        self._to_old = _Side(file.hunks, two_sided, _new, _old)
        self._to_new = _Side(file.hunks, two_sided, _old, _new)

    def old_of(self, new_line: int) -> int | None:
        """Return the number that an unchanged line of the head has in the base; None for an added line."""
        return self._to_old.translate(new_line)

    def new_of(self, old_line: int) -> int | None:
        """Return the number that an unchanged line of the base has in the head; None for a removed line."""
        return self._to_new.translate(old_line)


class _Side:
    """Translate in one direction: lines of hunks by look-up, all others by the offset of the hunk before."""

    def __init__(
        self,
        hunks: tuple[Hunk, ...],
        two_sided: bool,
        here: Callable[[DiffLine | Hunk], int | None],
        there: Callable[[DiffLine | Hunk], int | None],
    ) -> None:
        self._two_sided = two_sided
        self._in_hunk = {
            number: there(line) for hunk in hunks for line in hunk.lines if (number := here(line)) is not None
        }
        self._after = [here(hunk) or 0 for hunk in hunks]
        self._offsets = [(there(hunk) or 0) - (here(hunk) or 0) for hunk in hunks]

    def translate(self, line: int) -> int | None:
        if not self._two_sided or line < 1:
            return None
        if line in self._in_hunk:
            return self._in_hunk[line]
        before = bisect_right(self._after, line) - 1
        return line + self._offsets[before] if before >= 0 else line


def _old(part: DiffLine | Hunk) -> int | None:
    return part.old if isinstance(part, DiffLine) else _first_after(part.old_start, part.old_count)


def _new(part: DiffLine | Hunk) -> int | None:
    return part.new if isinstance(part, DiffLine) else _first_after(part.new_start, part.new_count)


def _first_after(start: int, count: int) -> int:
    # An empty side names the line before the gap (0 at the top of the file), not the first line of it.
    return start + max(count, 1)
