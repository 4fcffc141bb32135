"""The events, each in one typed list with the stage that consumes it.

Events carry ids, never code: content lives in the database and in the git mirror. Ids are
deterministic, so a repeat of a stage emits the same events and the inbox collapses them.
"""

from __future__ import annotations

from bot.domain.events.base import NAMESPACE, Event, MergeRequestEvent, Stage, delivery_id, event_id
from bot.domain.events.feedback import (
    CommandTaken,
    CommentPosted,
    FeedbackDue,
    FeedbackExpected,
    ReactionChanged,
)
from bot.domain.events.gate import BranchPipelineSeen, PipelineSeen, VerdictOutdated, WaiverRequested
from bot.domain.events.record import (
    EVENTS,
    UNREADABLE,
    UNREADABLE_LIMIT_BYTES,
    Record,
    UnknownEvent,
    Unreadable,
)
from bot.domain.events.reviews import (
    Action,
    DeadlineReached,
    FetchRequested,
    MergeRequestChanged,
    PublishRequested,
    ReportRequested,
    ReviewRequested,
    ScanRequested,
    StepFinished,
    TestsRequested,
    VerifyRequested,
)

__all__ = [
    "EVENTS",
    "NAMESPACE",
    "UNREADABLE",
    "UNREADABLE_LIMIT_BYTES",
    "Action",
    "BranchPipelineSeen",
    "CommandTaken",
    "CommentPosted",
    "DeadlineReached",
    "Event",
    "FeedbackDue",
    "FeedbackExpected",
    "FetchRequested",
    "MergeRequestChanged",
    "MergeRequestEvent",
    "PipelineSeen",
    "PublishRequested",
    "ReactionChanged",
    "Record",
    "ReportRequested",
    "ReviewRequested",
    "ScanRequested",
    "Stage",
    "StepFinished",
    "TestsRequested",
    "UnknownEvent",
    "Unreadable",
    "VerdictOutdated",
    "VerifyRequested",
    "WaiverRequested",
    "delivery_id",
    "event_id",
]
