"""The tables of sessions, API tokens and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from bot.adapters.tables.columns import big, json_value, moment


def _digest() -> Any:
    return Field(sa_column=Column(LargeBinary, primary_key=True, nullable=False))


class WebSession(SQLModel, table=True):
    """Somebody who has signed in; the id itself is only in their browser."""

    __tablename__ = "web_session"

    digest: bytes = _digest()
    user_id: int = big()
    username: str = Field(sa_type=Text)
    via: str = Field(sa_type=Text)
    admin: bool
    auditor: bool
    levels: dict[str, Any] = json_value("{}")
    began_at: datetime = moment()
    told_at: datetime = moment()
    seen_at: datetime = moment()


class LoginLink(SQLModel, table=True):
    """A link that signs in as the operator, once."""

    __tablename__ = "login_link"

    digest: bytes = _digest()
    made_at: datetime = moment()


class ApiTokenRow(SQLModel, table=True):
    """A token of a script; the token itself is only where it was printed."""

    __tablename__ = "api_token"
    __table_args__ = (
        Index("api_token_by_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    digest: bytes = _digest()
    name: str = Field(sa_type=Text)
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    projects: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    created_at: datetime = moment()
    expires_at: datetime = moment(now=False)
    used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)


class AuditEntry(SQLModel, table=True):
    """What somebody did with their privileges; a trigger lets nobody change or delete a row by mistake."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(
            "audit_entry_by_name",
            text("left(lower(coalesce(nullif(split_part(actor, ':', 3), ''), actor)), 200)"),
            "number",
        ),
        Index("audit_entry_by_action", "action", "number", postgresql_ops={"action": "text_pattern_ops"}),
        Index("audit_entry_by_project", "project_id", "number"),
        Index("audit_entry_by_time", "at", postgresql_include=["number"]),
    )

    number: int = big(primary_key=True)
    at: datetime = moment(now=False)
    actor: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    project_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    details: dict[str, Any] = json_value("{}")
    previous: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
