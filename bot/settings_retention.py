"""How long what people did with comments is kept, and what reviews were on the inside."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

#: Below it labels would still change: lines that change within 30 days after the merge count.
LEAST_DAYS: Final = 90
_MOST_DAYS: Final = 36_500


def _days(value: object) -> object:
    text = str(value).strip().lower()
    if text == "never":
        return text
    if re.fullmatch(r"[0-9]{1,5}", text) and LEAST_DAYS <= int(text) <= _MOST_DAYS:
        return int(text)
    msg = f"must be a number of days from {LEAST_DAYS} to {_MOST_DAYS}, or never"
    raise ValueError(msg)


def number(days: int | Literal["never"]) -> int | None:
    """Return how many *days* they are, None for never."""
    return None if days == "never" else days


_Days = Annotated[int | Literal["never"], BeforeValidator(_days)]

DropFeedbackAfterDays = Annotated[
    _Days,
    Field(
        description="Days after which the raw record of what people did with comments goes, month by month, or `never`;"
        f" labels and counts stay. From {LEAST_DAYS}.",
        examples=[1095],
    ),
]

DropReviewsAfterDays = Annotated[
    _Days,
    Field(
        description="Days after which reviews of closed merge requests go from the inside, or `never`: findings, verdicts"
        f" and model calls; what they came to stays, as all of it does while its raw feedback is kept. From {LEAST_DAYS}.",
        examples=[1095],
    ),
]
