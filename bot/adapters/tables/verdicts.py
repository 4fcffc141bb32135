"""The tables of the gate: verdicts as they were published last."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Text, text
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


class GateVerdict(SQLModel, table=True):
    """What the gate says to a run; ``body`` is the value, the other columns are for looking things up."""

    __tablename__ = "verdict"

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="review_run.id", ondelete="CASCADE")
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int
    source_project_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    head_sha: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    final: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    body: dict[str, Any] = json_value("{}")
    changed_at: datetime = moment()
