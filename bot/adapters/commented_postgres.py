"""What comments of ours there are, in Postgres, for whoever names a project or a rule that may have none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.adapters.postgres import translated
from bot.domain.quiet.muting import Scope, Subject, group_of

_SUBJECTS = """
SELECT DISTINCT scanner, CASE WHEN $2 THEN category ELSE rule END AS name FROM comment
WHERE instance = $1 AND ($3::bigint IS NULL OR project_id = $3) AND ($4 = '' OR project_id IN (
    SELECT project_id FROM project WHERE instance = $1 AND starts_with(lower(path), lower($4) || '/')))
"""
_ANY = """
SELECT EXISTS (SELECT FROM comment
    WHERE ($1::bigint IS NULL OR project_id = $1) AND ($2::timestamptz IS NULL OR posted_at >= $2))
"""


async def subjects_like(pool: Any, instance: str, subject: Subject) -> set[str]:
    """Return the rules, or the categories, of all comments of the team of *subject*, each after its scanner."""
    group = group_of(subject.team)
    project = None if group else int(subject.team)
    async with translated():
        rows = await pool.fetch(_SUBJECTS, instance, subject.scope is Scope.category, project, group)
    return {f"{row['scanner']}/{row['name']}" for row in rows}


async def has_comments(pool: Any, *, project_id: int | None, since: datetime | None) -> bool:
    """Say whether there is a comment of that project, or of any, posted since then."""
    async with translated():
        return bool(await pool.fetchval(_ANY, project_id, since))
