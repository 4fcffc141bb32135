"""Forget a project, or a person: delete what is kept of them, and keep that it was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.adapters.audit_log_postgres import append
from bot.adapters.postgres import translated
from bot.domain.audit_log import Act

#: Tables whose rows name their project only by another row of it, and how; before those that are named.
_BY = (
    ("label", "comment_id IN (SELECT id FROM comment WHERE instance = $1 AND project_id = $2)"),
    (
        "signal",
        "merge_request_id IN (SELECT id FROM merge_request WHERE instance = $1 AND project_id = $2)",
    ),
    ("model_call", "run_id IN (SELECT id FROM review_run WHERE instance = $1 AND project_id = $2)"),
    ("finding", "run_id IN (SELECT id FROM review_run WHERE instance = $1 AND project_id = $2)"),
    *(
        (table, "project IN (SELECT id FROM project WHERE instance = $1 AND project_id = $2)")
        for table in ("rollup", "rollup_kind", "rollup_bucket")
    ),
    ("event", "starts_with(key, $1::text || ':' || $2::bigint || ':')"),
    ("delayed_event", "starts_with(key, $1::text || ':' || $2::bigint || ':')"),
    ("dead_letter", "starts_with(record->>'key', $1::text || ':' || $2::bigint || ':')"),
)
#: Tables that hold nothing of one project.
OF_NO_PROJECT = frozenset(
    {
        "api_token",
        "audit_entry",
        "comment_kind",
        "event_partition",
        "forgotten",
        "group_member",
        "group_offset",
        "inbox",
        "instance_key",
        "label_rebuild",
        "learning_opt_out",
        "login_link",
        "model_answer",
        "noise_pass",
        "policy_version",
        "reconciliation",
        "release_seen",
        "web_session",
    }
)
BY_ANOTHER_ROW = frozenset(table for table, _ in _BY)
#: Last, because triggers of the others write here.
_LAST = ("label_due", "rollup_due", "project")

#: What is the project's own has these columns, partitions of other tables aside.
_OWN = """
SELECT c.relname FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'instance' AND NOT a.attisdropped
JOIN pg_attribute p ON p.attrelid = c.oid AND p.attname = 'project_id' AND NOT p.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname
"""
#: A person's signals go, and labels follow by a trigger. What others rely on stays without the person.
_PERSON = (
    ("signal", "DELETE FROM signal WHERE actor_id = $2 AND $1::text IS NOT NULL"),
    (
        "declined_finding",
        "UPDATE declined_finding SET user_id = NULL WHERE instance = $1 AND user_id = $2",
    ),
    (
        "feedback_watch",
        "UPDATE feedback_watch SET author_id = NULL WHERE instance = $1 AND author_id = $2",
    ),
    (
        "review_fact",
        "UPDATE review_fact SET author_id = NULL WHERE instance = $1 AND author_id = $2",
    ),
    (
        "answered_comment",
        "UPDATE answered_comment SET author_id = 0 WHERE instance = $1 AND author_id = $2",
    ),
)
#: There is one GitLab to sign in with.
_SESSIONS = "DELETE FROM web_session WHERE user_id = $1"
_KEEP = "INSERT INTO forgotten (instance, what, subject, rows) VALUES ($1, $2, $3, $4)"
_LIMIT_S = 3_600.0


async def forget_project(pool: Any, instance: str, project_id: int, *, actor: str) -> Mapping[str, int]:
    """Delete all rows of a project, all or none; return how many went, by table. The audit log has the *actor*."""
    async with translated(), pool.acquire() as connection, connection.transaction():
        await _unlimited(connection)
        own = [row["relname"] for row in await connection.fetch(_OWN)]
        statements = [
            *_BY,
            *(
                (table, "instance = $1 AND project_id = $2")
                for table in sorted(own, key=lambda table: _LAST.index(table) + 1 if table in _LAST else 0)
            ),
        ]
        gone = {}
        for table, condition in statements:
            query = f'DELETE FROM "{table}" WHERE {condition}'
            gone[table] = _rows(await connection.execute(query, instance, project_id, timeout=_LIMIT_S))
        return await _kept(connection, instance, "project", str(project_id), gone, actor)


async def forget_person(
    pool: Any, instance: str, user_id: int, pseudonym: str, *, actor: str
) -> Mapping[str, int]:
    """Delete what a person did with comments, and take the name off the rest; return how many rows, by table.

    Waivers and the audit log keep who decided: they are the record of who let something pass.
    """
    async with translated(), pool.acquire() as connection, connection.transaction():
        await _unlimited(connection)
        gone = {
            table: _rows(await connection.execute(query, instance, user_id, timeout=_LIMIT_S))
            for table, query in _PERSON
        }
        gone["web_session"] = _rows(await connection.execute(_SESSIONS, user_id))
        return await _kept(connection, instance, "person", pseudonym, gone, actor)


async def _unlimited(connection: Any) -> None:
    await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL cloister.retention = 'on'")


async def _kept(
    connection: Any, instance: str, what: str, subject: str, gone: Mapping[str, int], actor: str
) -> Mapping[str, int]:
    found = {table: count for table, count in gone.items() if count}
    await connection.execute(_KEEP, instance, what, subject, found)
    project_id = int(subject) if what == "project" else None
    await append(connection, Act(actor, f"{what}.forget", subject, project_id, found))
    return found


def _rows(status: str) -> int:
    return int(status.rpartition(" ")[2])
