"""The ledger of what people did with our comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import Comment, Signal
from bot.domain.watching import Watch


@dataclass(frozen=True, slots=True)
class Placed:
    """Tell of a comment the thread that it has become, and whether its note offers a suggestion."""

    fingerprint: str
    discussion_id: str
    note_id: int
    had_suggestion: bool


@dataclass(frozen=True, slots=True)
class Due:
    """Name a merge request that it is time to look at; ``claimed_at`` tells this time from others."""

    ref: MergeRequestRef
    claimed_at: datetime


class Feedback(Protocol):
    """Keep comments and signals, which are only ever added, and remember when to look again.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def comments(self, ref: MergeRequestRef) -> list[Comment]:
        """Return our comments on *ref*, the oldest first."""

    async def signals(self, ref: MergeRequestRef) -> list[Signal]:
        """Return all signals of *ref*, in the order of their times."""

    async def kept_since(self) -> datetime:
        """Return when a comment must have been posted at the earliest for its signals to be kept.

        Older signals are gone, and such a comment gets no new ones. The same holds for a merge request, by when its
        watch began.
        """

    async def watch(self, ref: MergeRequestRef) -> Watch | None:
        """Return what is known of *ref*, None if it never had a comment of ours."""

    async def add(self, signals: Sequence[Signal]) -> list[Signal]:
        """Store *signals*, all or nothing, and return those that were new.

        One that is there already stays as it is. One of a comment or a merge request that the ledger does not know, or
        that is older than `kept_since`, is dropped.
        """

    async def looked(
        self,
        watch: Watch,
        *,
        again_at: datetime | None,
        signals: Sequence[Signal] = (),
        placed: Sequence[Placed] = (),
    ) -> list[Signal]:
        """Do as `add`, and remember in the same transaction what was seen and when to look again.

        Comments of *placed* that do not know their thread are told it.

        Something that was expected since the look was claimed brings the next one forward all the same.
        """

    async def expect(self, ref: MergeRequestRef, *, within: timedelta) -> bool:
        """Bring the next look forward to *within* from now at the latest; False where nothing is watched any more.

        The looks begin anew: from then on they become rarer again.
        """

    async def due(self, *, per_minute: int, lease: timedelta) -> list[Due]:
        """Claim what it is time to look at, for *lease*: of all who ask, one gets it.

        All processes together claim no more than *per_minute*.
        """

    async def hear(self, ref: MergeRequestRef) -> None:
        """Remember that hooks tell of reactions in the project of *ref*."""

    async def hears(self, ref: MergeRequestRef, *, within: timedelta) -> bool:
        """Say whether a hook has told of a reaction in the project of *ref* since *within* ago."""
