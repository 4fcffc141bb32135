"""API tokens in Postgres."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from bot.adapters.audit_log_postgres import append
from bot.adapters.postgres import translated
from bot.domain.api_tokens import ApiToken, well_formed
from bot.domain.audit_log import Act
from bot.domain.errors import Refused
from bot.domain.session import digest
from bot.domain.token_names import PREFIX, Scope
from bot.domain.viewer import Viewer

_COLUMNS = "name, scopes, projects, created_at, expires_at, used_at, revoked_at"
_INSERT = """
INSERT INTO api_token (digest, name, scopes, projects, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
#: A name is free again once its token has expired.
_EXPIRE = (
    "UPDATE api_token SET revoked_at = expires_at WHERE name = $1 AND revoked_at IS NULL AND expires_at <= $2"
)
_REVOKE = "UPDATE api_token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL AND expires_at > $2"
#: Found by its hash: how long the search takes tells nothing of a token that is not guessed as a whole.
_VALID = f"SELECT {_COLUMNS} FROM api_token WHERE digest = $1 AND revoked_at IS NULL AND expires_at > $2"

_USED_EVERY = timedelta(minutes=1)


class PostgresApiTokens:
    """Keep tokens in the table ``api_token``; see the port."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def create(
        self,
        name: str,
        scopes: Collection[Scope],
        projects: Collection[int],
        now: datetime,
        expires_at: datetime,
        actor: str,
    ) -> str:
        """Create a token; see the port."""
        token = PREFIX + secrets.token_urlsafe(32)
        said = sorted(scope.value for scope in scopes)
        act = Act(
            actor,
            "token.create",
            name,
            details={
                "scopes": " ".join(said),
                "projects": " ".join(map(str, sorted(projects))),
                "until": expires_at.isoformat(),
            },
        )
        try:
            async with translated(), self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_EXPIRE, name, now)
                await connection.execute(
                    _INSERT, digest(token), name, said, sorted(projects), now, expires_at
                )
                await append(connection, act)
        except asyncpg.UniqueViolationError as error:
            msg = f"there is a valid token {name} already: revoke it, or take another name"
            raise Refused(msg) from error
        return token

    async def list(self) -> list[ApiToken]:
        """Return all tokens; see the port."""
        async with translated():
            rows = await self._pool.fetch(f"SELECT {_COLUMNS} FROM api_token ORDER BY created_at DESC, name")
        return [_token(row) for row in rows]

    async def revoke(self, name: str, now: datetime, actor: str) -> None:
        """Revoke a token; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            if await connection.execute(_REVOKE, name, now) != "UPDATE 1":
                msg = f"there is no valid token {name}; see `cloister token list`"
                raise Refused(msg)
            await append(connection, Act(actor, "token.revoke", name))

    async def viewer(self, token: str, now: datetime) -> Viewer | None:
        """Return who asks with a token; see the port."""
        if not well_formed(token):
            return None
        key = digest(token)
        async with translated():
            row = await self._pool.fetchrow(_VALID, key, now)
            if row is None:
                return None
            if row["used_at"] is None or now - row["used_at"] > _USED_EVERY:
                await self._pool.execute("UPDATE api_token SET used_at = $2 WHERE digest = $1", key, now)
        return _token(row).viewer()


def _token(row: Any) -> ApiToken:
    return ApiToken(
        row["name"],
        frozenset(map(Scope, row["scopes"])),
        frozenset(row["projects"]),
        row["created_at"],
        row["expires_at"],
        row["used_at"],
        row["revoked_at"],
    )
