"""The events, each in one typed list with the stage that consumes it.

Events carry ids, never code: content lives in the database and in the git mirror. Ids are
deterministic, so a repeat of a stage emits the same events and the inbox collapses them.
"""

from __future__ import annotations

import base64
import enum
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import AwareDatetime, Field

from bot.domain.merge_request import MergeRequestRef, Sha, Value
from bot.domain.watching import Why

#: Namespace of every deterministic id that Cloister makes.
NAMESPACE = uuid.UUID("6f3f6a0e-7f0e-5d0a-9a50-1f6d2b7f9c11")


class Stage(enum.StrEnum):
    """The stages; each has one topic and one consumer group of the same name."""

    intake = "intake"
    fetch = "fetch"
    scan = "scan"
    report = "report"
    review = "review"
    collect = "collect"
    verify = "verify"
    publish = "publish"
    converse = "converse"
    tests = "tests"
    feedback = "feedback"


class Event(Value):
    """Say that something happened, or should happen, to one merge request."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    stage: ClassVar[Stage]

    ref: MergeRequestRef

    @property
    def key(self) -> str:
        """Return the ordering key."""
        return self.ref.key

    @property
    def discriminator(self) -> str:
        """Return what tells siblings of one parent apart; empty where a parent emits one per kind."""
        return ""


class Action(enum.StrEnum):
    """What happened to a merge request, reduced to what a review cares about."""

    changed = "changed"
    closed = "closed"


class MergeRequestChanged(Event):
    """A merge request was opened, reopened, pushed to, edited, closed or merged."""

    kind = "merge_request.changed"
    stage = Stage.intake

    action: Action
    head_sha: Sha | None = Field(description="newest commit as the sender saw it; None when unknown")
    updated_at: AwareDatetime | None = Field(
        default=None, description="the forge's time, to order deliveries that overtake each other"
    )
    draft: bool = False
    again: bool = Field(default=False, description="review although the head is known, e.g. for a new target")
    redecide: bool = Field(
        default=False,
        description="the code is the same, but labels or such that the gate may ask for are not",
    )
    source: str = Field(description="hook, reconciler, forge, command or comment")

    @property
    def asked_for(self) -> bool:
        """Say whether a person wants the review, now, whatever is paused."""
        return self.source in {"command", "comment"}


class FetchRequested(Event):
    """A review run has started and needs its code."""

    kind = "fetch.requested"
    stage = Stage.fetch

    run_id: uuid.UUID


class ScanRequested(Event):
    """One scanner shall look at the revision."""

    kind = "scan.requested"
    stage = Stage.scan

    run_id: uuid.UUID
    scanner: str

    @property
    def discriminator(self) -> str:
        """Return the scanner: one request goes out for each."""
        return self.scanner


class ReportRequested(Event):
    """A report of the project's own pipeline shall join the findings, once it is there."""

    kind = "report.requested"
    stage = Stage.report

    run_id: uuid.UUID
    scanner: str = Field(description="sarif:<job>, as the policy names it")
    attempt: int = Field(default=0, ge=0, description="how often it was not there yet")

    @property
    def discriminator(self) -> str:
        """Return the scanner: one request goes out for each."""
        return self.scanner


class ReviewRequested(Event):
    """The model shall look at the revision."""

    kind = "review.requested"
    stage = Stage.review

    run_id: uuid.UUID


class StepFinished(Event):
    """A scanner or the model is done with the revision, well or badly; the run's row says how."""

    kind = "step.finished"
    stage = Stage.collect

    run_id: uuid.UUID
    step: str = Field(description="scan:<scanner> or review")

    @property
    def discriminator(self) -> str:
        """Return the step."""
        return self.step


class DeadlineReached(Event):
    """It is time to publish what there is; ``step`` names what we waited for."""

    kind = "deadline.reached"
    stage = Stage.collect

    run_id: uuid.UUID
    step: str = Field(description="grace: the model had its moment; total: stop waiting")

    @property
    def discriminator(self) -> str:
        """Return the step: a run has several deadlines."""
        return self.step


class VerdictOutdated(Event):
    """What the gate of a merge request rests on has changed, so its verdict shall be made anew.

    That is ``waiver``, which has ended, or the run of another merge request that shares its commit status.
    """

    kind = "verdict.outdated"
    stage = Stage.collect

    waiver: uuid.UUID

    @property
    def discriminator(self) -> str:
        """Return the waiver and the merge request: several may rest on one, and one on several."""
        return f"{self.waiver}:{self.ref.key}"


class VerifyRequested(Event):
    """The fixes among the results so far shall be checked, so that the results can be published."""

    kind = "verify.requested"
    stage = Stage.verify

    run_id: uuid.UUID
    round: int = Field(gt=0, description="that of the publish.requested which follows")

    @property
    def discriminator(self) -> str:
        """Return the round: a run is published more than once."""
        return str(self.round)


class PublishRequested(Event):
    """The results so far shall be visible on the merge request."""

    kind = "publish.requested"
    stage = Stage.publish

    run_id: uuid.UUID
    round: int = Field(gt=0, description="1 for the first result of a run, then 2, ...")
    parting: bool = Field(
        default=False, description="the merge request was closed: only see what people declined on it"
    )

    @property
    def discriminator(self) -> str:
        """Return the round: a run is published more than once."""
        return str(self.round)


class PipelineSeen(Event):
    """A pipeline of the merge request is there; our commit status belongs into it, if its head is still the newest."""

    kind = "pipeline.seen"
    stage = Stage.publish

    pipeline_id: int = Field(gt=0, lt=2**63)

    @property
    def discriminator(self) -> str:
        """Return the pipeline: a head may have several."""
        return str(self.pipeline_id)


class CommentPosted(Event):
    """Somebody wrote a comment that may ask us for something; what it says is read from the forge."""

    kind = "comment.posted"
    stage = Stage.converse

    note_id: int = Field(gt=0)
    discussion_id: str = Field(pattern=r"^[0-9A-Za-z_-]{1,80}$")
    author_id: int = Field(gt=0)


class WaiverRequested(Event):
    """Somebody who has signed in asks on a page for a waiver, grants one, or takes one back."""

    kind = "waiver.requested"
    stage = Stage.converse

    user_id: int = Field(gt=0)
    words: str = Field(
        max_length=1_000, description="what would follow the command in a comment, secrets masked"
    )
    back: bool = Field(default=False, description="take it back")


class TestsRequested(Event):
    """The model shall write unit tests: for the code that a discussion is about, or for all that changed."""

    __test__ = False  # pytest takes classes of this name for tests

    kind = "tests.requested"
    stage = Stage.tests

    run_id: uuid.UUID
    discussion_id: str = Field(
        default="",
        pattern=r"^[0-9A-Za-z_-]{0,80}$",
        description="where the answer goes; empty for a comment of its own",
    )
    note_id: int = Field(default=0, ge=0, description="the comment that asked, 0 when the policy did")
    commit: bool = Field(default=False, description="as a merge request rather than a patch")

    @property
    def discriminator(self) -> str:
        """Return the comment: each may ask once."""
        return str(self.note_id)


class ReactionChanged(Event):
    """Somebody reacted to a note with an emoji, or took that back."""

    kind = "reaction.changed"
    stage = Stage.feedback

    award_id: int = Field(gt=0)
    note_id: int = Field(gt=0)
    discussion_id: str = Field(
        default="", pattern=r"^[0-9A-Za-z_-]{0,80}$", description="empty where the hook does not say"
    )
    actor_id: int = Field(gt=0)
    actor_is_bot: bool = Field(default=False, description="as far as its name tells: the hook says no more")
    emoji: str = Field(pattern=r"^[0-9A-Za-z_+-]{1,100}$")
    added: bool = Field(description="false: taken back")
    at: AwareDatetime | None = Field(default=None, description="when it was added, by the forge's time")


class FeedbackExpected(Event):
    """Something happened to a merge request after which it is worth while to look at our threads, soon."""

    kind = "feedback.expected"
    stage = Stage.feedback

    why: Why

    @property
    def discriminator(self) -> str:
        """Return the reason: one thing may be several."""
        return self.why.value


class FeedbackDue(Event):
    """It is time to look at our threads of a merge request."""

    kind = "feedback.due"
    stage = Stage.feedback


class CommandTaken(Event):
    """A command about one of our comments was carried out."""

    kind = "command.taken"
    stage = Stage.feedback

    command: str = Field(pattern=r"^[a-z_]{1,40}$", description="ignore or waive")
    fingerprint: str = Field(min_length=1, max_length=128)
    note_id: int | None = Field(
        default=None, gt=0, description="the note that asked; None: it came from elsewhere"
    )
    actor_id: int | None = Field(default=None, gt=0)

    @property
    def discriminator(self) -> str:
        """Return command and finding: one note may hold several commands."""
        return f"{self.command}:{self.fingerprint}"


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
        CommentPosted,
        WaiverRequested,
        TestsRequested,
        ReactionChanged,
        FeedbackExpected,
        FeedbackDue,
        CommandTaken,
    )
}


def event_id(parent: uuid.UUID, event: Event) -> uuid.UUID:
    """Return the id of *event* emitted while handling *parent*: the same inputs give the same id."""
    return uuid.uuid5(parent, f"{event.kind}:{event.discriminator}")


def delivery_id(source: str, delivery_key: str) -> uuid.UUID:
    """Return the id of an event that came from outside, from the sender's stable delivery key."""
    return uuid.uuid5(NAMESPACE, f"{source}:{delivery_key}")


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
