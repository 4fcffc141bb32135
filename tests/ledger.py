"""Put comments and signals of told histories into a database, without the stages that collect them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.histories import Told

_RUN = """
INSERT INTO review_run (id, instance, project_id, iid, head_sha, state, body, created_at)
VALUES ($1, $2, $3, $4, $5, 'finished', $6, $7)
"""
_COMMENT = """
INSERT INTO comment (id, instance, project_id, iid, fingerprint, run_id, head_sha, rule, scanner, category, severity,
    confidence, language, path, line, end_line, model, model_digest, prompt_version, author_is_bot, posted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', $13, 1, 1, '', '', '', $14, $15)
"""
_SIGNAL = """
INSERT INTO signal (began_at, id, at, seen_at, merge_request_id, comment_id, actor_id, actor_is_author, actor_is_bot,
    judged, kind, source, emoji, reply, head_sha)
VALUES ($1, $2, $3, $4, $5, $6, $7, false, $8, $9, $10, $11, $12, $13, decode($14, 'hex'))
"""
_MERGE_REQUEST = """
INSERT INTO merge_request (instance, project_id, iid) VALUES ($1, $2, $3)
ON CONFLICT (instance, project_id, iid) DO UPDATE SET closed = merge_request.closed RETURNING id
"""


async def store(pool: Any, told: Iterable[Told]) -> None:
    """Store histories, and a run for each of their pushes."""
    async with pool.acquire() as connection, connection.transaction():
        for one in told:
            await _store(connection, one)


async def _store(connection: Any, told: Told) -> None:
    comment, ref = told.comment, told.comment.ref
    key = (ref.instance, ref.project_id, ref.iid)
    number = await connection.fetchval(_MERGE_REQUEST, *key)
    await connection.execute("SELECT make_signal_partition($1)", comment.posted_at)
    place = (
        comment.rule,
        comment.scanner,
        comment.category,
        comment.severity,
        comment.confidence,
        comment.path,
    )
    run_id, head = comment.run_id, comment.head_sha
    end = (*place, comment.author_is_bot, comment.posted_at)
    await connection.execute(_COMMENT, comment.id, *key, comment.fingerprint, run_id, head, *end)
    for signal in told.signals:
        await connection.execute(
            _SIGNAL,
            comment.posted_at,
            signal.id,
            signal.at,
            signal.seen_at,
            number,
            comment.id if signal.fingerprint else None,
            signal.actor_id,
            signal.actor_is_bot,
            signal.judged,
            signal.kind.value,
            signal.source.value,
            signal.emoji or None,
            signal.reply.value if signal.reply else None,
            signal.head_sha,
        )
    for count, push in enumerate(told.pushes):
        first = push.head_sha == comment.head_sha
        step = {
            "outcome": "done",
            "since": "" if first else comment.head_sha,
            "shown": {},
            "not_analysed": {},
        }
        if not push.rebase:
            step["shown"] = {"a.py": 1}
        run_id = comment.run_id if first else _other(comment.run_id, count)
        await connection.execute(_RUN, run_id, *key, push.head_sha, {"steps": {"review": step}}, push.at)


def _other(run_id: Any, count: int) -> Any:
    return type(run_id)(int=run_id.int ^ count)
