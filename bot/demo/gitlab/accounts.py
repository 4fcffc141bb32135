"""Who there is on the server, and what lets them in."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime


class Level(enum.IntEnum):
    """Access levels as GitLab numbers them."""

    none = 0
    guest = 10
    reporter = 20
    developer = 30
    maintainer = 40
    owner = 50


@dataclass(eq=False)
class User:
    """An account; ``bot`` marks the user behind a project or group access token."""

    id: int
    username: str
    name: str
    bot: bool = False
    admin: bool = False
    state: str = "active"
    public_email: str = ""

    @property
    def email(self) -> str:
        """Return the commit address."""
        return f"{self.username}@example.test"


@dataclass(eq=False)
class Token:
    """A personal, project or group access token."""

    id: int
    value: str
    user: User
    scopes: tuple[str, ...]
    expires_at: date | None = None
    revoked: bool = False


@dataclass(eq=False)
class Application:
    """Something that people sign in to with their account here; it is trusted, so nobody is asked for consent."""

    id: str
    secret: str
    name: str
    redirect_uri: str
    scopes: tuple[str, ...]


@dataclass(eq=False)
class Grant:
    """A code on its way from the browser to the application."""

    application: Application
    user: User
    redirect_uri: str
    scopes: tuple[str, ...]
    nonce: str | None
    challenge: str | None
    method: str
    created_at: datetime
    used: bool = False
