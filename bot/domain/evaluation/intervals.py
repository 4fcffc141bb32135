"""How much a share that was counted on few cases can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Two-sided 95 % of the normal distribution.
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """Hold how many of how many; ``value`` is None where there was nothing to count."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """Return the share."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % score interval of Wilson, which is honest for few cases and for shares near 0 and 1."""
        if not self.of:
            return 0.0, 1.0
        share, square = self.count / self.of, _Z * _Z / self.of
        middle = (share + square / 2) / (1 + square)
        half = _Z * math.sqrt(share * (1 - share) / self.of + square / (4 * self.of)) / (1 + square)
        low = 0.0 if self.count == 0 else max(0.0, middle - half)
        high = 1.0 if self.count == self.of else min(1.0, middle + half)
        return low, high


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold by how much a share changed, with the 95 % interval that Newcombe made of Wilson's two."""

    old: Share
    new: Share

    @property
    def value(self) -> float | None:
        """Return new minus old, None where either is unknown."""
        if self.old.value is None or self.new.value is None:
            return None
        return self.new.value - self.old.value

    @property
    def interval(self) -> tuple[float, float]:
        """Return between what the difference probably lies."""
        if self.old.value is None or self.new.value is None:
            return -1.0, 1.0
        (old_low, old_high), (new_low, new_high) = self.old.interval, self.new.interval
        difference = self.new.value - self.old.value
        down = math.hypot(self.new.value - new_low, old_high - self.old.value)
        up = math.hypot(new_high - self.new.value, self.old.value - old_low)
        return max(-1.0, difference - down), min(1.0, difference + up)

    @property
    def clear(self) -> bool:
        """Say whether the difference is more than chance explains."""
        low, high = self.interval
        return self.value is not None and (low > 0 or high < 0)
