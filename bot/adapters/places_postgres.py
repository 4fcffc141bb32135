"""Names of projects and places of comments and reviews, in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bot.adapters.postgres import translated
from bot.domain.viewer import Reach
from bot.ports.places import CommentPlace

#: More names than this are no help in a field that suggests them.
_MOST_NAMES = 50
#: Without a text, groups are those of so many projects: nobody looks for a group in a list of thousands.
_MOST_UNASKED = 1_000
#: So many projects of the same name are told apart.
_MOST_NAMESAKES = 3

_VISIBLE = "($2::bigint[] IS NULL OR project_id = ANY($2))"
_KNOWN = f"FROM project WHERE instance = $1 AND {_VISIBLE} AND path <> ''"
_PROJECTS = f"""
SELECT project_id, path {_KNOWN} AND strpos(lower(path), lower($3)) > 0
ORDER BY strpos('/' || lower(path), '/' || lower($3)) = 0, path LIMIT {_MOST_NAMES}
"""
_GROUPS = f"""
SELECT path FROM (
    SELECT DISTINCT array_to_string(names[1:depth], '/') AS path
    FROM (SELECT string_to_array(path, '/') AS names {_KNOWN} AND strpos(lower(path), lower($3)) > 0
        ORDER BY path LIMIT CASE WHEN $3 = '' THEN {_MOST_UNASKED} END) p
    CROSS JOIN generate_series(1, cardinality(names) - 1) AS depth) g
WHERE strpos(lower(path), lower($3)) > 0
ORDER BY strpos('/' || lower(path), '/' || lower($3)) = 0, path LIMIT {_MOST_NAMES}
"""
_NAMED = f"SELECT project_id, path {_KNOWN} AND project_id = ANY($3::bigint[])"
_CALLED = f"""
SELECT project_id, path, lower(path) = lower($3) AS whole {_KNOWN}
    AND (lower(path) = lower($3) OR right(lower(path), length($3) + 1) = '/' || lower($3))
ORDER BY 3 DESC, path LIMIT {_MOST_NAMESAKES}
"""
_HAS_GROUP = f"SELECT EXISTS (SELECT {_KNOWN} AND starts_with(lower(path), lower($3) || '/'))"
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

    async def projects(self, visible: frozenset[int] | None, *, containing: str = "") -> Mapping[int, str]:
        """Return paths of projects to suggest; see the port."""
        return _paths(await self._read(_PROJECTS, visible, containing))

    async def groups(self, visible: frozenset[int] | None, *, containing: str = "") -> Sequence[str]:
        """Return paths of groups to suggest; see the port."""
        return [row["path"] for row in await self._read(_GROUPS, visible, containing)]

    async def named(self, numbers: Collection[int], visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return the paths of projects; see the port."""
        return _paths(await self._read(_NAMED, visible, list(numbers))) if numbers else {}

    async def called(self, name: str, visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return the project of a name; see the port."""
        rows = await self._read(_CALLED, visible, name)
        return _paths(rows[:1] if rows and rows[0]["whole"] else rows)

    async def has_group(self, path: str, visible: frozenset[int] | None) -> bool:
        """Say whether there is a group; see the port."""
        return bool((await self._read(_HAS_GROUP, visible, path))[0]["exists"])

    async def _read(self, query: str, visible: frozenset[int] | None, sought: object) -> list[Any]:
        async with translated():
            rows: list[Any] = await self._pool.fetch(query, self._instance, _listed(visible), sought)
        return rows

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


def _listed(visible: frozenset[int] | None) -> list[int] | None:
    return None if visible is None else sorted(visible)


def _paths(rows: Iterable[Any]) -> dict[int, str]:
    return {row["project_id"]: row["path"] for row in rows}
