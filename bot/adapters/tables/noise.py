"""The tables of noise control: who muted what, what was withheld, and vectors of comments to compare new ones with.

Rows of ``mute`` are only ever added, as those of the ledger of feedback are. Vectors are plain numbers, so that the
schema is the same with and without pgvector, which compares them where it is installed.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import REAL, BigInteger, Column, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


class MuteEvent(SQLModel, table=True):
    """That a rule or category was muted in a project, or a mute ended; without ``user_id`` the figures did it.

    With ``group_path`` it is about all projects below that group, and ``project_id`` is 0, which no project has.

    ``until`` is the end of what was decided: until then a mute holds, or what was unmuted is said whatever the figures
    are. ``accepted`` of ``counted`` comments is the evidence of figures.
    """

    __tablename__ = "mute"
    __table_args__ = (
        Index("mute_by_project", "instance", "project_id", "number"),
        Index("mute_by_end", "instance", "until"),
        Index("mute_by_subject", "instance", "project_id", "group_path", text("left(name, 200)"), "number"),
    )

    number: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    mute: uuid.UUID
    muted: bool
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    group_path: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    scope: str = Field(sa_type=Text)
    scanner: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    at: datetime = moment(now=False)
    until: datetime | None = moment(nullable=True)
    why: str = Field(sa_type=Text)
    user_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    actor: str = Field(sa_type=Text)
    accepted: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))
    counted: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))


class Suppression(SQLModel, table=True):
    """A finding that a run did not say, and why; ``neighbours`` are rejected comments with their likeness."""

    __tablename__ = "suppression"
    __table_args__ = (
        Index("suppression_by_project", "instance", "project_id", "at"),
        Index(
            "suppression_by_fingerprint", "fingerprint", postgresql_ops={"fingerprint": "text_pattern_ops"}
        ),
    )

    run_id: uuid.UUID = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True, sa_type=Text)
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int
    scanner: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    cause: str = Field(sa_type=Text)
    explanation: str = Field(sa_type=Text)
    mute: uuid.UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    neighbours: list[Any] = json_value("[]")
    at: datetime = moment()


class CommentVector(SQLModel, table=True):
    """What an embedding model made of a comment; ``model`` is its identity: others' vectors cannot be compared."""

    __tablename__ = "comment_vector"
    __table_args__ = (Index("comment_vector_by_project", "instance", "project_id"),)

    comment_id: uuid.UUID = Field(primary_key=True)
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    model: str = Field(sa_type=Text)
    dimension: int
    vector: list[float] = Field(sa_column=Column(ARRAY(REAL()), nullable=False))


class NoisePass(SQLModel, table=True):
    """Until when labels were looked at for mutes, and when to look again."""

    __tablename__ = "noise_pass"

    instance: str = Field(primary_key=True, sa_type=Text)
    seen_until: datetime = moment(now=False)
    next_at: datetime = moment()
