"""The tables of dashboards: what each review came to, and counts by project, day and month.

Counts can all be made anew from reviews, comments, signals and labels; see ``bot.adapters.rollups_postgres``. A
``monthly`` row is the sum of the days of its month.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


def _count() -> Any:
    return Field(sa_column=Column(Integer, nullable=False, server_default="0"))


def _text() -> Any:
    return Field(sa_column=Column(Text, nullable=False, server_default=""))


def _key(kind: Any) -> Any:
    return Field(sa_column=Column(kind, primary_key=True, nullable=False, autoincrement=False))


class Project(SQLModel, table=True):
    """A project, under the short number by which counts name it; ``path`` is as of the last review."""

    __tablename__ = "project"
    __table_args__ = (UniqueConstraint("instance", "project_id"),)

    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    path: str = _text()


class ReviewFact(SQLModel, table=True):
    """What a run came to as far as it is published; ``detail`` names what was not said, and what was not read.

    ``author_id`` made the merge request, null where that is not known: the review is nobody's own then.
    """

    __tablename__ = "review_fact"
    __table_args__ = (
        Index("review_fact_by_merge_request", "instance", "project_id", "iid", "created_at"),
        Index("review_fact_by_project", "instance", "project_id", "created_at", "run_id"),
        Index("review_fact_by_time", "instance", "created_at", "run_id"),
        Index(
            "review_fact_by_author",
            "instance",
            "author_id",
            "created_at",
            "run_id",
            postgresql_where=text("author_id IS NOT NULL"),
        ),
    )

    run_id: uuid.UUID = Field(primary_key=True)
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int
    created_at: datetime = moment(now=False)
    published_at: datetime = moment(now=False)
    commented_at: datetime | None = moment(nullable=True)
    generated: int = _count()
    posted: int = _count()
    standing: bool
    filtered: dict[str, Any] = json_value("{}")
    files: int = _count()
    files_read: int = _count()
    blocking: int = _count()
    undecided: bool
    waived: int = _count()
    trace_id: str = _text()
    detail: dict[str, Any] = json_value("{}")
    author_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class ReleaseSeen(SQLModel, table=True):
    """The day of the first review by a release of ours."""

    __tablename__ = "release_seen"

    release: str = Field(primary_key=True, sa_type=Text)
    first_on: date = Field(sa_column=Column(Date, nullable=False))


class CommentKind(SQLModel, table=True):
    """Comments that differ in nothing that dashboards tell apart, under a short number."""

    __tablename__ = "comment_kind"
    __table_args__ = (
        UniqueConstraint(
            "scanner",
            "rule",
            "category",
            "severity",
            "language",
            "model",
            "model_digest",
            "prompt_version",
            name="comment_kind_once",
        ),
    )

    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    scanner: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    model_digest: str = Field(sa_type=Text)
    prompt_version: str = Field(sa_type=Text)
    first_on: date = Field(sa_column=Column(Date, nullable=False))


class Rollup(SQLModel, table=True):
    """The comments and reviews of a project on a day or in a month."""

    __tablename__ = "rollup"
    __table_args__ = (Index("rollup_by_time", "monthly", "starts"),)

    monthly: bool = _key(Boolean)
    project: int = _key(Integer)
    starts: date = _key(Date)
    accepted_strong: int = _count()
    accepted_weak: int = _count()
    rejected_strong: int = _count()
    unknown: int = _count()
    censored: int = _count()
    downvoted: int = _count()
    suggested: int = _count()
    applied: int = _count()
    open_criticals: int = _count()
    reviews: int = _count()
    merge_requests: int = _count()
    silent: int = _count()
    generated: int = _count()
    posted: int = _count()
    files: int = _count()
    files_read: int = _count()
    blocked: int = _count()
    undecided: int = _count()
    waived: int = _count()


class RollupKind(SQLModel, table=True):
    """The comments of one kind, as in `Rollup`; ``sample`` is the newest of them that was rejected."""

    __tablename__ = "rollup_kind"
    __table_args__ = (Index("rollup_kind_by_time", "monthly", "starts"),)

    monthly: bool = _key(Boolean)
    project: int = _key(Integer)
    starts: date = _key(Date)
    kind: int = _key(Integer)
    accepted_strong: int = _count()
    accepted_weak: int = _count()
    rejected_strong: int = _count()
    unknown: int = _count()
    censored: int = _count()
    downvoted: int = _count()
    suggested: int = _count()
    applied: int = _count()
    open_criticals: int = _count()
    sample: uuid.UUID | None = None


class RollupBucket(SQLModel, table=True):
    """How many cases fell into a bucket of a distribution, or have a reason (``what``)."""

    __tablename__ = "rollup_bucket"
    __table_args__ = (Index("rollup_bucket_by_time", "monthly", "what", "starts"),)

    monthly: bool = _key(Boolean)
    project: int = _key(Integer)
    what: str = _key(Text)
    starts: date = _key(Date)
    bucket: int = _key(SmallInteger)
    cases: int = _count()


class RollupDue(SQLModel, table=True):
    """A merge request (``iid``) or a ``day`` of a project that is to be counted anew."""

    __tablename__ = "rollup_due"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int | None = None
    day: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    since: datetime = moment()


class Forgotten(SQLModel, table=True):
    """That a project or a person was forgotten: how many rows went, by table; a person is named by a pseudonym."""

    __tablename__ = "forgotten"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    instance: str = Field(sa_type=Text)
    what: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    rows: dict[str, Any] = json_value("{}")
    at: datetime = moment()
