"""What reviews came to, in Postgres."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot import __version__
from bot.adapters.postgres import storable
from bot.domain.review_fact import ReviewFact

#: A project that moved has its new path from its next review on.
_PROJECT = """
INSERT INTO project (instance, project_id, path) VALUES ($1, $2, $3)
ON CONFLICT (instance, project_id) DO UPDATE SET path = excluded.path WHERE project.path <> excluded.path
"""
#: Whoever had this path has moved away or is gone: nobody may be led to its successor in its name.
_SUCCEEDS = (
    "UPDATE project SET path = '' WHERE instance = $1 AND path = $3 AND path <> '' AND project_id <> $2"
)
#: Later rounds of a run replace what was counted; the times of its first results and of its first comment stay.
_FACT = """
INSERT INTO review_fact (run_id, instance, project_id, iid, created_at, published_at, commented_at, generated, posted,
    standing, filtered, files, files_read, blocking, undecided, waived, trace_id, detail, author_id)
VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $8::int > 0 THEN $6::timestamptz END, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
    $17, $18)
ON CONFLICT (run_id) DO UPDATE SET commented_at = coalesce(review_fact.commented_at, excluded.commented_at),
    generated = excluded.generated, posted = excluded.posted, standing = excluded.standing,
    filtered = excluded.filtered, files = excluded.files, files_read = excluded.files_read,
    blocking = excluded.blocking, undecided = excluded.undecided, waived = excluded.waived, detail = excluded.detail,
    author_id = excluded.author_id
"""
_RELEASE = "INSERT INTO release_seen (release, first_on) VALUES ($1, $2::date) ON CONFLICT DO NOTHING"


async def save_fact(connection: Any, fact: ReviewFact, trace: dict[str, str]) -> None:
    """Store what a run came to; see `bot.ports.Transaction`."""
    ref = fact.ref
    project = ref.instance, ref.project_id, storable(fact.project)
    await connection.execute(_PROJECT, *project)
    await connection.execute(_SUCCEEDS, *project)
    await connection.execute(
        _FACT,
        fact.run_id,
        ref.instance,
        ref.project_id,
        ref.iid,
        fact.created_at,
        fact.published_at,
        fact.generated,
        fact.posted,
        fact.standing,
        dict(fact.filtered),
        fact.files,
        fact.files_read,
        fact.blocking,
        fact.undecided,
        fact.waived,
        _trace_id(trace),
        {"left_out": [asdict(one) for one in fact.left_out], "unread": dict(fact.unread)},
        fact.author_id,
    )
    await connection.execute(_RELEASE, __version__, fact.created_at.date())


def _trace_id(trace: dict[str, str]) -> str:
    """Return the id of a W3C trace context, empty if there is none."""
    parts = trace.get("traceparent", "").split("-")
    return parts[1] if len(parts) == 4 else ""
