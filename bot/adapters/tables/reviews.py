"""The tables of reviews: merge requests, runs, findings, threads and what people said to them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


class MergeRequest(SQLModel, table=True):
    """The newest known head of a merge request and the run that reviews it."""

    __tablename__ = "merge_request"
    __table_args__ = (UniqueConstraint("instance", "project_id", "iid"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int
    head_sha: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime | None = moment(nullable=True)
    closed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    run_id: uuid.UUID | None = None
    summary_note_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    posting_since: datetime | None = moment(nullable=True)
    paused: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class ReviewRun(SQLModel, table=True):
    """A review run; ``body`` is the state machine's value, the other columns are for looking things up."""

    __tablename__ = "review_run"
    __table_args__ = (
        Index("review_run_by_merge_request", "instance", "project_id", "iid", "created_at"),
        Index("review_run_by_state", "state", "created_at"),
        Index("review_run_by_project", "instance", "project_id", "created_at"),
        Index("review_run_by_head", "instance", "head_sha"),
    )

    id: uuid.UUID = Field(primary_key=True)
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int
    head_sha: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    body: dict[str, Any] = json_value("{}")
    created_at: datetime = moment()
    changed_at: datetime = moment()


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
    body: dict[str, Any] = json_value("{}")


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
    created_at: datetime = moment()
    changed_at: datetime = moment()


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
    declined_at: datetime = moment()
    until: datetime = moment(now=False)


class AnsweredComment(SQLModel, table=True):
    """A comment that asked us for something, and was acted on."""

    __tablename__ = "answered_comment"

    instance: str = Field(primary_key=True, sa_type=Text)
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    iid: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    note_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    author_id: int = big()
    commands: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    answered_at: datetime = moment()


class PolicyVersion(SQLModel, table=True):
    """What a policy file said when it was valid last: keys and values, no comments."""

    __tablename__ = "policy_version"

    name: str = Field(primary_key=True, sa_type=Text)
    said: str = Field(sa_type=Text)
    valid_at: datetime = moment()
