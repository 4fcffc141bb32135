"""Remove old reviews from the inside: runs with their findings, verdicts and model calls.

They go merge request by merge request, once it is closed and all that happened to it is old. What each review came to
stays (table ``review_fact``), with the day of the removal; so do comments, labels, counts, threads, waivers and the
audit log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from bot.adapters.audit_log_postgres import append
from bot.domain.audit_log import Act
from bot.domain.run import ENDED
from bot.reviewer.quieting import REMEMBERED

#: So many merge requests are locked at a time: intake waits for those only, and they are closed.
_BATCH: Final = 500
_LIMIT_S: Final = 300.0

_SAME: Final = "(x.instance, x.project_id, x.iid) = (m.instance, m.project_id, m.iid)"
#: Labels are derived from runs as long as signals are kept, and new comments are compared with those of a year. Whether
#: a project consents to an export is what its newest policy says, and that is in a run.
_OLD: Final = f"""
m.closed AND NOT EXISTS (
    SELECT FROM review_run x WHERE {_SAME} AND (x.created_at >= now() - $1::interval OR x.state <> ALL($2::text[])))
AND NOT EXISTS (
    SELECT FROM comment x WHERE {_SAME} AND x.posted_at >= least(signals_since(), now() - $3::interval))
AND m.iid IS DISTINCT FROM (
    SELECT x.iid FROM review_run x WHERE x.instance = m.instance AND x.project_id = m.project_id
        AND x.body->>'revision' IS NOT NULL ORDER BY x.created_at DESC LIMIT 1)
"""
_FOUND = f"""
SELECT m.id FROM merge_request m JOIN (
    SELECT DISTINCT instance, project_id, iid FROM review_run
    WHERE state = ANY($2::text[]) AND created_at < now() - $1::interval) r USING (instance, project_id, iid)
WHERE {_OLD} ORDER BY m.id
"""
_COUNT = f"""
SELECT count(*) FROM review_run r JOIN merge_request m USING (instance, project_id, iid)
WHERE r.state = ANY($2::text[]) AND r.created_at < now() - $1::interval AND {_OLD}
"""
#: In the order of those who review. What somebody has reopened meanwhile stays, and what is locked goes another time.
_LOCK = f"SELECT m.id FROM merge_request m WHERE m.id = ANY($4::bigint[]) AND {_OLD} FOR UPDATE SKIP LOCKED"
_RUNS = """
SELECT r.id FROM review_run r JOIN merge_request m USING (instance, project_id, iid) WHERE m.id = ANY($1::bigint[])
"""
_QUIET = "SET LOCAL cloister.retention = 'reviews'"
#: A run that was never published has no figures, and goes without a trace.
_MARK = """
UPDATE review_fact SET detail = jsonb_build_object('removed_at', now()), trace_id = '' WHERE run_id = ANY($1::uuid[])
"""
#: Before runs: what hangs on them would go with them, uncounted.
_PARTS: Final = ("model_call", "finding", "verdict")
TABLES: Final = ("review_run", *_PARTS)
_FORGET_HEAD = "UPDATE merge_request SET run_id = NULL, head_sha = NULL WHERE id = ANY($1::bigint[])"


async def remove_reviews(pool: Any, keep: timedelta, *, actor: str) -> Mapping[str, int]:
    """Remove reviews that are older than *keep*; return how many rows went, by table; the audit log has them by batches."""
    gone: Counter[str] = Counter(dict.fromkeys(TABLES, 0))
    found = [row["id"] for row in await pool.fetch(_FOUND, *_asked(keep), timeout=_LIMIT_S)]
    for begin in range(0, len(found), _BATCH):
        async with pool.acquire() as connection, connection.transaction():
            went = await _remove(connection, keep, found[begin : begin + _BATCH])
            if went["review_run"]:
                act = Act(actor, "reviews.remove", f"{keep.days} days", details=went)
                await append(connection, act)
        gone.update(went)
    return gone


async def going(pool: Any, keep: timedelta) -> int:
    """Return how many runs `remove_reviews` would remove now."""
    return int(await pool.fetchval(_COUNT, *_asked(keep), timeout=_LIMIT_S))


async def _remove(connection: Any, keep: timedelta, found: list[int]) -> Mapping[str, int]:
    locked = [row["id"] for row in await connection.fetch(_LOCK, *_asked(keep), found, timeout=_LIMIT_S)]
    runs = [row["id"] for row in await connection.fetch(_RUNS, locked)]
    await connection.execute(_QUIET)
    await connection.execute(_MARK, runs)
    gone = {
        table: await _delete(connection, f"DELETE FROM {table} WHERE run_id = ANY($1::uuid[])", runs)
        for table in _PARTS
    }
    await connection.execute(_FORGET_HEAD, locked)
    gone["review_run"] = await _delete(connection, "DELETE FROM review_run WHERE id = ANY($1::uuid[])", runs)
    return gone


async def _delete(connection: Any, statement: str, runs: list[Any]) -> int:
    return int((await connection.execute(statement, runs, timeout=_LIMIT_S)).split()[-1])


def _asked(keep: timedelta) -> tuple[Any, ...]:
    return keep, [state.value for state in ENDED], REMEMBERED
