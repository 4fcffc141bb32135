"""The figures of the overview, and what each of them means: none is shown without that."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.dashboard import FEW
from bot.domain.evaluation.intervals import Share


class Counted(enum.StrEnum):
    """What a figure counts; only those of comments heed ``Filters.only``."""

    comments = "comments"
    reviews = "reviews"


class Measure(enum.StrEnum):
    """The figures of the overview; `DEFINITIONS` says what each means, and is shown with it."""

    acceptance = "acceptance"
    acceptance_weak = "acceptance_weak"
    downvoted = "downvoted"
    comments_per_merge_request = "comments_per_merge_request"
    silent = "silent"
    coverage = "coverage"
    first_comment_p50 = "first_comment_p50"
    first_comment_p95 = "first_comment_p95"
    open_criticals = "open_criticals"
    blocked = "blocked"
    waived = "waived"


#: Durations come from counts in buckets that grow by a fifth, so a percentile is off by a tenth at most.
DEFINITIONS: Mapping[Measure, str] = {
    Measure.acceptance: (
        "Comments whose suggestion was applied, or whose fix was confirmed, of those that people decided about."
        " Comments that nobody reacted to are not in it."
    ),
    Measure.acceptance_weak: (
        "As acceptance, and also comments whose lines changed afterwards, for whatever reason."
    ),
    Measure.downvoted: "Comments that somebody gave a thumbs-down, of all comments.",
    Measure.comments_per_merge_request: "Comments posted, by merge request reviewed.",
    Measure.silent: "Reviews that left no comment standing, of all reviews.",
    Measure.coverage: "Changed files that were read, of all changed files.",
    Measure.first_comment_p50: (
        "Seconds from the push to the first comment in half of the reviews that have one, give or take a tenth."
    ),
    Measure.first_comment_p95: (
        "Seconds from the push to the first comment in 95 of 100 reviews that have one, give or take a tenth."
    ),
    Measure.open_criticals: "Critical comments that still held when their merge request was merged.",
    Measure.blocked: "Reviews whose verdict stopped the merge request, of all reviews.",
    Measure.waived: "Reviews in which something that would have blocked was waived, of all reviews.",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """Hold a figure and what it was in the window before; None where nothing was counted.

    ``n`` is how many cases it rests on, ``share`` the counts where the figure is a share.
    """

    measure: Measure
    counted: Counted
    value: float | None
    n: int
    before: float | None
    before_n: int
    share: Share | None = None

    @property
    def delta(self) -> float | None:
        """Return by how much the figure changed."""
        return None if self.value is None or self.before is None else self.value - self.before

    @property
    def few(self) -> bool:
        """Say whether it rests on too few cases to be compared."""
        return min(self.n, self.before_n) < FEW


@dataclass(frozen=True, slots=True)
class Overview:
    """Hold the tiles; ``as_of`` is until when everything is counted, None where nothing was counted yet."""

    tiles: tuple[Tile, ...]
    as_of: datetime | None = None
