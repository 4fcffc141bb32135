"""Lines of a file of which only some are known, under their true numbers."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from typing import overload


class SparseLines(Sequence[str]):
    """Stand in for the list of a file's lines; lines that are not known are empty, and in slices left out.

    Args:
        numbered: pairs of line number (1-based) and text, by number.
    """

    def __init__(self, numbered: Iterable[tuple[int, str]]) -> None:
        pairs = list(numbered)
        self._numbers = [number for number, _ in pairs]
        self._texts = [text for _, text in pairs]

    def __len__(self) -> int:
        return self._numbers[-1] if self._numbers else 0

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, int):
            place = range(len(self))[index]
            return "".join(self[place : place + 1])
        start, stop, _ = index.indices(len(self))
        first, last = (bisect.bisect_left(self._numbers, at + 1) for at in (start, max(start, stop)))
        return self._texts[first:last]
