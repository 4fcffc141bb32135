"""The tables of feedback: our comments, what people did with them, and when to look again.

Comments and signals are only ever added: triggers refuse to change or delete them, save for retention, which says so
in its transaction (``SET LOCAL cloister.retention = 'on'``). Signals lie in monthly partitions of the time at which
their comment was posted. That is the one time that a signal has from whatever source, so that the key can be unique.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


def _flag() -> Any:
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


class Comment(SQLModel, table=True):
    """A comment that we opened a thread with, as it was then; its thread and its suggestions are told once, later."""

    __tablename__ = "comment"
    __table_args__ = (
        Index("comment_by_merge_request", "instance", "project_id", "iid"),
        Index("comment_by_time", "posted_at"),
        Index("comment_by_project", "instance", "project_id", "posted_at"),
    )

    id: uuid.UUID = Field(primary_key=True)
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int
    fingerprint: str = Field(sa_type=Text)
    discussion_id: str | None = Field(default=None, sa_type=Text)
    note_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    run_id: uuid.UUID
    head_sha: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    scanner: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    confidence: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    path: str = Field(sa_type=Text)
    line: int
    end_line: int
    model: str = Field(sa_type=Text)
    model_digest: str = Field(sa_type=Text)
    prompt_version: str = Field(sa_type=Text)
    had_suggestion: bool = _flag()
    author_is_bot: bool = _flag()
    posted_at: datetime = moment(now=False)


class Signal(SQLModel, table=True):
    """Something that happened to a comment, or where it names none, to its merge request."""

    __tablename__ = "signal"
    __table_args__ = (
        Index("signal_by_comment", "comment_id", postgresql_where=text("comment_id IS NOT NULL")),
        Index("signal_by_merge_request", "merge_request_id"),
        Index("signal_by_time", "seen_at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (began_at)"},
    )

    began_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), primary_key=True, nullable=False),
    )
    id: uuid.UUID = Field(primary_key=True)
    at: datetime = moment(now=False)
    seen_at: datetime = moment(now=False)
    merge_request_id: int = big()
    comment_id: uuid.UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    note_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    actor_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    actor_is_author: bool
    actor_is_bot: bool
    judged: bool | None = None
    kind: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    emoji: str | None = Field(default=None, sa_type=Text)
    reply: str | None = Field(default=None, sa_type=Text)
    head_sha: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    detail: dict[str, str] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))


class SignalsKept(SQLModel, table=True):
    """Since when comments must have been posted for their signals to be kept: one row, which only moves on.

    The function ``signals_since()`` returns ``since``, always the beginning of a month. Older signals were dropped with
    their partitions. Nothing makes such a partition again, adds such a signal, or derives a label or a count from the
    signals that are missing.
    """

    __tablename__ = "signals_kept"
    __table_args__ = (CheckConstraint("one", name="signals_kept_once"),)

    one: bool = Field(sa_column=Column(Boolean, primary_key=True, nullable=False, autoincrement=False))
    since: datetime = moment(now=False)
    changed_at: datetime = moment()


class FeedbackWatch(SQLModel, table=True):
    """A merge request with comments of ours: what was seen of it last, and when to look again (null: never).

    ``began_at`` is when the oldest comment was posted whose signals are kept, or were to the end.
    """

    __tablename__ = "feedback_watch"
    __table_args__ = (
        Index("feedback_watch_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("feedback_watch_claimed", "claimed_at"),
    )

    instance: str = Field(primary_key=True, sa_type=Text)
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    iid: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    began_at: datetime = moment(now=False)
    author_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="opened"))
    ended_at: datetime | None = moment(nullable=True)
    target_branch: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    head_sha: str | None = Field(default=None, sa_type=Text)
    step: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    failures: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    seen: dict[str, Any] = json_value("{}")
    next_at: datetime | None = moment(nullable=True)
    expected_at: datetime | None = moment(nullable=True)
    claimed_at: datetime | None = moment(nullable=True)


class FeedbackProject(SQLModel, table=True):
    """A project that tells us of reactions by hook, and when it did so last."""

    __tablename__ = "feedback_project"

    instance: str = Field(primary_key=True, sa_type=Text)
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    heard_at: datetime = moment()
