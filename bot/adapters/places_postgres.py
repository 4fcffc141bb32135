"""Names of projects and places of comments and reviews, in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from bot.adapters.postgres import translated
from bot.ports.places import CommentPlace

#: More names than this are no help in a field that suggests them.
_MOST_PROJECTS = 500

_VISIBLE = "($2::bigint[] IS NULL OR project_id = ANY($2))"
_PROJECTS = f"""
SELECT project_id, path FROM project WHERE instance = $1 AND {_VISIBLE} AND path <> ''
ORDER BY path LIMIT {_MOST_PROJECTS}
"""
_COMMENT = f"""
SELECT p.path, c.iid, c.note_id FROM comment c JOIN project p USING (instance, project_id)
WHERE c.instance = $1 AND {_VISIBLE} AND c.id = $3 AND p.path <> ''
"""
_REVIEW = f"""
SELECT run_id FROM review_fact WHERE instance = $1 AND {_VISIBLE} AND project_id = $3 AND iid = $4
ORDER BY created_at DESC, run_id DESC LIMIT 1
"""


class PostgresPlaces:
    """Implement the port on a pool of connections, for the projects of *instance*."""

    def __init__(self, pool: Any, instance: str) -> None:
        self._pool = pool
        self._instance = instance

    async def projects(self, visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return paths of projects; see the port."""
        async with translated():
            rows = await self._pool.fetch(_PROJECTS, self._instance, _listed(visible))
        return {row["project_id"]: row["path"] for row in rows}

    async def comment(self, comment_id: uuid.UUID, visible: frozenset[int] | None) -> CommentPlace | None:
        """Return where a comment stands; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_COMMENT, self._instance, _listed(visible), comment_id)
        return CommentPlace(row["path"], row["iid"], row["note_id"]) if row else None

    async def newest_review(
        self, project_id: int, iid: int, visible: frozenset[int] | None
    ) -> uuid.UUID | None:
        """Return the newest review; see the port."""
        async with translated():
            found: uuid.UUID | None = await self._pool.fetchval(
                _REVIEW, self._instance, _listed(visible), project_id, iid
            )
        return found


def _listed(visible: frozenset[int] | None) -> list[int] | None:
    return None if visible is None else sorted(visible)
