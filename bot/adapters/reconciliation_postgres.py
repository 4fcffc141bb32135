"""Whose turn it is to compare the forge with the store, how far that got, and what the store knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.postgres import translated
from bot.domain.errors import Obsolete
from bot.domain.facts import Facts
from bot.domain.merge_request import MergeRequestRef
from bot.domain.missed import Known

#: The update takes no lock while no pass is due. Of two at the same time, the second finds a later `next_at`.
_CLAIM = """
WITH begun AS (
    INSERT INTO reconciliation (instance, updated_after, next_at)
    VALUES ($1, now() - $3::interval, now() + $2::interval) ON CONFLICT DO NOTHING RETURNING updated_after, next_at
), due AS (
    UPDATE reconciliation SET next_at = now() + $2::interval
    WHERE instance = $1 AND next_at <= now() RETURNING updated_after, next_at
)
SELECT * FROM begun UNION ALL SELECT * FROM due
"""

_MOVE = """
UPDATE reconciliation SET updated_after = $3, next_at = now() + $4::interval
WHERE instance = $1 AND next_at = $2 RETURNING updated_after, next_at
"""

_KNOWN_PROJECTS = """
SELECT p FROM unnest($2::bigint[]) AS p
WHERE EXISTS (SELECT 1 FROM merge_request m WHERE m.instance = $1 AND m.project_id = p)
"""

_KNOWN = """
SELECT t.n, m.head_sha, m.closed, m.updated_at, coalesce(w.state = 'closed', false) AS unmerged,
    r.body -> 'facts' AS facts
FROM unnest($1::text[], $2::bigint[], $3::int[]) WITH ORDINALITY AS t(instance, project_id, iid, n)
JOIN merge_request m USING (instance, project_id, iid)
LEFT JOIN feedback_watch w USING (instance, project_id, iid)
LEFT JOIN review_run r ON r.id = m.run_id
"""


class PostgresTurn:
    """Hold a turn; see the port. The end that it was lent until tells it from all other turns."""

    def __init__(self, pool: Any, instance: str, row: Any) -> None:
        self._pool = pool
        self._instance = instance
        self._row = row

    @property
    def updated_after(self) -> datetime:
        """Return the cursor."""
        moment: datetime = self._row["updated_after"]
        return moment

    async def move(self, updated_after: datetime, *, pause: timedelta) -> None:
        """Move the cursor; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_MOVE, self._instance, self._row["next_at"], updated_after, pause)
        if row is None:
            raise Obsolete("another process has taken over this pass")
        self._row = row


class PostgresReconciliations:
    """Implement the port on a pool of connections."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def claim(self, instance: str, *, lease: timedelta, first: timedelta) -> PostgresTurn | None:
        """Return a turn if a pass is due; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_CLAIM, instance, lease, first)
        return PostgresTurn(self._pool, instance, row) if row else None

    async def known_projects(self, instance: str, projects: Collection[int]) -> frozenset[int]:
        """Return those that ever had an event; see the port."""
        async with translated():
            rows = await self._pool.fetch(_KNOWN_PROJECTS, instance, list(projects))
        return frozenset(row["p"] for row in rows)

    async def known(self, refs: Sequence[MergeRequestRef]) -> dict[MergeRequestRef, Known]:
        """Return what is known; see the port."""
        columns = [
            [ref.instance for ref in refs],
            [ref.project_id for ref in refs],
            [ref.iid for ref in refs],
        ]
        async with translated():
            rows = await self._pool.fetch(_KNOWN, *columns)
        return {
            refs[row["n"] - 1]: Known(
                row["head_sha"], row["closed"], row["updated_at"], row["unmerged"], _facts(row["facts"])
            )
            for row in rows
        }


def _facts(body: Any) -> Facts:
    return Facts() if body is None else Facts.model_validate(body, strict=False)
