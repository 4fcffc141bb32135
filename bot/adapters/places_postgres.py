"""Names of projects and places of comments and reviews, in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from bot.adapters.postgres import translated
from bot.domain.viewer import Reach
from bot.ports.places import CommentPlace

#: More names than this are no help in a field that suggests them.
_MOST_PROJECTS = 500

_PROJECTS = f"""
SELECT project_id, path FROM project
WHERE instance = $1 AND ($2::bigint[] IS NULL OR project_id = ANY($2)) AND path <> ''
ORDER BY path LIMIT {_MOST_PROJECTS}
"""
_COMMENT = """
SELECT p.path, c.iid, c.note_id, c.project_id, f.author_id
FROM comment c JOIN project p USING (instance, project_id) LEFT JOIN review_fact f USING (run_id)
WHERE c.instance = $1 AND c.id = $2 AND p.path <> ''
"""
_REVIEW = """
SELECT run_id, author_id FROM review_fact WHERE instance = $1 AND project_id = $2 AND iid = $3
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
            rows = await self._pool.fetch(
                _PROJECTS, self._instance, None if visible is None else sorted(visible)
            )
        return {row["project_id"]: row["path"] for row in rows}

    async def comment(self, comment_id: uuid.UUID, reach: Reach) -> CommentPlace | None:
        """Return where a comment stands; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_COMMENT, self._instance, comment_id)
        if row is None or not reach.covers(row["project_id"], row["author_id"]):
            return None
        return CommentPlace(row["path"], row["iid"], row["note_id"])

    async def newest_review(self, project_id: int, iid: int, reach: Reach) -> uuid.UUID | None:
        """Return the newest review; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_REVIEW, self._instance, project_id, iid)
        if row is None or not reach.covers(project_id, row["author_id"]):
            return None
        found: uuid.UUID = row["run_id"]
        return found
