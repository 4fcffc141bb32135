"""Sessions in Postgres."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.postgres import storable, translated
from bot.domain.forge import ForgeUser
from bot.domain.session import ABSOLUTE, IDLE, LINK, Session, digest
from bot.domain.viewer import Via, Viewer

_BEGIN = """
INSERT INTO web_session (digest, user_id, username, via, admin, auditor, levels, began_at, told_at, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
"""
_FIND = """
SELECT user_id, username, via, admin, auditor, levels, began_at, told_at, seen_at FROM web_session
WHERE digest = $1 AND began_at > $2 AND seen_at > $3
"""
_END = """
DELETE FROM web_session WHERE digest = $1
RETURNING user_id, username, via, admin, auditor, levels, began_at, seen_at
"""
#: Of two who follow a link at the same time, one deletes the row.
_USE_LINK = "DELETE FROM login_link WHERE digest = $1 RETURNING made_at"

#: When a session was used last need not be known to the second: most requests read only.
_SEEN_EVERY = timedelta(minutes=1)
_SECRET_BYTES = 32


class PostgresSessions:
    """Keep sessions in the table ``web_session``, links in ``login_link``; see the port."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def begin(self, viewer: Viewer, now: datetime, *, instead_of: str | None = None) -> str:
        """Begin a session; see the port."""
        session_id = secrets.token_urlsafe(_SECRET_BYTES)
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            ended = await connection.fetchrow(_END, digest(instead_of)) if instead_of else None
            await connection.execute(
                _BEGIN,
                digest(session_id),
                viewer.user.id,
                storable(viewer.user.username),
                viewer.via.value,
                viewer.admin,
                viewer.auditor,
                {str(project): level for project, level in viewer.levels.items()},
                _first(ended, viewer, now),
                now,
            )
        return session_id

    async def find(self, session_id: str, now: datetime) -> Session | None:
        """Return a session; see the port."""
        key = digest(session_id)
        async with translated():
            row = await self._pool.fetchrow(_FIND, key, now - ABSOLUTE, now - IDLE)
            if row is None:
                return None
            if now - row["seen_at"] > _SEEN_EVERY:
                await self._pool.execute("UPDATE web_session SET seen_at = $2 WHERE digest = $1", key, now)
        return Session(_viewer(row), row["began_at"], row["told_at"])

    async def end(self, session_id: str) -> Viewer | None:
        """End a session; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_END, digest(session_id))
        return _viewer(row) if row else None

    async def make_link(self, now: datetime) -> str:
        """Make a link; see the port."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        async with translated():
            await self._pool.execute(
                "INSERT INTO login_link (digest, made_at) VALUES ($1, $2)", digest(secret), now
            )
        return secret

    async def use_link(self, secret: str, now: datetime) -> bool:
        """Void a link; see the port."""
        async with translated():
            made_at = await self._pool.fetchval(_USE_LINK, digest(secret))
        return made_at is not None and now - made_at < LINK


def _first(ended: Any, viewer: Viewer, now: datetime) -> datetime:
    """Return when the person signed in first: passing through the forge again prolongs nothing."""
    same = ended is not None and (ended["user_id"], ended["via"]) == (viewer.user.id, viewer.via.value)
    if not same or now - ended["began_at"] > ABSOLUTE or now - ended["seen_at"] > IDLE:
        return now
    began_at: datetime = ended["began_at"]
    return began_at


def _viewer(row: Any) -> Viewer:
    return Viewer(
        ForgeUser(row["user_id"], row["username"]),
        admin=row["admin"],
        auditor=row["auditor"],
        levels={int(project): level for project, level in row["levels"].items()},
        via=Via(row["via"]),
    )
