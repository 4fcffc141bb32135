"""Keep the counts of dashboards up with what they count.

Whatever writes a review, a comment, a signal or a label says in the same transaction, by a trigger, which merge
request is to be counted anew (table ``rollup_due``). A pass takes some of these rows away and counts the days and
months that they touch, all in one transaction: a crash leaves both or neither, and what is written meanwhile is due
again. Since days are counted wholly anew, rows that come late, change their label or go are nothing special. Days
whose signals were dropped because of their age are not counted again: what was counted stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from bot.adapters.postgres import translated
from bot.adapters.rollup_sql import (
    COMMENTS,
    FORGET_DAYS,
    FORGET_MONTHS,
    KINDS,
    MONTHS,
    REVIEWS,
)

_LIMIT_S = 300.0
#: What a step may take: the signals of a batch, of which there are some hundred thousand.
_MEMORY = "64MB"

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('cloister.rollups'))"
_TAKE = """
DELETE FROM rollup_due WHERE id IN (SELECT id FROM rollup_due ORDER BY id LIMIT $1)
RETURNING instance, project_id, iid, day
"""
#: A merge request touches each day on which it was reviewed or commented on.
_TOUCHED = """
WITH due AS (SELECT DISTINCT * FROM unnest($1::text[], $2::bigint[], $3::int[], $4::date[])
    AS d (instance, project_id, iid, day)),
touched AS (
    SELECT instance, project_id, day FROM due WHERE day IS NOT NULL
    UNION SELECT c.instance, c.project_id, (c.posted_at AT TIME ZONE 'UTC')::date
        FROM due JOIN comment c USING (instance, project_id, iid)
    UNION SELECT f.instance, f.project_id, (f.created_at AT TIME ZONE 'UTC')::date
        FROM due JOIN review_fact f USING (instance, project_id, iid)),
named AS (
    INSERT INTO project (instance, project_id) SELECT DISTINCT instance, project_id FROM touched
    WHERE NOT EXISTS (
        SELECT FROM project p WHERE p.instance = touched.instance AND p.project_id = touched.project_id)
    ON CONFLICT DO NOTHING RETURNING id, instance, project_id)
SELECT coalesce(p.id, named.id) AS project, day
FROM touched LEFT JOIN project p USING (instance, project_id) LEFT JOIN named USING (instance, project_id)
WHERE coalesce(p.id, named.id) IS NOT NULL AND day >= (
    SELECT (signals_since() AT TIME ZONE 'UTC')::date)
"""
#: Month by month: the signals of one are read while they are in memory, and each month is added up once.
_ALL_DUE = """
INSERT INTO rollup_due (instance, project_id, day)
SELECT instance, project_id, day FROM (
    SELECT instance, project_id, (posted_at AT TIME ZONE 'UTC')::date AS day FROM comment
    UNION SELECT instance, project_id, (created_at AT TIME ZONE 'UTC')::date FROM review_fact
    UNION SELECT p.instance, p.project_id, r.starts FROM rollup r JOIN project p ON p.id = r.project
        WHERE NOT r.monthly) AS counted
ORDER BY date_trunc('month', day), instance, project_id, day
"""


async def roll_up(pool: Any, *, batch: int = 2_000) -> int:
    """Count anew what is due, up to *batch* rows of it; return how many there were.

    Of passes at the same time one does it, and the others return 0.
    """
    async with translated(), pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"SET LOCAL statement_timeout = {int(_LIMIT_S * 1000)}; SET LOCAL work_mem = '{_MEMORY}'; SET LOCAL jit = off"
        )
        if not await connection.fetchval(_LOCK):
            return 0
        due = await connection.fetch(_TAKE, batch)
        if due:
            columns = zip(*(tuple(row) for row in due), strict=True)
            rows = await connection.fetch(_TOUCHED, *map(list, columns), timeout=_LIMIT_S)
            await _count(connection, [(row["project"], row["day"]) for row in rows])
        return len(due)


async def recount(pool: Any) -> None:
    """Have everything counted anew by the next passes."""
    async with translated():
        await pool.execute(_ALL_DUE, timeout=_LIMIT_S)


async def _count(connection: Any, days: Sequence[tuple[int, date]]) -> None:
    months = {(project, day.replace(day=1)) for project, day in days}
    await _run(connection, (*FORGET_DAYS, KINDS, COMMENTS, REVIEWS), days)
    await _run(connection, (*FORGET_MONTHS, *MONTHS), sorted(months))


async def _run(connection: Any, statements: Iterable[str], when: Sequence[tuple[int, date]]) -> None:
    projects, days = [project for project, _ in when], [day for _, day in when]
    for statement in statements:
        await connection.execute(statement, projects, days, timeout=_LIMIT_S)
