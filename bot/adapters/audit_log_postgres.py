"""The audit log in Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import structlog

from bot.adapters.postgres import translated
from bot.domain.audit_log import Act, Entry

_log = structlog.get_logger(__name__)

#: Whoever appends holds it until the end of the transaction, so that no two entries follow the same one.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('cloister audit log'))"
_COLUMNS = "number, at, actor, action, subject, project_id, details, previous, hash"
#: What they are read as. Whoever tampers may write what we never would, and could not read, such as a time before our
#: era: it is read as something that fits no hash, so that it is found and nobody else is kept from appending.
AS_READ = """number, CASE WHEN at BETWEEN '0001-01-02' AND '9999-12-30' THEN at ELSE 'epoch' END AS at,
    actor, action, subject, project_id,
    CASE WHEN jsonb_typeof(details) = 'object'
        AND NOT details @? 'strict $.* ? (@.type() == "object" || @.type() == "array")'
    THEN details ELSE '{"details": "unreadable"}' END AS details, previous, hash"""
_NEWEST = f"SELECT {AS_READ} FROM audit_entry ORDER BY number DESC LIMIT $1"
#: What is added meanwhile does not come into sight.
_PART = f"SELECT {AS_READ} FROM audit_entry WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3"
_INSERT = f"INSERT INTO audit_entry ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_PART_ROWS = 1_000


async def append(connection: Any, act: Act) -> Entry:
    """Write *act* down in the transaction that *connection* has open, so that act and entry come true together.

    It is the last thing to do in it: from here to its end all others who append wait.
    """
    await connection.execute(_LOCK)
    # A statement of its own: it must see what was committed while this one waited.
    row = await connection.fetchrow(_NEWEST, 1)
    at = await connection.fetchval("SELECT clock_timestamp()")
    entry = Entry.after(entry_of(row) if row else None, act, at)
    kept = entry.act
    await connection.execute(
        _INSERT,
        entry.number,
        entry.at,
        kept.actor,
        kept.action,
        kept.subject,
        kept.project_id,
        dict(kept.details),
        entry.previous,
        entry.hash,
    )
    # Where logs are collected, each line is a head that was kept elsewhere.
    _log.info("audit.appended", action=kept.action, actor=kept.actor, head=entry.head)
    return entry


class PostgresAuditLog:
    """Keep the entries in the table ``audit_entry``; see the port."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def append(self, act: Act) -> Entry:
        """Write *act* down; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            return await append(connection, act)

    async def newest(self, limit: int) -> list[Entry]:
        """Return the last entries; see the port."""
        async with translated():
            return [entry_of(row) for row in await self._pool.fetch(_NEWEST, limit)]

    async def all(self) -> AsyncIterator[list[Entry]]:
        """Yield every entry; see the port."""
        async with translated():
            last = await self._pool.fetchval("SELECT max(number) FROM audit_entry") or 0
        # Whoever tampers may as well use a number that we would never give.
        after = -(2**63)
        while True:
            async with translated():
                rows = await self._pool.fetch(_PART, after, last, _PART_ROWS)
            if not rows:
                return
            yield [entry_of(row) for row in rows]
            after = rows[-1]["number"]


def entry_of(row: Any) -> Entry:
    """Return the entry that a row of the table holds."""
    act = Act(row["actor"], row["action"], row["subject"], row["project_id"], row["details"])
    return Entry(row["number"], row["at"], act, row["previous"], row["hash"])
