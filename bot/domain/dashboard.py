"""What dashboards show: one type for each view, and the filters that choose what is counted.

Days are those of UTC. A comment counts on the day on which it was posted, a review on the day on which it began, a
merge request on that of its first review. Names, titles and paths are hostile text. Nothing here names a person.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.domain.errors import Transient
from bot.domain.evaluation.intervals import Share
from bot.domain.merge_request import MergeRequestRef
from bot.domain.review_detail import Cursor
from bot.domain.review_fact import Reason
from bot.domain.viewer import Own

#: Below so many cases a share says little: shown in grey, and not compared.
FEW = 20
#: People have not had the time to act on what is younger: its shares will still rise.
RECENT = timedelta(days=7)


class TooSlow(Transient):
    """Say that a view was given up because it took too long: fewer days or projects take less."""


class Dimension(enum.StrEnum):
    """By what comments can be told apart; ``model`` is its name and digest."""

    category = "category"
    rule = "rule"
    severity = "severity"
    scanner = "scanner"
    language = "language"
    model = "model"
    prompt_version = "prompt_version"


@dataclass(frozen=True, slots=True)
class Filters:
    """Choose what is counted: ``since`` and ``until`` are the first and the last day.

    ``visible`` are the projects that the viewer oversees, None for all; no filter reaches beyond them. Lists of reviews
    have those of ``own`` merge requests besides. ``group`` is the path of a group, and stands for all below it. ``only`` holds comments to one value of a dimension; views that
    count reviews leave it aside (see `bot.domain.dashboard_measures.Counted`).
    """

    visible: frozenset[int] | None
    since: date
    until: date
    project_id: int | None = None
    group: str = ""
    only: Mapping[Dimension, str] = field(default_factory=dict)
    own: Own | None = None

    @property
    def days(self) -> int:
        """Return how many days are counted."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """Return the first and the last day of the window of the same length before this one."""
        return self.since - timedelta(days=self.days), self.since - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Funnel:
    """Hold what became of what was found: ``generated`` is ``posted`` and all that was ``filtered``.

    ``acted_on`` and ``applied`` are of the comments posted, ``suggested`` had a suggestion that could be applied.
    """

    generated: int
    filtered: tuple[tuple[Reason, int], ...]
    posted: int
    comments: int
    acted_on: int
    suggested: int
    applied: int


@dataclass(frozen=True, slots=True)
class Labels:
    """Hold how many comments have which label."""

    accepted_strong: int = 0
    accepted_weak: int = 0
    rejected_strong: int = 0
    unknown: int = 0
    censored: int = 0

    @property
    def decided(self) -> int:
        """Return how many comments people decided about."""
        return self.accepted_strong + self.accepted_weak + self.rejected_strong

    @property
    def comments(self) -> int:
        """Return how many comments there are."""
        return self.decided + self.unknown + self.censored

    @property
    def strict(self) -> Share:
        """Return what was certainly accepted, of what was decided."""
        return Share(self.accepted_strong, self.decided)

    @property
    def weak(self) -> Share:
        """Return what was probably accepted, of what was decided."""
        return Share(self.accepted_strong + self.accepted_weak, self.decided)

    @property
    def adopted(self) -> Share:
        """Return what was probably accepted, of all that could be: ignored comments count against it."""
        return Share(self.accepted_strong + self.accepted_weak, self.comments - self.censored)

    @property
    def rejected(self) -> Share:
        """Return what was rejected, of what was decided."""
        return Share(self.rejected_strong, self.decided)

    @property
    def few(self) -> bool:
        """Say whether too few were decided for a share to say much."""
        return self.decided < FEW


@dataclass(frozen=True, slots=True)
class AcceptanceRow:
    """Hold the labels of comments that have ``value`` in a dimension."""

    value: str
    labels: Labels
    downvoted: int = 0


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Hold the rows of a dimension, by the lower bound of strict acceptance, the highest first.

    ``left_out`` counts rows beyond the most that are shown: those with the fewest comments.
    """

    dimension: Dimension
    rows: tuple[AcceptanceRow, ...]
    left_out: int = 0


class Grain(enum.StrEnum):
    """The length of a point of a time series; weeks begin on Monday."""

    day = "day"
    week = "week"


class Change(enum.StrEnum):
    """What changed on our side."""

    model = "model"
    prompt = "prompt"
    release = "release"


@dataclass(frozen=True, slots=True)
class Marker:
    """Hold that reviews with another model, prompt or release began on a day."""

    on: date
    change: Change
    value: str


@dataclass(frozen=True, slots=True)
class Point:
    """Hold a day or a week; ``recent``: its shares will still rise, because people have not had time to act."""

    starts: date
    labels: Labels
    downvoted: int
    reviews: int
    recent: bool


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Hold a point for every day or week of the window, empty ones too, and what changed in between."""

    grain: Grain
    points: tuple[Point, ...]
    markers: tuple[Marker, ...] = ()


@dataclass(frozen=True, slots=True)
class NoiseRow:
    """Hold a rule that people reject; ``samples`` are ids of its rejected comments, the newest first."""

    scanner: str
    rule: str
    labels: Labels
    downvoted: int
    samples: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Muted:
    """Hold a rule or a category of a project, or of all projects below a group, that is not said for a time, and why."""

    id: uuid.UUID
    project_id: int | None
    rule: str
    category: str
    why: str
    since: datetime
    until: datetime
    automatic: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class Mutes:
    """Hold a page of what is muted, what ends first, and how much is muted in all.

    ``following`` is where the next page begins, None at the end.
    """

    lines: tuple[Muted, ...] = ()
    count: int = 0
    following: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """Hold the most rejected rules, by the lower bound of the share that was rejected, and what is muted first."""

    rows: tuple[NoiseRow, ...]
    mutes: Mutes = Mutes()


@dataclass(frozen=True, slots=True)
class Spread:
    """Hold a distribution: ``n`` cases, the median and the 95th percentile, in the unit of the figure.

    Percentiles come from buckets that grow by a fifth: they are off by a tenth at most.
    """

    n: int
    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """Hold how long things took, in seconds; ``rounds`` is how many reviews a merged merge request had."""

    first_comment: Spread
    resolve: Spread
    merge: Spread
    rounds: Spread


@dataclass(frozen=True, slots=True)
class Waived:
    """Hold a waiver that is in force and ends soon, with the day ``until``."""

    id: uuid.UUID
    ref: MergeRequestRef
    rule: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Gate:
    """Hold what the gate did: ``undecided`` could not be answered, which stops a merge request too."""

    reviews: int
    blocked: int
    undecided: int
    waived: int
    expiring: tuple[Waived, ...] = ()
