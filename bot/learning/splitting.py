"""Divide rows into those to learn from and those to be examined on, so that no answer is known beforehand.

Merge requests are never divided, and later ones examine what was learned from earlier ones. What is nearly the same as
something learned is no examination, so it is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Final

from bot.domain.likeness import NEAR, NearDuplicates, Shingles, shapes, shingles
from bot.learning.rows import Row

TRAIN, VALIDATION, TEST = "train", "validation", "test"
#: Shares of the rows, as near as whole merge requests allow.
_SHARES: Final = {TRAIN: 0.8, VALIDATION: 0.1, TEST: 0.1}

#: What is compared of a comment, see `_sets`.
_COMPARED: Final = 5

#: Of a text that was learned: its part, and its number in it.
_Key = tuple[str, int]


@dataclass
class Split:
    """Hold the rows of each part in their order, from when on the later parts begin, and what was left out."""

    parts: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in _SHARES})
    begins: dict[str, datetime] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def split(rows: Sequence[Row]) -> Split:
    """Return *rows* divided by merge request, and these by the time of their merge.

    Merge requests of the same moment stay together. Near duplicates of rows in an earlier part are left out, and so
    are rows that say the same as one before them in their own part.
    """
    found = Split()
    sizes = Counter(row.merged_at for row in rows)
    part_of: dict[datetime, str] = {}
    limits = list(accumulate(_SHARES.values()))
    seen = 0
    for moment in sorted(sizes):
        # A moment belongs where its middle lies.
        middle = (seen + sizes[moment] / 2) / len(rows)
        part = next((name for name, limit in zip(_SHARES, limits, strict=True) if middle < limit), TEST)
        part_of[moment] = part
        found.begins.setdefault(part, moment)
        seen += sizes[moment]
    _fill(found, rows, part_of)
    return found


def _fill(found: Split, rows: Sequence[Row], part_of: dict[datetime, str]) -> None:
    learned: list[NearDuplicates[_Key]] = [NearDuplicates(NEAR) for _ in range(_COMPARED)]
    for name, kept in found.parts.items():
        told: set[str] = set()
        texts: list[tuple[Shingles, ...]] = []
        for row in rows:
            if part_of[row.merged_at] != name:
                continue
            # One by one: a row of two comments is not like a row of one of them, and yet it gives that one away.
            sets = list(_sets(row))
            if row.digest in told:
                found.left_out["the same as another row"] += 1
            elif any(_known(learned, all_of_it) for all_of_it in sets):
                found.left_out[f"nearly the same as a row before {name}"] += 1
            else:
                told.add(row.digest)
                kept.append(row)
                texts += sets
        # Only now: rows of one part may be alike.
        for number, all_of_it in enumerate(texts):
            for index, one in zip(learned, all_of_it, strict=True):
                index.add((name, number), one)


def _sets(row: Row) -> Iterator[tuple[Shingles, ...]]:
    """Yield what is compared of each comment: code, words and question as they read, and the code under any names."""
    for code, words, asked in row.compared:
        yield shingles(code), shingles(words), shingles(asked), shapes(code), shapes(asked)


def _known(learned: Sequence[NearDuplicates[_Key]], all_of_it: Sequence[Shingles]) -> bool:
    return any(index.like(one) is not None for index, one in zip(learned, all_of_it, strict=True))
