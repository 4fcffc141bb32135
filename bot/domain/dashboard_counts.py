"""Counts of a window as the figures that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from bot.domain.dashboard import RECENT, Filters, Grain, Labels, Point, Spread
from bot.domain.dashboard_measures import Counted, Measure, Overview, Tile
from bot.domain.evaluation.intervals import Share

Counts = Mapping[str, int]
#: The names of labels, as counts have them.
LABELS = ("accepted_strong", "accepted_weak", "rejected_strong", "unknown", "censored")


def labels_of(counts: Counts) -> Labels:
    """Return the labels among *counts*."""
    return Labels(**{name: counts.get(name, 0) for name in LABELS})


def overview(now: tuple[Counts, Spread], then: tuple[Counts, Spread], *, as_of: datetime | None) -> Overview:
    """Return the tiles of a window, and what they were in the one before."""
    return Overview(
        tuple(
            Tile(measure, counted, value, n, before, before_n, share)
            for (measure, counted, value, n, share), (_, _, before, before_n, _) in zip(
                _figures(*now), _figures(*then), strict=True
            )
        ),
        as_of,
    )


_Figure = tuple[Measure, Counted, float | None, int, Share | None]


def _figures(counts: Counts, first: Spread) -> Iterator[_Figure]:
    labels = labels_of(counts)
    reviews, comments = counts["reviews"], labels.comments
    shares = (
        (Measure.acceptance, Counted.comments, labels.strict),
        (Measure.acceptance_weak, Counted.comments, labels.weak),
        (Measure.downvoted, Counted.comments, Share(counts["downvoted"], comments)),
        (Measure.silent, Counted.reviews, Share(counts["silent"], reviews)),
        (Measure.coverage, Counted.reviews, Share(counts["files_read"], counts["files"])),
        (Measure.blocked, Counted.reviews, Share(counts["blocked"], reviews)),
        (Measure.waived, Counted.reviews, Share(counts["waived"], reviews)),
    )
    for measure, counted, share in shares:
        yield measure, counted, share.value, share.of, share
    merge_requests = counts["merge_requests"]
    each = counts["posted"] / merge_requests if merge_requests else None
    yield Measure.comments_per_merge_request, Counted.reviews, each, merge_requests, None
    yield Measure.first_comment_p50, Counted.reviews, first.p50, first.n, None
    yield Measure.first_comment_p95, Counted.reviews, first.p95, first.n, None
    left = counts["open_criticals"]
    yield Measure.open_criticals, Counted.comments, float(left) if comments else None, comments, None


def points(filters: Filters, grain: Grain, days: Mapping[date, Counts], *, today: date) -> tuple[Point, ...]:
    """Return a point for each day or week of the window; a week at its edge holds only what is within."""
    length = timedelta(days=7 if grain is Grain.week else 1)
    found: dict[date, dict[str, int]] = {}
    for number in range(filters.days):
        day = filters.since + timedelta(days=number)
        starts = day - timedelta(days=day.weekday()) if grain is Grain.week else day
        point = found.setdefault(starts, {})
        for name, count in days.get(day, {}).items():
            if name != "starts":
                point[name] = point.get(name, 0) + count
    return tuple(
        Point(
            starts,
            labels_of(counts),
            counts.get("downvoted", 0),
            counts.get("reviews", 0),
            recent=starts + length > today - RECENT,
        )
        for starts, counts in found.items()
    )
