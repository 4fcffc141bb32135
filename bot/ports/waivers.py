"""What is remembered of waivers."""

from __future__ import annotations

from typing import Protocol

from bot.domain.merge_request import MergeRequestRef
from bot.domain.waivers import Waiver


class WaiverBook(Protocol):
    """Read waivers; their steps are written in the transaction that ends an event, and never changed.

    Raises ``Transient`` when the store is out of reach.
    """

    async def of(self, ref: MergeRequestRef) -> list[Waiver]:
        """Return the waivers of *ref*, all of them, and those of the project that have not ended, the oldest first."""
