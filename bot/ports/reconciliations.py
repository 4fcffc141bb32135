"""What is remembered for comparing the forge with the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.merge_request import MergeRequestRef
from bot.domain.missed import Known


class Turn(Protocol):
    """Hold the right to make a pass of the reconciler, for as long as it was lent."""

    @property
    def updated_after(self) -> datetime:
        """Return the cursor: everything updated before it was compared."""

    async def move(self, updated_after: datetime, *, pause: timedelta) -> None:
        """Move the cursor, and let nobody else make a pass for *pause*; this turn goes on meanwhile.

        Raises:
            Obsolete: it had been over, and somebody else has his turn; the cursor stays.
        """


class Reconciliations(Protocol):
    """Remember how far the forge was compared with the store, and what the store knows.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def claim(self, instance: str, *, lease: timedelta, first: timedelta) -> Turn | None:
        """Return a turn of *lease*, None while no pass is due; of all who ask, one gets it.

        The first cursor is *first* ago. No clock but the store's counts.
        """

    async def known_projects(self, instance: str, projects: Collection[int]) -> frozenset[int]:
        """Return those of *projects* that ever had an event."""

    async def known(self, refs: Sequence[MergeRequestRef]) -> Mapping[MergeRequestRef, Known]:
        """Return what is known of those of *refs* that ever had an event."""
