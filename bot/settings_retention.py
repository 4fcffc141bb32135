"""How long what people did with comments is kept."""

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


DropFeedbackAfterDays = Annotated[
    int | Literal["never"],
    BeforeValidator(_days),
    Field(
        description="Days after which the raw record of what people did with comments goes, month by month, or `never`;"
        f" labels and counts stay. From {LEAST_DAYS}.",
        examples=[1095],
    ),
]
