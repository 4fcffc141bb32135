"""The tables of model calls, and the keys of the instance."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import moment


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
    called_at: datetime = moment()


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
    kept_at: datetime = moment()


class InstanceKey(SQLModel, table=True):
    """The secret that signs our markers when the operator gives none; made once."""

    __tablename__ = "instance_key"

    name: str = Field(primary_key=True, sa_type=Text)
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
