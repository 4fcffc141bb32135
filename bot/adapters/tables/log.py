"""The tables of the log: events, consumer groups, what was handled and what was given up."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


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
    log_offset: int = big(primary_key=True)
    id: uuid.UUID
    attempt: int
    kind: str = Field(sa_type=Text)
    version: int
    stage: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    body: dict[str, Any] = json_value("{}")
    trace: dict[str, Any] = json_value("{}")
    appended_at: datetime = moment()


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
    body: dict[str, Any] = json_value("{}")
    trace: dict[str, Any] = json_value("{}")
    due_at: datetime = moment(now=False)


class GroupOffset(SQLModel, table=True):
    """The next offset that a consumer group reads after a restart."""

    __tablename__ = "group_offset"

    consumer_group: str = Field(primary_key=True, sa_type=Text)
    partition: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    next_offset: int = big()


class GroupMember(SQLModel, table=True):
    """A process that reads for a group; its share of the partitions follows from the number of members.

    Its sessions hold the locks of its partitions and of what it writes to. When it was not seen for a while, others
    end all sessions that call themselves ``application``.
    """

    __tablename__ = "group_member"

    consumer_group: str = Field(primary_key=True, sa_type=Text)
    member: uuid.UUID = Field(primary_key=True)
    seen_at: datetime = moment()
    application: str = Field(sa_column=Column(Text, nullable=False, server_default=""))


class Reconciliation(SQLModel, table=True):
    """How far the merge requests of one forge were compared with what we know of them."""

    __tablename__ = "reconciliation"

    instance: str = Field(primary_key=True, sa_type=Text)
    updated_after: datetime = moment(now=False)
    next_at: datetime = moment(now=False)


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
    started_at: datetime = moment()
    done_at: datetime | None = moment(nullable=True)


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
    record: dict[str, Any] = json_value("{}")
    parked_at: datetime = moment()
