"""Distributions as counts in buckets that grow by a fifth: they can be added up, and give percentiles.

A bucket's geometric middle is off by a tenth at most, whatever the size of the value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bot.domain.dashboard import Spread

#: Each bucket reaches so many times as far as the one before; `bot.adapters.rollup_sql` counts by it.
GROWTH = 1.2


def bucket(value: float) -> int:
    """Return the bucket of *value*; all up to 1 are in the first."""
    return math.ceil(math.log(max(value, 1.0)) / math.log(GROWTH))


def middle(number: int) -> float:
    """Return the value that stands for a bucket."""
    return 1.0 if number <= 0 else GROWTH ** (number - 0.5)


def spread(counts: Mapping[int, int]) -> Spread:
    """Return the distribution of durations, in seconds, that were counted by bucket."""
    return _spread({middle(number): cases for number, cases in counts.items()})


def exact_spread(counts: Mapping[int, int]) -> Spread:
    """Return the distribution of whole numbers, counted one by one."""
    return _spread({float(number): cases for number, cases in counts.items()})


def _spread(counts: Mapping[float, int]) -> Spread:
    total = sum(counts.values())
    if total == 0:
        return Spread(0)
    return Spread(total, _percentile(counts, 0.5), _percentile(counts, 0.95))


def _percentile(counts: Mapping[float, int], share: float) -> float:
    """Return the smallest value that is not below *share* of all."""
    rank, seen = math.ceil(share * sum(counts.values())), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    raise AssertionError  # pragma: no cover - the last value is not below all
