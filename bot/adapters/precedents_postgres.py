"""Comments that people accepted or rejected, and their vectors, in Postgres; pgvector compares them where it is there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bot.adapters.postgres import translated
from bot.domain.findings import MODEL
from bot.domain.labels import LABEL_VERSION, Label
from bot.domain.quiet.veto import text_of
from bot.ports.noise import Precedent, Text

_CLEAR: Final = [label.value for label in Label if label.accepted or label is Label.rejected_strong]
#: What was said longer ago is not compared with: each costs time at every publication.
_MOST: Final = 5_000

#: The project itself, and those that lie beside it in its group.
_GROUP = """
SELECT o.project_id FROM project o WHERE o.instance = $1 AND (o.project_id = $2 OR EXISTS (
    SELECT FROM project p WHERE p.instance = $1 AND p.project_id = $2 AND p.path <> '' AND o.path <> ''
    AND regexp_replace(o.path, '/[^/]*$', '') = regexp_replace(p.path, '/[^/]*$', '')))
"""
#: Who decided is who stands behind the signals that made the label.
_PAST = f"""
SELECT c.id, c.project_id, c.iid, l.label, f.body->>'category' AS category, f.body->>'title' AS title,
    f.body->>'message' AS message, coalesce((
        SELECT array_agg(DISTINCT s.actor_id) FROM signal s
        WHERE s.comment_id = c.id AND s.id = ANY(l.reasons) AND s.actor_id IS NOT NULL), '{{}}') AS people
FROM comment c JOIN label l ON l.comment_id = c.id AND l.label_version = $3 AND l.label = ANY($4)
JOIN LATERAL (SELECT body FROM finding f WHERE f.run_id = c.run_id AND f.fingerprint = c.fingerprint LIMIT 1) f ON true
WHERE c.instance = $1 AND c.project_id IN ({_GROUP}) AND c.scanner = $5 AND c.posted_at >= $6
ORDER BY c.posted_at DESC, c.id LIMIT {_MOST}
"""
_MISSING = """
SELECT c.id, c.project_id, f.body->>'category' AS category, f.body->>'title' AS title, f.body->>'message' AS message
FROM comment c JOIN label l ON l.comment_id = c.id AND l.label_version = $3 AND l.label = ANY($4)
JOIN LATERAL (SELECT body FROM finding f WHERE f.run_id = c.run_id AND f.fingerprint = c.fingerprint LIMIT 1) f ON true
LEFT JOIN comment_vector v ON v.comment_id = c.id
WHERE c.instance = $1 AND c.scanner = $5 AND c.posted_at >= $6 AND v.model IS DISTINCT FROM $2
ORDER BY c.posted_at DESC, c.id LIMIT $7
"""
_KEEP = """
INSERT INTO comment_vector (comment_id, instance, project_id, model, dimension, vector) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (comment_id) DO UPDATE SET model = excluded.model, dimension = excluded.dimension, vector = excluded.vector
"""
#: Vectors of other lengths would end the query, and the planner may compare before it filters.
_COSINES = """
SELECT comment_id, CASE WHEN model = $2 AND dimension = $3
    THEN 1 - (vector::{vector} OPERATOR({schema}.<=>) $4::real[]::{vector}) END AS cosine
FROM comment_vector WHERE comment_id = ANY($1)
"""
_EXTENSION = """
SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'vector'
"""


class PostgresPrecedents:
    """Implement the port on a pool of connections, for the projects of *instance*."""

    def __init__(self, pool: Any, instance: str) -> None:
        self._pool = pool
        self._instance = instance

    async def past(self, project_id: int, since: datetime) -> Sequence[Precedent]:
        """Return comments with a clear label; see the port."""
        async with translated():
            rows = await self._pool.fetch(
                _PAST, self._instance, project_id, LABEL_VERSION, _CLEAR, MODEL, since
            )
        return [
            Precedent(
                comment=row["id"],
                merge_request=f"{row['project_id']}:{row['iid']}",
                accepted=Label(row["label"]).accepted,
                people=frozenset(row["people"]),
                text=_text(row),
            )
            for row in rows
        ]

    async def cosines(
        self, comments: Sequence[uuid.UUID], vector: Sequence[float], model: str
    ) -> Mapping[uuid.UUID, float]:
        """Return how near vectors are; see the port."""
        async with translated():
            schema = await self._pool.fetchval(_EXTENSION)
            if schema is None or not comments:
                return {}
            query = _COSINES.format(schema=schema, vector=f"{schema}.vector")
            rows = await self._pool.fetch(query, list(comments), model, len(vector), list(vector))
        return {row["comment_id"]: row["cosine"] for row in rows if row["cosine"] is not None}

    async def missing(self, model: str, since: datetime, *, limit: int) -> Sequence[Text]:
        """Return comments without a vector; see the port."""
        async with translated():
            if await self._pool.fetchval(_EXTENSION) is None:
                return []
            rows = await self._pool.fetch(
                _MISSING, self._instance, model, LABEL_VERSION, _CLEAR, MODEL, since, limit
            )
        return [Text(row["id"], row["project_id"], _text(row)) for row in rows]

    async def keep(self, texts: Sequence[Text], vectors: Sequence[Sequence[float]], model: str) -> None:
        """Store vectors; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(
                _KEEP,
                [
                    (text.comment, self._instance, text.project_id, model, len(vector), list(vector))
                    for text, vector in zip(texts, vectors, strict=True)
                ],
            )


def _text(row: Any) -> str:
    return text_of(row["category"] or "", row["title"] or "", row["message"] or "")
