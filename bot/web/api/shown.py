"""What views answer, field by field; the document of the API is made from it."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field

from bot.domain.dashboard import Change, Dimension, Grain
from bot.domain.dashboard_measures import DEFINITIONS, Counted, Measure
from bot.domain.review_fact import Reason

NEXT = "The address of the next page; null at the end."


class Shown(BaseModel):
    """Base of answers, which are made from the values of the same names."""

    model_config = ConfigDict(from_attributes=True)


class Share(Shown):
    """So many of so many, with the 95 % interval of Wilson; no value where there was nothing to count."""

    count: int
    of: int
    value: float | None
    low: float = Field(validation_alias=AliasPath("interval", 0))
    high: float = Field(validation_alias=AliasPath("interval", 1))


class Labels(Shown):
    """How many comments have which label, and the shares that follow; `few` says that they say little."""

    accepted_strong: int
    accepted_weak: int
    rejected_strong: int
    unknown: int
    censored: int
    comments: int
    decided: int
    strict: Share
    weak: Share
    adopted: Share
    rejected: Share
    few: bool


class Tile(Shown):
    """One figure, on how many cases it rests, and what it was in the window before."""

    measure: Measure
    meaning: Annotated[str, BeforeValidator(DEFINITIONS.__getitem__)] = Field(
        validation_alias=AliasPath("measure")
    )
    counted: Counted
    value: float | None
    n: int
    before: float | None
    before_n: int
    delta: float | None
    few: bool
    share: Share | None


class Overview(Shown):
    """All figures; `as_of` is until when everything is counted, null where nothing was yet."""

    tiles: list[Tile]
    as_of: datetime | None


def _pair(value: Any) -> Any:
    return {"reason": value[0], "count": value[1]} if isinstance(value, tuple) else value


class Filtered(Shown):
    """How many findings were not posted for a reason."""

    reason: Reason
    count: int


class Funnel(Shown):
    """What became of findings: all that were generated were posted or filtered, whatever they were about.

    The rest is of comments posted, as far as filters choose them.
    """

    generated: int
    filtered: list[Annotated[Filtered, BeforeValidator(_pair)]]
    posted: int
    comments: int
    acted_on: int
    suggested: int
    applied: int


class Count(Shown):
    """One number of a view, by its name."""

    name: str
    count: int


class AcceptanceRow(Shown):
    """Comments that are alike in what they were told apart by."""

    value: str
    labels: Labels
    downvoted: int


class Acceptance(Shown):
    """Acceptance by one dimension, by the lower bound of the strict share; rows with few comments may be left out."""

    dimension: Dimension
    rows: list[AcceptanceRow]
    left_out: int


class Point(Shown):
    """A day or a week; the shares of a `recent` one will still rise."""

    starts: date
    labels: Labels
    downvoted: int
    reviews: int
    recent: bool


class Marker(Shown):
    """A day on which reviews with another model, prompt or release began."""

    on: date
    change: Change
    value: str


class Series(Shown):
    """A point for every day or week, and what changed on our side in between."""

    grain: Grain
    points: list[Point]
    markers: list[Marker]


class NoiseRow(Shown):
    """A rule that people reject, and some comments of it that they did."""

    scanner: str
    rule: str
    labels: Labels
    downvoted: int
    samples: list[uuid.UUID]


class Muted(Shown):
    """What is not said in a project, or in all below a group, until a day, and why."""

    id: uuid.UUID
    project_id: int | None
    group: str
    rule: str
    category: str
    why: str
    since: datetime
    until: datetime
    automatic: bool


class Noise(Shown):
    """The rules that people reject most, and of what is muted that which ends first; `mutes` lists all of it."""

    rows: list[NoiseRow]
    muted: list[Muted] = Field(validation_alias=AliasPath("mutes", "lines"))
    muted_count: int = Field(validation_alias=AliasPath("mutes", "count"))


class Mutes(Shown):
    """A page of what is muted, what ends first."""

    mutes: list[Muted]
    next: str | None = Field(description=NEXT)


class Spread(Shown):
    """The median and the 95th percentile of `n` cases, off by a tenth at most; none where there are no cases."""

    n: int
    p50: float | None
    p95: float | None


class Flow(Shown):
    """How long things took, in seconds; `rounds` are reviews of a merge request that was merged."""

    first_comment: Spread
    resolve: Spread
    merge: Spread
    rounds: Spread


class NamedSpread(Spread):
    """One distribution of a view, by its name."""

    name: str


class Expiring(Shown):
    """A waiver in force that ends within two weeks."""

    id: uuid.UUID
    project_id: int = Field(validation_alias=AliasPath("ref", "project_id"))
    iid: int = Field(validation_alias=AliasPath("ref", "iid"))
    rule: str
    reason: str
    until: date


class Gate(Shown):
    """What the gate did with reviews; what is undecided stops a merge request too."""

    reviews: int
    blocked: int
    undecided: int
    waived: int
    expiring: list[Expiring]
