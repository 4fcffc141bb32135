"""The ledger of feedback in Postgres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.postgres import storable, translated
from bot.adapters.store_rows import REF, key_of
from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import Comment, Signal, comment_id
from bot.domain.watching import Seen, Watch
from bot.ports.feedback import Due, Placed

_COMMENT = """
INSERT INTO comment (id, instance, project_id, iid, fingerprint, run_id, head_sha, rule, scanner, category, severity,
    confidence, language, path, line, end_line, had_suggestion, author_is_bot, posted_at, model, model_digest,
    prompt_version)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    coalesce(m.model, ''), coalesce(m.digest, ''), coalesce(m.prompt_version, '')
FROM (SELECT 1) AS one LEFT JOIN (
    SELECT model, digest, prompt_version FROM model_call
    WHERE run_id = $6 AND task = 'review' AND outcome IN ('used', 'cached') AND $9 = 'model'
    ORDER BY called_at DESC LIMIT 1) AS m ON true
ON CONFLICT DO NOTHING
"""
#: What was posted on a merge request that was watched before makes its looks frequent again.
_WATCH = """
INSERT INTO feedback_watch (instance, project_id, iid, began_at, author_id, target_branch, next_at)
VALUES ($1, $2, $3, $4, $5, $6, $4)
ON CONFLICT (instance, project_id, iid) DO UPDATE SET author_id = coalesce(excluded.author_id, feedback_watch.author_id),
    target_branch = excluded.target_branch
"""
#: Retention ended the watch, and here is a new comment: what happens to the merge request from now on belongs to it.
_WATCH_ANEW = f"UPDATE feedback_watch SET began_at = $4 WHERE {REF} AND began_at < signals_since()"
#: A signal lies in the partition of its comment, or of the first one of its merge request whose signals are kept. One
#: that comes after those were dropped is too late.
_SIGNAL = """
INSERT INTO signal (began_at, id, at, seen_at, merge_request_id, comment_id, note_id, actor_id, actor_is_author,
    actor_is_bot, judged, kind, source, emoji, reply, head_sha, detail)
SELECT coalesce(c.posted_at, w.began_at), $4, $5, $6, m.id, c.id, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
FROM merge_request m JOIN feedback_watch w USING (instance, project_id, iid) LEFT JOIN comment c ON c.id = $7::uuid
WHERE m.instance = $1 AND m.project_id = $2 AND m.iid = $3 AND ($7::uuid IS NULL OR c.id IS NOT NULL)
    AND coalesce(c.posted_at, w.began_at) >= signals_since()
ON CONFLICT DO NOTHING
"""
_PLACE = """
UPDATE comment SET discussion_id = $2, note_id = $3, had_suggestion = $4 WHERE id = $1 AND note_id IS NULL
"""
_LOOKED = f"""
UPDATE feedback_watch SET state = $4, ended_at = $5, head_sha = $6, step = $7, failures = $8, seen = $9,
    next_at = CASE WHEN began_at >= signals_since() THEN least($10, expected_at) END
WHERE {REF}
"""
_EXPECT = f"""
UPDATE feedback_watch SET step = 0, failures = 0,
    next_at = least(coalesce(next_at, 'infinity'), now() + $4::interval),
    expected_at = least(coalesce(expected_at, 'infinity'), now() + $4::interval)
WHERE {REF} AND began_at >= signals_since()
"""
#: One after the other, so that the count of the last minute holds.
_TURN = "SELECT pg_advisory_xact_lock(hashtext('cloister.feedback'))"
_DUE = """
UPDATE feedback_watch w SET claimed_at = now(), next_at = now() + $2::interval, expected_at = NULL
FROM (
    SELECT instance, project_id, iid FROM feedback_watch WHERE next_at <= now() ORDER BY next_at
    LIMIT greatest(0, $1 - (SELECT count(*) FROM feedback_watch WHERE claimed_at > now() - interval '1 minute'))
) AS d
WHERE (w.instance, w.project_id, w.iid) = (d.instance, d.project_id, d.iid)
RETURNING w.instance, w.project_id, w.iid, w.claimed_at
"""
#: Once an hour is enough to know that hooks come.
_HEAR = """
INSERT INTO feedback_project (instance, project_id) VALUES ($1, $2)
ON CONFLICT (instance, project_id) DO UPDATE SET heard_at = now()
WHERE feedback_project.heard_at < now() - interval '1 hour'
"""
_HEARS = """
SELECT EXISTS (SELECT FROM feedback_project
    WHERE instance = $1 AND project_id = $2 AND heard_at > now() - $3::interval)
"""
_SIGNALS = """
SELECT s.*, c.fingerprint FROM signal s JOIN merge_request m ON m.id = s.merge_request_id
LEFT JOIN comment c ON c.id = s.comment_id
WHERE m.instance = $1 AND m.project_id = $2 AND m.iid = $3 ORDER BY s.at, s.id
"""


async def add_comments(
    connection: Any, ref: MergeRequestRef, comments: Sequence[Comment], watch: Watch
) -> None:
    """Store comments that were just opened, and watch their merge request; see `bot.ports.Transaction`."""
    if not comments:
        return
    for month in {one.posted_at.strftime("%Y-%m"): one.posted_at for one in comments}.values():
        await connection.execute("SELECT make_signal_partition($1)", month)
    await connection.executemany(_COMMENT, [_columns(one) for one in comments])
    began = min(one.posted_at for one in comments)
    await connection.execute(_WATCH, *key_of(ref), began, watch.author_id, storable(watch.target_branch))
    await connection.execute(_WATCH_ANEW, *key_of(ref), began)


class PostgresFeedback:
    """Implement the port on a pool of connections."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def comments(self, ref: MergeRequestRef) -> list[Comment]:
        """Return our comments; see the port."""
        async with translated():
            rows = await self._pool.fetch(
                f"SELECT * FROM comment WHERE {REF} ORDER BY posted_at, id", *key_of(ref)
            )
        return [comment_of(ref, row) for row in rows]

    async def signals(self, ref: MergeRequestRef) -> list[Signal]:
        """Return all signals; see the port."""
        async with translated():
            rows = await self._pool.fetch(_SIGNALS, *key_of(ref))
        return [signal_of(ref, row) for row in rows]

    async def kept_since(self) -> datetime:
        """Return the horizon; see the port."""
        async with translated():
            since: datetime = await self._pool.fetchval("SELECT signals_since()")
        return since

    async def watch(self, ref: MergeRequestRef) -> Watch | None:
        """Return what is known; see the port."""
        async with translated():
            row = await self._pool.fetchrow(f"SELECT * FROM feedback_watch WHERE {REF}", *key_of(ref))
        if row is None:
            return None
        seen = {mark: Seen.model_validate(one, strict=False) for mark, one in row["seen"].items()}
        names = (
            "began_at",
            "author_id",
            "state",
            "ended_at",
            "target_branch",
            "head_sha",
            "step",
            "failures",
        )
        return Watch(ref=ref, seen=seen, **{name: row[name] for name in names})

    async def add(self, signals: Sequence[Signal]) -> list[Signal]:
        """Store signals; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            return await _add(connection, signals)

    async def looked(
        self,
        watch: Watch,
        *,
        again_at: datetime | None,
        signals: Sequence[Signal] = (),
        placed: Sequence[Placed] = (),
    ) -> list[Signal]:
        """Remember a look; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(_PLACE, [_place(watch.ref, one) for one in placed])
            new = await _add(connection, signals)
            await connection.execute(
                _LOOKED,
                *key_of(watch.ref),
                watch.state,
                watch.ended_at,
                watch.head_sha,
                watch.step,
                watch.failures,
                {
                    mark: one.model_dump(mode="json", exclude_defaults=True)
                    for mark, one in watch.seen.items()
                },
                again_at,
            )
            return new

    async def expect(self, ref: MergeRequestRef, *, within: timedelta) -> bool:
        """Bring the next look forward; see the port."""
        async with translated():
            done = await self._pool.execute(_EXPECT, *key_of(ref), within)
        return _rows(done) == 1

    async def due(self, *, per_minute: int, lease: timedelta) -> list[Due]:
        """Claim what is due; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_TURN)
            rows = await connection.fetch(_DUE, per_minute, lease)
        return [
            Due(
                MergeRequestRef(instance=row["instance"], project_id=row["project_id"], iid=row["iid"]),
                row["claimed_at"],
            )
            for row in rows
        ]

    async def hear(self, ref: MergeRequestRef) -> None:
        """Remember that hooks come; see the port."""
        async with translated():
            await self._pool.execute(_HEAR, ref.instance, ref.project_id)

    async def hears(self, ref: MergeRequestRef, *, within: timedelta) -> bool:
        """Say whether hooks come; see the port."""
        async with translated():
            return bool(await self._pool.fetchval(_HEARS, ref.instance, ref.project_id, within))


async def _add(connection: Any, signals: Iterable[Signal]) -> list[Signal]:
    return [one for one in signals if _rows(await connection.execute(_SIGNAL, *_values(one))) == 1]


def _place(ref: MergeRequestRef, one: Placed) -> tuple[object, ...]:
    return comment_id(ref, one.fingerprint), one.discussion_id, one.note_id, one.had_suggestion


def _rows(done: str) -> int:
    return int(done.rsplit(maxsplit=1)[-1])


def _columns(one: Comment) -> tuple[object, ...]:
    return (
        one.id,
        *key_of(one.ref),
        one.fingerprint,
        one.run_id,
        one.head_sha,
        storable(one.rule),
        one.scanner,
        one.category,
        one.severity,
        one.confidence,
        one.language,
        storable(one.path),
        one.line,
        one.end_line,
        one.had_suggestion,
        one.author_is_bot,
        one.posted_at,
    )


def _values(one: Signal) -> tuple[object, ...]:
    return (
        *key_of(one.ref),
        one.id,
        one.at,
        one.seen_at,
        comment_id(one.ref, one.fingerprint) if one.fingerprint else None,
        one.note_id,
        one.actor_id,
        one.actor_is_author,
        one.actor_is_bot,
        one.judged,
        one.kind.value,
        one.source.value,
        one.emoji or None,
        one.reply.value if one.reply else None,
        bytes.fromhex(one.head_sha) if one.head_sha else None,
        dict(one.detail) or None,
    )


def comment_of(ref: MergeRequestRef, row: Any) -> Comment:
    """Return the comment on *ref* in a row of its table."""
    fields = dict(row) | {"ref": ref, "discussion_id": row["discussion_id"] or ""}
    return Comment.model_validate(fields, strict=False)


def signal_of(ref: MergeRequestRef, row: Any) -> Signal:
    """Return the signal on *ref* in a row of its table, with the fingerprint of its comment."""
    fields = dict(row) | {
        "ref": ref,
        "fingerprint": row["fingerprint"] or "",
        "head_sha": row["head_sha"].hex() if row["head_sha"] else None,
        "emoji": row["emoji"] or "",
        "detail": row["detail"] or {},
    }
    return Signal.model_validate(fields, strict=False)
