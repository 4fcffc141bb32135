"""How the log stores events."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import AwareDatetime, Field

from bot.domain.events.base import NAMESPACE, Event
from bot.domain.events.feedback import (
    CommandTaken,
    CommentPosted,
    FeedbackDue,
    FeedbackExpected,
    ReactionChanged,
)
from bot.domain.events.gate import BranchPipelineSeen, PipelineSeen, VerdictOutdated, WaiverRequested
from bot.domain.events.reviews import (
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
from bot.domain.merge_request import Value

#: Every event kind; `cloister events` prints this list.
EVENTS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        MergeRequestChanged,
        FetchRequested,
        ScanRequested,
        ReportRequested,
        ReviewRequested,
        StepFinished,
        DeadlineReached,
        VerdictOutdated,
        VerifyRequested,
        PublishRequested,
        PipelineSeen,
        BranchPipelineSeen,
        CommentPosted,
        WaiverRequested,
        TestsRequested,
        ReactionChanged,
        FeedbackExpected,
        FeedbackDue,
        CommandTaken,
    )
}


class UnknownEvent(ValueError):
    """Say that a record's kind or schema version is not one that this release reads."""


class Unreadable(ValueError):
    """Say that what stood in the log is no record at all."""


#: What is kept of something unreadable; enough to see where it came from.
UNREADABLE_LIMIT_BYTES = 65_536


#: The kind of a record that stands for something unreadable.
UNREADABLE = "unreadable"


class Record(Value):
    """Hold an event as the log stores it.

    ``trace`` carries the W3C trace context (``traceparent``, ``tracestate``) across processes.
    ``due_at`` holds the record back until that time.
    """

    id: uuid.UUID
    kind: str
    version: int
    stage: str
    key: str
    body: dict[str, Any]
    trace: dict[str, str] = Field(default_factory=dict)
    due_at: AwareDatetime | None = None
    attempt: int = Field(default=0, ge=0, description="how many earlier deliveries failed")

    @classmethod
    def of(
        cls,
        event: Event,
        *,
        id: uuid.UUID,  # noqa: A002 - the field's name
        trace: dict[str, str] | None = None,
        due_at: datetime | None = None,
    ) -> Self:
        """Wrap *event* for the log."""
        return cls(
            id=id,
            kind=event.kind,
            version=event.version,
            stage=event.stage.value,
            key=event.key,
            body=event.model_dump(mode="json"),
            trace=trace or {},
            due_at=due_at,
        )

    @classmethod
    def unreadable(cls, raw: bytes, *, stage: str, place: Mapping[str, str | int], problem: str) -> Self:
        """Wrap what the log holds at *place* and nobody can read, so that it is set aside and not lost.

        The same place gives the same id.
        """
        where = ":".join(str(part) for part in place.values())
        body = {
            "problem": problem,
            "from": dict(place),
            "size": len(raw),
            "raw_base64": base64.b64encode(raw[:UNREADABLE_LIMIT_BYTES]).decode(),
        }
        identity = uuid.uuid5(NAMESPACE, f"{UNREADABLE}:{where}")
        return cls(
            id=identity, kind=UNREADABLE, version=1, stage=stage, key=f"{UNREADABLE}:{where}", body=body
        )

    def event(self) -> Event:
        """Return the event.

        Raises:
            Unreadable: this record stands for something that could not be read.
            UnknownEvent: the kind is unknown or the schema version is newer than ours.
            pydantic.ValidationError: the body does not match the kind.
        """
        if self.kind == UNREADABLE:
            raise Unreadable(str(self.body.get("problem", "not a record")))
        kind = EVENTS.get(self.kind)
        if kind is None:
            raise UnknownEvent(
                f"event kind {self.kind!r} is not known to this release; upgrade the consumers"
            )
        if self.version > kind.version:
            raise UnknownEvent(
                f"{self.kind} has schema version {self.version}, this release reads up to {kind.version};"
                " upgrade the consumers first, then the senders"
            )
        return kind.model_validate_json(json.dumps(self.body))
