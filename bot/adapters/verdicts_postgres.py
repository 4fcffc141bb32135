"""Verdicts of the gate in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from bot.adapters.postgres import translated
from bot.domain.gate_verdict import GateVerdict, Removed, Standing
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Run

_SAVE = """
INSERT INTO verdict (run_id, instance, project_id, iid, source_project_id, head_sha, state, final, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (run_id) DO UPDATE SET source_project_id = excluded.source_project_id, state = excluded.state,
    final = excluded.final, body = excluded.body, changed_at = clock_timestamp()
"""

_JOINED = """
FROM review_run r LEFT JOIN verdict v ON v.run_id = r.id
LEFT JOIN merge_request m ON m.instance = r.instance AND m.project_id = r.project_id AND m.iid = r.iid
"""
#: What anybody sees of a run changes with one of these.
_MARK = "concat_ws(' ', r.id, r.changed_at, v.changed_at, m.run_id, m.closed)"
_STANDING = f"""
SELECT r.body AS run, v.body AS verdict, {_MARK} AS mark, coalesce(v.changed_at, r.changed_at) AS changed_at,
    m.run_id AS current, coalesce(m.closed, false) AS closed
{_JOINED}
"""
_OF_RUN = f"{_STANDING} WHERE r.id = $1"
_REMOVED = """
SELECT project_id, (detail->>'removed_at')::timestamptz AS at FROM review_fact
WHERE run_id = $1 AND detail ? 'removed_at'
"""
_OF_HEAD = f"""{_STANDING}
WHERE r.instance = $1 AND r.head_sha = $3
    AND (r.project_id = $2 AND r.iid = coalesce($4, r.iid) OR $4 IS NULL AND v.source_project_id = $2)
ORDER BY (m.run_id = r.id AND NOT m.closed) IS TRUE DESC, r.created_at DESC LIMIT 1
"""
_MARK_OF = f"SELECT {_MARK} {_JOINED} WHERE r.id = $1"
_LEFT = """
SELECT v.body FROM verdict v JOIN review_run r ON r.id = v.run_id
WHERE r.instance = $1 AND r.project_id = $2 AND r.iid = $3 AND v.state = 'waiting' AND r.state = 'superseded'
    AND r.id <> $4
"""
_NEWEST = """
SELECT v.body FROM verdict v JOIN merge_request m
    ON m.instance = v.instance AND m.project_id = v.project_id AND m.iid = v.iid AND m.run_id = v.run_id
WHERE v.instance = $1 AND v.head_sha = $2 AND NOT m.closed
"""
_BESIDE = f"{_NEWEST} AND (v.project_id, v.iid) <> ($3, $4)"
_ON_HEAD = f"{_NEWEST} AND v.source_project_id = $3 ORDER BY v.project_id, v.iid"


async def save(connection: Any, verdict: GateVerdict) -> None:
    """Store a verdict in the place of the one before; see `bot.ports.Transaction`."""
    await connection.execute(
        _SAVE,
        verdict.run_id,
        verdict.ref.instance,
        verdict.ref.project_id,
        verdict.ref.iid,
        verdict.source_project_id,
        verdict.head_sha,
        verdict.state.value,
        verdict.final,
        verdict.model_dump(mode="json"),
    )


class PostgresVerdicts:
    """Read verdicts, each time on a connection of the pool for no longer than the query; see the port."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def of_run(self, run_id: uuid.UUID) -> Standing | None:
        """Return where a run stands; see the port."""
        async with translated():
            return _standing(await self._pool.fetchrow(_OF_RUN, run_id))

    async def removed(self, run_id: uuid.UUID) -> Removed | None:
        """Return what became of a run; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_REMOVED, run_id)
        return None if row is None else Removed(row["project_id"], row["at"])

    async def of_head(
        self, instance: str, project_id: int, head_sha: str, iid: int | None = None
    ) -> Standing | None:
        """Return where the newest run on a head stands; see the port."""
        async with translated():
            return _standing(await self._pool.fetchrow(_OF_HEAD, instance, project_id, head_sha, iid))

    async def mark_of(self, run_id: uuid.UUID) -> str:
        """Return the mark; see the port."""
        async with translated():
            return await self._pool.fetchval(_MARK_OF, run_id) or ""

    async def left_waiting(self, ref: MergeRequestRef, run_id: uuid.UUID) -> Sequence[GateVerdict]:
        """Return verdicts that were never made; see the port."""
        async with translated():
            rows = await self._pool.fetch(_LEFT, ref.instance, ref.project_id, ref.iid, run_id)
        return [_verdict(row["body"]) for row in rows]

    async def beside(self, ref: MergeRequestRef, head_sha: str) -> Sequence[GateVerdict]:
        """Return the verdicts of others; see the port."""
        async with translated():
            rows = await self._pool.fetch(_BESIDE, ref.instance, head_sha, ref.project_id, ref.iid)
        return [_verdict(row["body"]) for row in rows]

    async def on_head(self, instance: str, project_id: int, head_sha: str) -> Sequence[GateVerdict]:
        """Return the verdicts of merge requests from one project; see the port."""
        async with translated():
            rows = await self._pool.fetch(_ON_HEAD, instance, head_sha, project_id)
        return [_verdict(row["body"]) for row in rows]


def _verdict(body: Any) -> GateVerdict:
    return GateVerdict.model_validate(body, strict=False)


def _standing(row: Any) -> Standing | None:
    if row is None:
        return None
    run = Run.model_validate(row["run"], strict=False)
    current = row["current"]
    return Standing(
        run=run,
        verdict=None if row["verdict"] is None else _verdict(row["verdict"]),
        mark=row["mark"],
        changed_at=row["changed_at"],
        successor=current if current not in {None, run.id} else None,
        closed=row["closed"],
    )
