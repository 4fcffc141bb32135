"""What may be learned from, and what models were asked, in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from bot.adapters.postgres import translated
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import CallOutcome, Task
from bot.domain.run import REVIEW_STEP, Run

#: Of each project its newest run that has one, by an index: all that runs hold would be gigabytes.
_CONSENTING = """
SELECT p.instance, p.project_id FROM (SELECT DISTINCT instance, project_id FROM review_run) p CROSS JOIN LATERAL (
    SELECT body #>> '{policy,learning,export}' AS export FROM review_run r
    WHERE r.instance = p.instance AND r.project_id = p.project_id AND body->>'revision' IS NOT NULL
    ORDER BY created_at DESC LIMIT 1) newest
WHERE newest.export = 'true'
"""
_OPTED_OUT = "SELECT instance, user_id FROM learning_opt_out"
_OPT_OUT = "INSERT INTO learning_opt_out (instance, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_OPT_IN = "DELETE FROM learning_opt_out WHERE instance = $1 AND user_id = $2"
_AUTHORS = """
SELECT w.instance, w.project_id, w.iid, w.author_id
FROM unnest($1::text[], $2::bigint[], $3::int[]) AS asked(instance, project_id, iid)
JOIN feedback_watch w USING (instance, project_id, iid) WHERE w.author_id IS NOT NULL
"""
_RUN = "SELECT body FROM review_run WHERE id = $1"
_RUN_AT = """
SELECT body FROM review_run
WHERE instance = $1 AND project_id = $2 AND iid = $3 AND head_sha = $4
    AND body->'steps'->$5->>'outcome' IN ('done', 'partial')
ORDER BY created_at DESC LIMIT 1
"""
_INPUTS = "SELECT DISTINCT input_sha256 FROM model_call WHERE run_id = $1 AND task = $2 AND outcome = ANY($3)"

#: Calls whose answer was used; others led to no comment.
_USED = [CallOutcome.used.value, CallOutcome.cached.value]


class PostgresLearning:
    """Implement the port on a pool of connections."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def consenting(self) -> frozenset[tuple[str, int]]:
        """Return the projects; see the port."""
        return await self._pairs(_CONSENTING)

    async def opted_out(self) -> frozenset[tuple[str, int]]:
        """Return the people; see the port."""
        return await self._pairs(_OPTED_OUT)

    async def opt_out(self, instance: str, user_id: int, *, out: bool = True) -> bool:
        """Remember or forget; see the port."""
        async with translated():
            done: str = await self._pool.execute(_OPT_OUT if out else _OPT_IN, instance, user_id)
        return not done.endswith(" 0")

    async def authors(self, refs: Collection[MergeRequestRef]) -> Mapping[MergeRequestRef, int]:
        """Return the authors; see the port."""
        known = list(refs)
        columns = [
            [ref.instance for ref in known],
            [ref.project_id for ref in known],
            [ref.iid for ref in known],
        ]
        async with translated():
            rows = await self._pool.fetch(_AUTHORS, *columns)
        return {
            MergeRequestRef(instance=row["instance"], project_id=row["project_id"], iid=row["iid"]): row[
                "author_id"
            ]
            for row in rows
        }

    async def run(self, run_id: uuid.UUID) -> Run | None:
        """Return a run; see the port."""
        return await self._run(_RUN, run_id)

    async def run_at(self, ref: MergeRequestRef, head_sha: str) -> Run | None:
        """Return the newest run at a head; see the port."""
        return await self._run(_RUN_AT, ref.instance, ref.project_id, ref.iid, head_sha, REVIEW_STEP)

    async def inputs(self, run_id: uuid.UUID) -> frozenset[str]:
        """Return the hashes; see the port."""
        async with translated():
            rows = await self._pool.fetch(_INPUTS, run_id, Task.review.value, _USED)
        return frozenset(row["input_sha256"] for row in rows)

    async def _pairs(self, query: str) -> frozenset[tuple[str, int]]:
        async with translated():
            rows = await self._pool.fetch(query)
        return frozenset((row[0], row[1]) for row in rows)

    async def _run(self, query: str, *values: Any) -> Run | None:
        async with translated():
            row = await self._pool.fetchrow(query, *values)
        return None if row is None else Run.model_validate(row["body"], strict=False)
