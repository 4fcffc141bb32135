"""How many tokens a text has, learned from what the model server counted."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

#: Bytes per token that estimates may assume. Code in most vocabularies has 3 to 4, dense code less, so the first holds
#: for most models. There are few, and none for sparser text, because prompts are cut by estimates: with others they
#: would come out differently each time, and neither a server nor a cache would know any of them again.
_STEPS: Final = (2.5, 2.0, 1.5, 1.0)
_DENSEST: Final = _STEPS[-1]
#: No prompt of prose or code has more bytes per token.
_SPARSEST: Final = 6.0
_MARGIN: Final = 0.9
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
        seen = min(self._ratios, default=_SPARSEST) * _MARGIN
        return math.ceil(_size(text) / next((step for step in _STEPS if step <= seen), _DENSEST))

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
