"""The views of the dashboard in Postgres, from counts that were made ahead."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from bot.adapters import rollup_counts
from bot.adapters.dashboard_changes import changes
from bot.adapters.dashboard_comments import comments
from bot.adapters.dashboard_gate import expiring
from bot.adapters.dashboard_reviews import health, review, reviews
from bot.adapters.muted_postgres import muted
from bot.adapters.postgres import translated
from bot.adapters.rollup_spans import VALUES, Span, span_of
from bot.domain.buckets import exact_spread, spread
from bot.domain.comment_lines import ALL_REVIEWS, Became, Comments, Picked
from bot.domain.dashboard import (
    Acceptance,
    AcceptanceRow,
    Dimension,
    Filters,
    Flow,
    Funnel,
    Gate,
    Grain,
    Mutes,
    Noise,
    NoiseRow,
    Point,
    TimeSeries,
    TooSlow,
)
from bot.domain.dashboard_counts import labels_of, overview, points
from bot.domain.dashboard_measures import Overview
from bot.domain.dashboard_query import window_before
from bot.domain.review_detail import Cursor, Health, ReviewDetail, Reviews
from bot.domain.review_fact import Reason
from bot.domain.viewer import Reach
from bot.ports import Clock

#: A view that takes longer is given up: the page says so, and the database is free for reviews.
_LIMIT_S = 3.0
#: Views use what two cores can do, and leave connections to webhooks.
_AT_ONCE = 2
#: So many rows of a dimension are shown, those with the most comments.
_MOST_ROWS = 100
_MOST_NOISE = 20
#: So many mutes go with the most rejected rules; all of them are a list of their own.
_MOST_MUTES = 100

_RESTORED = (Dimension.model, Dimension.prompt_version)

_AS_OF = "SELECT coalesce((SELECT min(since) FROM rollup_due), now()) WHERE EXISTS (SELECT FROM rollup)"


class PostgresDashboard:
    """Implement the port on a pool of connections.

    Args:
        pool: where connections come from; views never take more than two of them.
        instance: the GitLab whose projects are shown.
        clock: says what is recent.
        limit_s: what a statement of a view may take.
    """

    def __init__(self, pool: Any, instance: str, clock: Clock, *, limit_s: float = _LIMIT_S) -> None:
        self._pool = pool
        self._instance = instance
        self._clock = clock
        self._limit_s = limit_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def overview(self, filters: Filters) -> Overview:
        """Return the tiles; see the port."""
        async with self._reading() as connection:
            windows = []
            for one in (filters, window_before(filters)):
                span = await span_of(connection, self._instance, one)
                totals = await rollup_counts.totals(connection, span)
                first = await rollup_counts.buckets(connection, span, "first_comment")
                windows.append((totals, spread(first.get("first_comment", {}))))
            as_of = await connection.fetchval(_AS_OF)
        return overview(*windows, as_of=as_of)

    async def funnel(self, filters: Filters) -> Funnel:
        """Return what became of findings; see the port."""
        async with self._reading() as connection:
            span = await span_of(connection, self._instance, filters)
            totals = await rollup_counts.totals(connection, span)
            found = await rollup_counts.buckets(connection, span, *(f"reason:{reason}" for reason in Reason))
        counts = {what: cases.get(0, 0) for what, cases in found.items()}
        labels = labels_of(totals)
        return Funnel(
            generated=totals["generated"],
            filtered=tuple(
                (reason, counts[f"reason:{reason}"]) for reason in Reason if f"reason:{reason}" in counts
            ),
            posted=totals["posted"],
            comments=labels.comments,
            acted_on=labels.accepted_strong + labels.accepted_weak,
            suggested=totals["suggested"],
            applied=totals["applied"],
        )

    async def acceptance(self, filters: Filters, dimension: Dimension) -> Acceptance:
        """Return acceptance by *dimension*; see the port."""
        async with self._reading() as connection:
            span = await span_of(connection, self._instance, filters)
            found = await rollup_counts.by_value(connection, span, VALUES[dimension])
        rows = [
            AcceptanceRow(row["value"], labels_of(row), row["downvoted"])
            for row in found
            if row["value"] or dimension not in _RESTORED
        ]
        rows.sort(key=lambda row: (-row.labels.comments, row.value))
        shown = sorted(
            rows[:_MOST_ROWS],
            key=lambda row: (-row.labels.strict.interval[0], -row.labels.decided, row.value),
        )
        return Acceptance(dimension, tuple(shown), left_out=max(0, len(rows) - _MOST_ROWS))

    async def time_series(self, filters: Filters, grain: Grain) -> TimeSeries:
        """Return days or weeks; see the port."""
        async with self._reading() as connection:
            span = await span_of(connection, self._instance, filters)
            days = await rollup_counts.by_day(connection, span)
            markers = await changes(connection, span)
        today = self._clock.now().date()
        shown: tuple[Point, ...] = points(filters, grain, days, today=today)
        return TimeSeries(grain, shown, markers)

    async def noise(self, filters: Filters) -> Noise:
        """Return the most rejected rules; see the port."""
        async with self._reading() as connection:
            span = await span_of(connection, self._instance, filters)
            found = [
                row
                for row in await rollup_counts.by_value(connection, span, "k.rule", "k.scanner")
                if row["rejected_strong"]
            ]
            found.sort(key=_noisiest_first)
            shown = found[:_MOST_NOISE]
            samples = await rollup_counts.samples(connection, span, shown)
            quiet = await muted(connection, self._instance, filters, self._clock.now(), limit=_MOST_MUTES)
        rows = [
            NoiseRow(
                row["scanner"],
                row["value"],
                labels_of(row),
                row["downvoted"],
                samples.get((row["scanner"], row["value"]), ()),
            )
            for row in shown
        ]
        return Noise(tuple(rows), quiet)

    async def mutes(self, filters: Filters, *, after: Cursor | None = None, limit: int = 50) -> Mutes:
        """Return a page of what is muted; see the port."""
        async with self._reading() as connection:
            return await muted(
                connection, self._instance, filters, self._clock.now(), after=after, limit=limit
            )

    async def flow(self, filters: Filters) -> Flow:
        """Return how long things took; see the port."""
        async with self._reading() as connection:
            span = await span_of(connection, self._instance, filters)
            found = await rollup_counts.buckets(
                connection, span, "first_comment", "resolve", "merge", "rounds"
            )
        return Flow(
            first_comment=spread(found.get("first_comment", {})),
            resolve=spread(found.get("resolve", {})),
            merge=spread(found.get("merge", {})),
            rounds=exact_spread(found.get("rounds", {})),
        )

    async def gate(self, filters: Filters) -> Gate:
        """Return what the gate did; see the port."""
        async with self._reading() as connection:
            span = await span_of(connection, self._instance, filters)
            totals = await rollup_counts.totals(connection, span)
            ending = await expiring(connection, self._instance, filters, self._clock.now().date())
        return Gate(
            totals["reviews"], totals["blocked"], totals["undecided"], totals["waived"], expiring=ending
        )

    async def comments(
        self,
        filters: Filters,
        *,
        became: Became | None = None,
        after: Cursor | None = None,
        limit: int = 50,
    ) -> Comments:
        """Return a page of comments; see the port."""
        async with self._reading() as connection:
            return await comments(connection, self._instance, filters, became, after, limit)

    async def reviews(
        self,
        filters: Filters,
        *,
        picked: Picked = ALL_REVIEWS,
        after: Cursor | None = None,
        limit: int = 50,
        newest: bool = False,
    ) -> Reviews:
        """Return a page of reviews; see the port."""
        async with self._reading() as connection:
            return await reviews(connection, self._instance, filters, picked, after, limit, newest=newest)

    async def review(self, run_id: uuid.UUID, reach: Reach) -> ReviewDetail | None:
        """Return one review; see the port."""
        async with self._reading() as connection:
            return await review(connection, self._instance, run_id, reach)

    async def health(self) -> Health:
        """Return the state of the service; see the port."""
        async with self._reading() as connection:
            span = Span(self._clock.now().date() - timedelta(days=90), self._clock.now().date(), None)
            return await health(connection, labels_of(await rollup_counts.totals(connection, span)))

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Any]:
        """Lend a connection whose reads see one state, and are planned for the filters that they have."""
        async with (
            self._turns,
            translated(),
            self._in_time(),
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(
                f"SET LOCAL statement_timeout = {round(self._limit_s * 1000)}; SET LOCAL plan_cache_mode = force_custom_plan;"
                " SET LOCAL jit = off"
            )
            yield connection

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            yield
        except asyncpg.QueryCanceledError as error:
            raise TooSlow(
                f"this view took longer than {self._limit_s:g} s: choose fewer days, a group or a project"
            ) from error


def _noisiest_first(row: Any) -> tuple[float, int, str]:
    rejected = labels_of(row).rejected
    return -rejected.interval[0], -rejected.count, row["value"]
