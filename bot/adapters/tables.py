"""The database schema, declared once; migrations are proved equal to it.

The running service speaks plain SQL through asyncpg (see ``docs/decisions``); these models are the schema's
source for Alembic and its documentation.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = False, now: bool = True) -> Any:
    default = func.now() if now and not nullable else None
    return Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=nullable, server_default=default)
    )


def _json(default: str) -> Any:
    return Field(sa_column=Column(JSONB, nullable=False, server_default=text(f"'{default}'::jsonb")))


def _big(*, primary_key: bool = False) -> Any:
    return Field(sa_column=Column(BigInteger, primary_key=primary_key, nullable=False, autoincrement=False))


class EventPartition(SQLModel, table=True):
    """One partition of the log and the offset that its next event gets.

    The row lock of the counter is held until the append commits, so offsets become visible in order.
    """

    __tablename__ = "event_partition"

    partition: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    next_offset: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))


class Event(SQLModel, table=True):
    """An event in the log; in a distributed installation the outbox that is shipped to Kafka."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("id", "attempt"),
        Index("event_by_stage", "stage", "partition", "log_offset"),
        Index("event_by_time", "appended_at"),
    )

    partition: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    log_offset: int = _big(primary_key=True)
    id: uuid.UUID
    attempt: int
    kind: str = Field(sa_type=Text)
    version: int
    stage: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    body: dict[str, Any] = _json("{}")
    trace: dict[str, Any] = _json("{}")
    appended_at: datetime = _moment()


class DelayedEvent(SQLModel, table=True):
    """An event that is held back until it is due: a deadline or a retry."""

    __tablename__ = "delayed_event"
    __table_args__ = (Index("delayed_event_by_due", "due_at"),)

    id: uuid.UUID = Field(primary_key=True)
    attempt: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=Text)
    version: int
    stage: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    body: dict[str, Any] = _json("{}")
    trace: dict[str, Any] = _json("{}")
    due_at: datetime = _moment(now=False)


class GroupOffset(SQLModel, table=True):
    """The next offset that a consumer group reads after a restart."""

    __tablename__ = "group_offset"

    consumer_group: str = Field(primary_key=True, sa_type=Text)
    partition: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    next_offset: int = _big()


class GroupMember(SQLModel, table=True):
    """A process that reads for a group; its share of the partitions follows from the number of members.

    Its sessions hold the locks of its partitions and of what it writes to. When it was not seen for a while, others
    end all sessions that call themselves ``application``.
    """

    __tablename__ = "group_member"

    consumer_group: str = Field(primary_key=True, sa_type=Text)
    member: uuid.UUID = Field(primary_key=True)
    seen_at: datetime = _moment()
    application: str = Field(sa_column=Column(Text, nullable=False, server_default=""))


class Reconciliation(SQLModel, table=True):
    """How far the merge requests of one forge were compared with what we know of them."""

    __tablename__ = "reconciliation"

    instance: str = Field(primary_key=True, sa_type=Text)
    updated_after: datetime = _moment(now=False)
    next_at: datetime = _moment(now=False)


class Inbox(SQLModel, table=True):
    """What a consumer group has handled; a second delivery of the same event finds its mark here.

    ``starter`` is what the sessions of the process that started it last are called.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_by_time", "started_at"),)

    consumer_group: str = Field(primary_key=True, sa_type=Text)
    event_id: uuid.UUID = Field(primary_key=True)
    starts: int
    failures: int
    starter: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    started_at: datetime = _moment()
    done_at: datetime | None = _moment(nullable=True)


class DeadLetter(SQLModel, table=True):
    """An event that was given up, with the reason."""

    __tablename__ = "dead_letter"
    __table_args__ = (UniqueConstraint("consumer_group", "event_id"),)

    number: int | None = Field(default=None, primary_key=True)
    consumer_group: str = Field(sa_type=Text)
    event_id: uuid.UUID
    attempts: int
    error: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    record: dict[str, Any] = _json("{}")
    parked_at: datetime = _moment()


class MergeRequest(SQLModel, table=True):
    """The newest known head of a merge request and the run that reviews it."""

    __tablename__ = "merge_request"
    __table_args__ = (UniqueConstraint("instance", "project_id", "iid"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    instance: str = Field(sa_type=Text)
    project_id: int = _big()
    iid: int
    head_sha: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime | None = _moment(nullable=True)
    closed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    run_id: uuid.UUID | None = None
    summary_note_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    posting_since: datetime | None = _moment(nullable=True)
    paused: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class ReviewRun(SQLModel, table=True):
    """A review run; ``body`` is the state machine's value, the other columns are for looking things up."""

    __tablename__ = "review_run"
    __table_args__ = (
        Index("review_run_by_merge_request", "instance", "project_id", "iid", "created_at"),
        Index("review_run_by_state", "state", "created_at"),
    )

    id: uuid.UUID = Field(primary_key=True)
    instance: str = Field(sa_type=Text)
    project_id: int = _big()
    iid: int
    head_sha: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    body: dict[str, Any] = _json("{}")
    created_at: datetime = _moment()
    changed_at: datetime = _moment()


class FindingRow(SQLModel, table=True):
    """What a step of a run found; never code, never a secret."""

    __tablename__ = "finding"

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="review_run.id", ondelete="CASCADE")
    step: str = Field(primary_key=True, sa_type=Text)
    fingerprint: str = Field(primary_key=True, sa_type=Text)
    rule: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    path: str = Field(sa_type=Text)
    body: dict[str, Any] = _json("{}")


class Thread(SQLModel, table=True):
    """A discussion that we opened, by the finding that it is about."""

    __tablename__ = "thread"
    __table_args__ = (Index("thread_by_discussion", "discussion_id"),)

    instance: str = Field(primary_key=True, sa_type=Text)
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    iid: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    fingerprint: str = Field(primary_key=True, sa_type=Text)
    run_id: uuid.UUID
    discussion_id: str | None = Field(default=None, sa_type=Text)
    state: str = Field(sa_type=Text)
    scanner: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    path: str = Field(sa_type=Text)
    anchor: str = Field(sa_type=Text)
    created_at: datetime = _moment()
    changed_at: datetime = _moment()


class DeclinedFinding(SQLModel, table=True):
    """A finding that somebody does not want to hear of in a project, and on which merge request it was said."""

    __tablename__ = "declined_finding"

    instance: str = Field(primary_key=True, sa_type=Text)
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    fingerprint: str = Field(primary_key=True, sa_type=Text)
    iid: int
    rule: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    user_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    declined_at: datetime = _moment()
    until: datetime = _moment(now=False)


class AnsweredComment(SQLModel, table=True):
    """A comment that asked us for something, and was acted on."""

    __tablename__ = "answered_comment"

    instance: str = Field(primary_key=True, sa_type=Text)
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    iid: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    note_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    author_id: int = _big()
    commands: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    answered_at: datetime = _moment()


class PolicyVersion(SQLModel, table=True):
    """What a policy file said when it was valid last: keys and values, no comments."""

    __tablename__ = "policy_version"

    name: str = Field(primary_key=True, sa_type=Text)
    said: str = Field(sa_type=Text)
    valid_at: datetime = _moment()


class ModelCall(SQLModel, table=True):
    """The audit row of one model call: hashes and counts, no text."""

    __tablename__ = "model_call"
    __table_args__ = (Index("model_call_by_run", "run_id"),)

    id: uuid.UUID = Field(primary_key=True)
    run_id: uuid.UUID
    model: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    prompt_version: str = Field(sa_type=Text)
    input_sha256: str = Field(sa_type=Text)
    output_sha256: str = Field(sa_type=Text)
    prompt_tokens: int
    output_tokens: int
    duration_s: float
    outcome: str = Field(sa_type=Text)
    task: str = Field(sa_column=Column(Text, nullable=False, server_default="review"))
    called_at: datetime = _moment()


class ModelAnswer(SQLModel, table=True):
    """An answer that is given again when the same is asked: text that models made of masked code."""

    __tablename__ = "model_answer"
    __table_args__ = (Index("model_answer_by_time", "kept_at"),)

    key: str = Field(primary_key=True, sa_type=Text)
    model: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    prompt_tokens: int
    output_tokens: int
    duration_s: float
    kept_at: datetime = _moment()


class InstanceKey(SQLModel, table=True):
    """The secret that signs our markers when the operator gives none; made once."""

    __tablename__ = "instance_key"

    name: str = Field(primary_key=True, sa_type=Text)
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
