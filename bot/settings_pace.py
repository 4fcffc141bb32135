"""How much is done at a time, how long reviews wait, and how often GitLab is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.settings_types import IgnoreCase

Concurrency = Annotated[
    int, Field(ge=1, le=256, description="Merge requests in flight at a time, per stage.", examples=[4])
]
DebounceS = Annotated[
    int,
    Field(
        ge=0,
        le=600,
        description="Seconds that a push waits for the next one, if it follows another that closely.",
        examples=[10],
    ),
]
ReviewDeadlineS = Annotated[
    int,
    Field(ge=30, le=86400, description="Seconds after which a review publishes what it has.", examples=[900]),
]
Reconcile = Annotated[
    Literal["known", "member", "off"],
    IgnoreCase,
    Field(
        description="Projects to search for lost webhooks: `known` by earlier ones, all where we are `member`, `off`.",
        examples=["member"],
    ),
]
FeedbackPerMinute = Annotated[
    int,
    Field(
        ge=0,
        le=6000,
        description="Merge requests looked at per minute for what people did with our comments; 0: none.",
        examples=[20],
    ),
]
