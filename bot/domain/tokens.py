"""How many tokens a text has, learned from what the model server counted."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

#: Before anything is learned: code in most vocabularies has 3 to 4 bytes per token, dense code less.
_FIRST_BYTES_PER_TOKEN: Final = 2.5
#: Estimates never assume fewer or more tokens than these, whatever was learned.
_DENSEST: Final = 1.0
_SPARSEST_TRUSTED: Final = 3.5
#: No prompt of prose or code has more bytes per token.
_SPARSEST: Final = 6.0
_MARGIN: Final = 0.8
_SPREAD: Final = 1.5
#: In short prompts the chat template counts for too much.
_TELLING_BYTES: Final = 1_000
_SHORTFALL: Final = 0.9


class TokenGauge:
    """Estimate tokens from bytes; one gauge per model."""

    def __init__(self) -> None:
        self._ratios: deque[float] = deque(maxlen=64)

    def estimate(self, text: str) -> int:
        """Return a cautious count of the tokens in *text*: rather too many than too few."""
        ratio = min(self._ratios, default=_FIRST_BYTES_PER_TOKEN / _MARGIN) * _MARGIN
        return math.ceil(_size(text) / min(max(ratio, _DENSEST), _SPARSEST_TRUSTED))

    def least(self, text: str) -> int:
        """Return how many tokens *text* has at the very least."""
        ratio = max(self._ratios, default=_SPARSEST) * _SPREAD
        return math.floor(_SHORTFALL * _size(text) / min(ratio, _SPARSEST))

    def learn(self, text: str, tokens: int) -> None:
        """Remember that the server counted *tokens* in *text*; implausible counts are ignored."""
        size = _size(text)
        if size >= _TELLING_BYTES and tokens > 0 and _DENSEST / 2 <= size / tokens <= _SPARSEST:
            self._ratios.append(size / tokens)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
