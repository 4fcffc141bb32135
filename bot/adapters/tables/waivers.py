"""The table of waivers: what happened to them, step by step."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


class WaiverEvent(SQLModel, table=True):
    """One step of a waiver: asked, granted, merged, used, withdrawn or revoked. Rows are added, never changed.

    ``body`` is the step, the other columns are for looking it up. ``user_id`` is None where nobody did it in person.
    """

    __tablename__ = "waiver_event"
    __table_args__ = (
        Index("waiver_event_by_waiver", "waiver", "number"),
        Index("waiver_event_by_merge_request", "instance", "project_id", "iid"),
        Index("waiver_event_by_day", "until"),
    )

    number: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    waiver: uuid.UUID
    deed: str = Field(sa_type=Text)
    instance: str = Field(sa_type=Text)
    project_id: int = big()
    iid: int
    fingerprint: str = Field(sa_type=Text)
    user_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    until: date | None = None
    body: dict[str, Any] = json_value("{}")
    added_at: datetime = moment()
