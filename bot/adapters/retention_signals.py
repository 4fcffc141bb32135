"""Drop months of signals that are old as a whole, and leave everything that was made of them as it is.

A month goes in one transaction with the moment since when signals are kept (table ``signals_kept``), by which whoever
labels, counts or adds knows that signals are missing. It goes only when all that is due of its comments is labelled and
counted: that is their last time. What happened to a whole merge request stays as long as it has a younger comment.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import asyncpg

from bot.adapters.audit_log_postgres import append
from bot.domain.audit_log import Act
from bot.domain.retention import gone_before

#: Whoever reads or adds signals waits behind us for as long as we wait; then we try again another time.
_PATIENCE = "1s"
_LIMIT_S: Final = 300.0
#: Above the time between two passes of those who label and count.
_PAUSE_S: Final = 3.0

#: By its bounds and not by its name: what is in a partition is within them.
_MONTHS = r"""
SELECT c.oid::regclass::text AS table, bounds[1]::timestamptz AS begins, bounds[2]::timestamptz AS ends,
    c.reltuples::bigint AS rows, pg_total_relation_size(c.oid) AS bytes
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, LATERAL regexp_match(
    pg_get_expr(c.relpartbound, c.oid), 'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') AS bounds
WHERE i.inhparent = 'signal'::regclass AND bounds IS NOT NULL ORDER BY ends
"""
_SETTINGS = f"""
SET LOCAL lock_timeout = '{_PATIENCE}'; SET LOCAL statement_timeout = '{int(_LIMIT_S)}s';
SET LOCAL cloister.retention = 'on'
"""
#: Nobody labels or counts from signals that vanish meanwhile.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('cloister.labels')), pg_advisory_xact_lock(hashtext('cloister.rollups'))"
_SAME = "x.instance = d.instance AND x.project_id = d.project_id AND x.iid = d.iid"
_DUE = f"""
SELECT count(*) FROM (SELECT signals_since() AS since) kept, LATERAL (
    SELECT 1 FROM label_due d WHERE EXISTS (
        SELECT FROM comment x WHERE {_SAME} AND x.posted_at >= since AND x.posted_at < $1)
    UNION ALL SELECT 1 FROM rollup_due d
    WHERE d.day >= (since AT TIME ZONE 'UTC')::date AND d.day < ($1 AT TIME ZONE 'UTC')::date
        OR EXISTS (SELECT FROM comment x WHERE {_SAME} AND x.posted_at >= since AND x.posted_at < $1)
        OR EXISTS (SELECT FROM review_fact x WHERE {_SAME} AND x.created_at >= since AND x.created_at < $1)) due
"""
#: Before the watches, in the order of those who add signals; readers go on until the partition goes.
_STILL = "LOCK TABLE ONLY signal IN SHARE ROW EXCLUSIVE MODE"
_MOVE = """
UPDATE signal s SET began_at = young.posted_at FROM (
    SELECT m.id, min(c.posted_at) AS posted_at FROM (
        SELECT DISTINCT merge_request_id FROM signal WHERE began_at < $1 AND comment_id IS NULL) old
    JOIN merge_request m ON m.id = old.merge_request_id
    JOIN comment c USING (instance, project_id, iid) WHERE c.posted_at >= $1 GROUP BY m.id) young
WHERE s.merge_request_id = young.id AND s.comment_id IS NULL AND s.began_at < $1
"""
#: A statement of its own: whoever adds a comment has the row locked, and the next statement sees the comment.
_WATCHES = "SELECT FROM feedback_watch WHERE began_at >= signals_since() AND began_at < $1 FOR UPDATE"
_WATCH = """
UPDATE feedback_watch w SET began_at = coalesce(young.posted_at, w.began_at),
    next_at = CASE WHEN young.posted_at IS NOT NULL THEN w.next_at END,
    expected_at = CASE WHEN young.posted_at IS NOT NULL THEN w.expected_at END,
    seen = CASE WHEN young.posted_at IS NOT NULL THEN w.seen ELSE '{}' END
FROM (
    SELECT o.instance, o.project_id, o.iid, min(c.posted_at) AS posted_at FROM feedback_watch o LEFT JOIN comment c
        ON c.instance = o.instance AND c.project_id = o.project_id AND c.iid = o.iid AND c.posted_at >= $1
    WHERE o.began_at >= signals_since() AND o.began_at < $1 GROUP BY o.instance, o.project_id, o.iid) young
WHERE (w.instance, w.project_id, w.iid) = (young.instance, young.project_id, young.iid)
"""
_KEEP = "UPDATE signals_kept SET since = $1, changed_at = now() WHERE since < $1"


class _Due(Exception):
    """Not all that a month waits for is labelled and counted."""


@dataclass(frozen=True, slots=True)
class Month:
    """Hold a partition of signals: from when to when their comments were posted, how many they are, its size.

    ``rows`` is what Postgres guesses, until the month is dropped.
    """

    table: str
    begins: datetime
    ends: datetime
    rows: int
    bytes: int

    @property
    def name(self) -> str:
        """Return year and month."""
        return f"{self.begins:%Y-%m}"


async def months(pool: Any, days: int | None) -> list[tuple[Month, bool]]:
    """Return the months of signals, the oldest first, and of each whether it is to go after so many *days*."""
    before = gone_before(await pool.fetchval("SELECT now()"), days) if days is not None else None
    found = [await _month(pool, Month(**row)) for row in await pool.fetch(_MONTHS)]
    return [(month, before is not None and month.ends <= before) for month in found]


async def _month(pool: Any, month: Month) -> Month:
    """Return *month* with its rows counted where Postgres has not guessed yet, for then they are few."""
    if month.rows >= 0:
        return month
    return replace(month, rows=await pool.fetchval(f"SELECT count(*) FROM {month.table}", timeout=_LIMIT_S))


async def drop_months(pool: Any, days: int, *, actor: str, tries: int = 1) -> tuple[tuple[Month, ...], str]:
    """Drop the months that are older than so many *days*, the oldest first, as the audit log will say of *actor*.

    What a month waits for is often over a moment later, so each is given some *tries*. Returns those that were dropped,
    and what the next one waits for, empty if nothing is left to do.
    """
    dropped: list[Month] = []
    for month, goes in await months(pool, days):
        if goes:
            found = await _tried(pool, month, actor, tries)
            if isinstance(found, str):
                return tuple(dropped), found
            dropped.append(found)
    return tuple(dropped), ""


async def _tried(pool: Any, month: Month, actor: str, tries: int) -> Month | str:
    """Return the month if it was dropped, otherwise the reason."""
    for left in reversed(range(tries)):
        try:
            return await _drop(pool, month, actor)
        except asyncpg.LockNotAvailableError:
            reason = f"signals of {month.name} are in use"
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError) as error:
            return f"Postgres refuses to let {month.name} go: {error}"
        except _Due as error:
            reason = str(error)
        if left:
            await asyncio.sleep(_PAUSE_S)
    return reason


async def _drop(pool: Any, month: Month, actor: str) -> Month:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SETTINGS)
        await connection.execute(_ALONE)
        if due := await connection.fetchval(_DUE, month.ends, timeout=_LIMIT_S):
            raise _Due(
                f"labels or counts of {month.name} are still due ({due}), which processes with consumers see to"
            )
        rows = await connection.fetchval(f"SELECT count(*) FROM {month.table}", timeout=_LIMIT_S)
        await connection.execute(_STILL)
        for statement in (_MOVE, _WATCHES, _WATCH, _KEEP):
            await connection.execute(statement, month.ends, timeout=_LIMIT_S)
        await connection.execute(f"DROP TABLE {month.table}")
        details = {"rows": rows, "bytes": month.bytes}
        await append(connection, Act(actor, "feedback.drop", month.name, details=details))
        return replace(month, rows=rows)
