"""The tables of labels: what became of comments, by the version of the function that says so."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, moment


class CommentLabel(SQLModel, table=True):
    """The label of a comment, the signals that decided it, and when the merge froze it."""

    __tablename__ = "label"
    __table_args__ = (Index("label_by_decision", "decided_at"),)

    comment_id: uuid.UUID = Field(primary_key=True)
    label_version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    label: str = Field(sa_type=Text)
    censored_why: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    contradictory: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    reasons: list[uuid.UUID] = Field(sa_column=Column(ARRAY(Uuid()), nullable=False))
    decided_at: datetime = moment()
    frozen_at: datetime | None = moment(nullable=True)
    late_at: datetime | None = moment(nullable=True)


class LabelRebuild(SQLModel, table=True):
    """How far a rebuild of labels got; the row goes when it ends."""

    __tablename__ = "label_rebuild"

    label_version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    since: datetime | None = moment(nullable=True)
    posted_at: datetime = moment(now=False)
    comment_id: uuid.UUID


class LabelDue(SQLModel, table=True):
    """That something happened to a merge request, so that its comments are to be labelled anew."""

    __tablename__ = "label_due"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int


class LearningOptOut(SQLModel, table=True):
    """Somebody who does not want to be part of a data set."""

    __tablename__ = "learning_opt_out"

    instance: str = Field(primary_key=True, sa_type=Text)
    user_id: int = big(primary_key=True)
    since: datetime = moment()
