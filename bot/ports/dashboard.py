"""What dashboards read: counts that were made ahead, and single reviews."""

from __future__ import annotations

import uuid
from typing import Protocol

from bot.domain.comment_lines import ALL_REVIEWS, Became, Comments, Picked
from bot.domain.dashboard import (
    Acceptance,
    Dimension,
    Filters,
    Flow,
    Funnel,
    Gate,
    Grain,
    Mutes,
    Noise,
    TimeSeries,
)
from bot.domain.dashboard_measures import Overview
from bot.domain.review_detail import Cursor, Health, ReviewDetail, Reviews
from bot.domain.viewer import Reach


class Dashboard(Protocol):
    """Answer every view; nothing of a project outside of ``filters.visible`` is in any answer, own reviews aside.

    Every method raises ``Transient`` when the store is out of reach, or too busy to answer in time.
    """

    async def overview(self, filters: Filters) -> Overview:
        """Return the tiles, each with what it was in the window before."""

    async def funnel(self, filters: Filters) -> Funnel:
        """Return what became of what was found."""

    async def acceptance(self, filters: Filters, dimension: Dimension) -> Acceptance:
        """Return how many comments were accepted, by *dimension*."""

    async def time_series(self, filters: Filters, grain: Grain) -> TimeSeries:
        """Return a point for each day or week, and what changed on our side."""

    async def noise(self, filters: Filters) -> Noise:
        """Return the rules that people reject most, and what is muted and ends first."""

    async def mutes(self, filters: Filters, *, after: Cursor | None = None, limit: int = 50) -> Mutes:
        """Return a page of what is muted now, what ends first; the days of *filters* do not matter."""

    async def flow(self, filters: Filters) -> Flow:
        """Return how long things took."""

    async def gate(self, filters: Filters) -> Gate:
        """Return what the gate did, and which waivers end soon."""

    async def comments(
        self,
        filters: Filters,
        *,
        became: Became | None = None,
        after: Cursor | None = None,
        limit: int = 50,
    ) -> Comments:
        """Return a page of comments, or of those of which *became* holds, the newest first.

        These are the comments that the other views count, as of when they were counted.
        """

    async def reviews(
        self,
        filters: Filters,
        *,
        picked: Picked = ALL_REVIEWS,
        after: Cursor | None = None,
        limit: int = 50,
        newest: bool = False,
    ) -> Reviews:
        """Return a page of reviews, the newest first: of visible projects, and of ``filters.own`` merge requests.

        Only those that are *picked* are on it.

        With *newest* only the last one of each of the own merge requests.
        """

    async def review(self, run_id: uuid.UUID, reach: Reach) -> ReviewDetail | None:
        """Return one review, None where there is none or *reach* does not cover it."""

    async def health(self) -> Health:
        """Return the state of the service, for operators."""
