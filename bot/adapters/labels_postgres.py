"""Labels of comments, and the histories that they are derived from, in Postgres."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from bot.adapters.feedback_postgres import comment_of, signal_of
from bot.adapters.postgres import translated
from bot.domain.labels import Censored, Label, Labelled, Push
from bot.domain.merge_request import MergeRequestRef
from bot.ports import Begun, DueLabels, History, LabelCount, LabelTurn, Place

#: One bound, so that the index of times serves every page.
_COMMENTS = "SELECT * FROM comment WHERE (posted_at, id) > ($1, $2) ORDER BY posted_at, id LIMIT $3"

_WAIT = "SELECT true FROM pg_advisory_xact_lock(hashtext('cloister.labels'))"
_TRY = "SELECT pg_try_advisory_xact_lock(hashtext('cloister.labels'))"
_DUE = "SELECT id, instance, project_id, iid FROM label_due ORDER BY id LIMIT $1"
_DONE = "DELETE FROM label_due WHERE id = ANY($1::bigint[])"

#: Named by merge request: a label needs what happened to the whole of it too.
_OF_MERGE_REQUESTS = """
FROM unnest($1::text[], $2::bigint[], $3::int[]) AS asked(instance, project_id, iid)
"""
#: Whatever the note says: without the signals, nothing can be said of these anew.
_COMMENTS_OF = f"""
SELECT c.* {_OF_MERGE_REQUESTS} JOIN comment c USING (instance, project_id, iid)
WHERE c.posted_at >= (SELECT signals_since())
"""
_SINCE = "SELECT signals_since()"
_WITHOUT_SIGNALS = """
SELECT count(*) FROM comment WHERE posted_at < (SELECT signals_since()) AND ($1::timestamptz IS NULL OR posted_at >= $1)
    AND ($2::timestamptz IS NULL OR posted_at <= $2) AND ($3::bigint IS NULL OR project_id = $3)
"""
_RELABELLED = """
SELECT DISTINCT c.instance, c.project_id, c.iid FROM label l JOIN comment c ON c.id = l.comment_id
WHERE l.decided_at >= $1
"""
_SIGNALS = f"""
SELECT m.instance, m.project_id, m.iid, s.*, c.fingerprint
{_OF_MERGE_REQUESTS} JOIN merge_request m USING (instance, project_id, iid)
JOIN signal s ON s.merge_request_id = m.id LEFT JOIN comment c ON c.id = s.comment_id
"""

#: A head is first seen when its run begins. A run in which the model, asked only about what changed since an earlier
#: head, was shown nothing and missed nothing, is of a push that changed none of the request's own rows.
_PUSHES = f"""
SELECT instance, project_id, iid, head_sha, min(created_at) AS at, bool_and(
    coalesce(body #>> '{{steps,review,since}}', '') <> ''
    AND body #> '{{steps,review,shown}}' = '{{}}' AND body #> '{{steps,review,not_analysed}}' = '{{}}'
    AND body #>> '{{steps,review,outcome}}' = 'done') AS rebase
{_OF_MERGE_REQUESTS} JOIN review_run USING (instance, project_id, iid)
GROUP BY instance, project_id, iid, head_sha
"""

_KEEP = """
INSERT INTO label (comment_id, label_version, label, censored_why, contradictory, reasons, frozen_at, late_at)
SELECT k.comment_id, $2, k.label, k.censored_why, k.contradictory,
    CASE WHEN k.reasons = '' THEN ARRAY[]::uuid[] ELSE string_to_array(k.reasons, ',')::uuid[] END,
    k.frozen_at, k.late_at
FROM unnest($1::uuid[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::timestamptz[], $8::timestamptz[])
    AS k(comment_id, label, censored_why, contradictory, reasons, frozen_at, late_at)
ON CONFLICT (comment_id, label_version) DO UPDATE SET label = excluded.label, censored_why = excluded.censored_why,
    contradictory = excluded.contradictory, reasons = excluded.reasons, frozen_at = excluded.frozen_at,
    late_at = excluded.late_at, decided_at = now()
WHERE (label.label, label.censored_why, label.contradictory, label.reasons, label.frozen_at, label.late_at)
    IS DISTINCT FROM (excluded.label, excluded.censored_why, excluded.contradictory, excluded.reasons,
        excluded.frozen_at, excluded.late_at)
"""
_PROGRESS = """
INSERT INTO label_rebuild (label_version, since, posted_at, comment_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (label_version) DO UPDATE SET since = excluded.since, posted_at = excluded.posted_at,
    comment_id = excluded.comment_id
"""
_BEGUN = "SELECT since, posted_at, comment_id FROM label_rebuild WHERE label_version = $1"
_FINISH = "DELETE FROM label_rebuild WHERE label_version = $1"

_COUNTS = """
SELECT l.label, l.censored_why, l.contradictory, count(*) AS count, count(l.frozen_at) AS frozen,
    count(l.late_at) AS late
FROM label l JOIN comment c ON c.id = l.comment_id
WHERE l.label_version = $1 AND ($2::timestamptz IS NULL OR c.posted_at >= $2)
    AND ($3::bigint IS NULL OR c.project_id = $3)
GROUP BY l.label, l.censored_why, l.contradictory
"""
_OF_COMMENT = """
SELECT label_version, label, censored_why, contradictory, reasons, frozen_at, late_at
FROM label WHERE comment_id = $1
"""

#: Before any GitLab.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Key = tuple[str, int, int]
_ORDER: Final = {label: number for number, label in enumerate(Label)}


class _Turn:
    """Store on the connection whose transaction holds the lock: neither outlives the other."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def keep(
        self,
        version: int,
        labels: Mapping[uuid.UUID, Labelled],
        *,
        begun: Begun | None = None,
        done: Sequence[int] = (),
    ) -> int:
        """Store labels and progress together; see the port."""
        found = list(labels.values())
        columns = (
            [one.label.value for one in found],
            [one.censored_why.value if one.censored_why else "" for one in found],
            [one.contradictory for one in found],
            [",".join(map(str, one.reasons)) for one in found],
            [one.frozen_at for one in found],
            [one.late_at for one in found],
        )
        async with translated():
            kept = await self._connection.execute(_KEEP, list(labels), version, *columns)
            await self._connection.execute(_DONE, done)
            if begun is not None and begun.place is not None:
                place = begun.place
                await self._connection.execute(
                    _PROGRESS, version, begun.since, place.posted_at, place.comment_id
                )
        return int(kept.rpartition(" ")[2])

    async def finish(self, version: int) -> None:
        """Forget how far a rebuild got; see the port."""
        async with translated():
            await self._connection.execute(_FINISH, version)


class PostgresLabels:
    """Implement the port on a pool of connections."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @asynccontextmanager
    async def turn(self, *, wait: bool) -> AsyncIterator[LabelTurn | None]:
        """Take the one lock; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            ours = await connection.fetchval(_WAIT if wait else _TRY)
            yield _Turn(connection) if ours else None

    async def due(self, *, limit: int) -> DueLabels:
        """Return what is due; see the port."""
        async with translated(), self._pool.acquire() as connection:
            notes = await connection.fetch(_DUE, limit)
            if not notes:
                return DueLabels((), ())
            rows = await connection.fetch(_COMMENTS_OF, *_columns({_key(note) for note in notes}))
            return DueLabels([note["id"] for note in notes], await _histories(connection, rows))

    async def relabelled(self, since: datetime) -> Sequence[MergeRequestRef]:
        """Return where labels are new; see the port."""
        async with translated():
            return [_ref(row) for row in await self._pool.fetch(_RELABELLED, since)]

    async def histories(
        self, *, limit: int, since: datetime | None = None, after: Place | None = None
    ) -> Sequence[History]:
        """Return comments with their histories; see the port."""
        async with translated(), self._pool.acquire() as connection:
            kept = Place(await connection.fetchval(_SINCE), uuid.UUID(int=0))
            start = max(kept, after or Place(since or _EARLIEST, uuid.UUID(int=0)))
            rows = await connection.fetch(_COMMENTS, start.posted_at, start.comment_id, limit)
            return await _histories(connection, rows)

    async def without_signals(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        project_id: int | None = None,
    ) -> int:
        """Count comments whose signals are gone; see the port."""
        async with translated():
            return int(await self._pool.fetchval(_WITHOUT_SIGNALS, since, until, project_id))

    async def begun(self, version: int) -> Begun | None:
        """Return how far a rebuild got; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_BEGUN, version)
        return Begun(row["since"], Place(row["posted_at"], row["comment_id"])) if row else None

    async def counts(
        self, version: int, *, since: datetime | None = None, project_id: int | None = None
    ) -> Sequence[LabelCount]:
        """Return the counts; see the port."""
        async with translated():
            rows = await self._pool.fetch(_COUNTS, version, since, project_id)
        found = [
            LabelCount(
                Label(row["label"]),
                row["count"],
                row["censored_why"],
                row["contradictory"],
                row["frozen"],
                row["late"],
            )
            for row in rows
        ]
        return sorted(found, key=lambda one: (_ORDER[one.label], one.why, one.contradictory))

    async def of_comment(self, comment_id: uuid.UUID) -> Mapping[int, Labelled]:
        """Return the labels of one comment; see the port."""
        async with translated():
            rows = await self._pool.fetch(_OF_COMMENT, comment_id)
        return {row["label_version"]: _labelled(row) for row in rows}


async def _histories(connection: Any, rows: Sequence[Any]) -> list[History]:
    """Return the histories of the comments in *rows*."""
    refs = {_key(row): _ref(row) for row in rows}
    signals, pushes = defaultdict(list), defaultdict(list)
    for row in await connection.fetch(_SIGNALS, *_columns(refs)):
        signals[_key(row)].append(signal_of(refs[_key(row)], row))
    for row in await connection.fetch(_PUSHES, *_columns(refs)):
        pushes[_key(row)].append(Push(row["at"], row["head_sha"], row["rebase"]))
    return [
        History(comment_of(refs[_key(row)], row), signals[_key(row)], pushes.get(_key(row))) for row in rows
    ]


def _columns(keys: Iterable[_Key]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)] or [[], [], []]


def _labelled(row: Any) -> Labelled:
    return Labelled(
        Label(row["label"]),
        tuple(row["reasons"]),
        Censored(row["censored_why"]) if row["censored_why"] else None,
        row["contradictory"],
        row["frozen_at"],
        row["late_at"],
    )


def _ref(row: Any) -> MergeRequestRef:
    return MergeRequestRef(instance=row["instance"], project_id=row["project_id"], iid=row["iid"])


def _key(row: Any) -> _Key:
    return row["instance"], row["project_id"], row["iid"]
