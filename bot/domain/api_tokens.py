"""Tokens with which scripts ask the API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bot.domain.forge import ForgeUser
from bot.domain.token_names import DECIDING, PREFIX, Scope
from bot.domain.viewer import MAINTAINER, REPORTER, Via, Viewer

_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """Hold what is known of a token, which is not the token itself; ``projects`` is empty for all."""

    name: str
    scopes: frozenset[Scope]
    projects: frozenset[int]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def viewer(self) -> Viewer:
        """Return who asks with it: it sees its projects, or all, and decides about those that it names if it may."""
        level = MAINTAINER if self.scopes & DECIDING else REPORTER
        return Viewer(
            ForgeUser(0, self.name),
            auditor=not self.projects,
            levels=dict.fromkeys(self.projects, level),
            via=Via.token,
            scopes=self.scopes,
        )

    def state(self, now: datetime) -> str:
        """Return what the list says of it."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= now else "valid"


def well_formed(token: str) -> bool:
    """Say whether *token* may be one of ours at all."""
    return _TOKEN.fullmatch(token) is not None
