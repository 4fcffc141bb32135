"""Columns that many tables have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def moment(*, nullable: bool = False, now: bool = True) -> Any:
    """Return a column for a time with its zone; unless told otherwise it is that of the insert."""
    default = func.now() if now and not nullable else None
    return Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=nullable, server_default=default)
    )


def json_value(default: str) -> Any:
    """Return a column for JSON, *default* as text."""
    return Field(sa_column=Column(JSONB, nullable=False, server_default=text(f"'{default}'::jsonb")))


def big(*, primary_key: bool = False) -> Any:
    """Return a column for a number of GitLab, or an offset."""
    return Field(sa_column=Column(BigInteger, primary_key=primary_key, nullable=False, autoincrement=False))
