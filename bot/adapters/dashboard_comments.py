"""Single comments, as the dashboard lists them, in Postgres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bot.adapters.counted_lines import Source, newest
from bot.adapters.rollup_spans import span_of
from bot.adapters.rollup_sql import THUMBS_DOWN
from bot.domain.comment_lines import Became, CommentLine, Comments, Deed
from bot.domain.dashboard import Dimension, Filters
from bot.domain.labels import LABEL_VERSION, Censored
from bot.domain.merge_request import MergeRequestRef
from bot.domain.review_detail import Cursor

#: One by one: to join them with what they must be, Postgres would begin with all labels of that kind.
_LABEL = f"""coalesce((
    SELECT l.label FROM label l WHERE l.comment_id = c.id AND l.label_version = {LABEL_VERSION}), 'censored')"""
_OWN = "s.comment_id = c.id AND s.began_at = c.posted_at"
_COUNTED_ALL = "r.accepted_strong + r.accepted_weak + r.rejected_strong + r.unknown + r.censored"
#: What is counted, and what holds for a single comment; both as `bot.adapters.rollup_sql` counts.
_BECAME: Mapping[Became | None, tuple[str, str]] = {
    None: (_COUNTED_ALL, "true"),
    **{
        Became(label): (f"r.{label}", f"{_LABEL} = '{label}'")
        for label in ("accepted_strong", "accepted_weak", "rejected_strong", "unknown", "censored")
    },
    Became.decided: (
        "r.accepted_strong + r.accepted_weak + r.rejected_strong",
        f"{_LABEL} IN ('accepted_strong', 'accepted_weak', 'rejected_strong')",
    ),
    Became.acted_on: (
        "r.accepted_strong + r.accepted_weak",
        f"{_LABEL} IN ('accepted_strong', 'accepted_weak')",
    ),
    Became.downvoted: (
        "r.downvoted",
        f"""EXISTS (SELECT FROM (
            SELECT DISTINCT ON (s.actor_id) s.kind FROM signal s WHERE {_OWN} AND {THUMBS_DOWN}
            ORDER BY s.actor_id, s.at DESC, s.seen_at DESC, s.id DESC) last WHERE last.kind = 'reaction_added')""",
    ),
    Became.suggested: ("r.suggested", "c.had_suggestion"),
    Became.applied: ("r.applied", f"EXISTS (SELECT FROM signal s WHERE {_OWN} AND s.kind = 'applied')"),
    Became.open_critical: (
        "r.open_criticals",
        f"""c.severity = 'critical'
        AND NOT EXISTS (SELECT FROM signal s WHERE {_OWN} AND s.kind IN ('applied', 'gone', 'waived'))
        AND EXISTS (SELECT FROM merge_request m JOIN signal s ON s.merge_request_id = m.id
            WHERE m.instance = c.instance AND m.project_id = c.project_id AND m.iid = c.iid
                AND s.comment_id IS NULL AND s.kind = 'merged')""",
    ),
}

#: As in the counts, names are cut to what fits into an index.
_VALUES = {one: f"left(c.{one.value}, 200)" for one in Dimension} | {
    Dimension.model: "CASE WHEN c.model = '' THEN '' ELSE left(c.model, 200) || '@' || left(c.model_digest, 12) END"
}
_OF_DAY = """
SELECT c.id, c.posted_at AS at FROM comment c
WHERE c.instance = p.instance AND c.project_id = p.project_id AND c.posted_at >= t.begins AND c.posted_at < t.ends
    AND {conditions}
"""
_LINE = f"""
SELECT c.id, c.instance, c.project_id, c.iid, c.run_id, c.posted_at, c.scanner, c.rule, c.category, c.severity,
    c.language, c.path, c.line, c.had_suggestion, coalesce(p.path, '') AS project, {_LABEL} AS label, (
        SELECT l.censored_why FROM label l WHERE l.comment_id = c.id AND l.label_version = {LABEL_VERSION}
    ) AS censored_why, coalesce((
        SELECT body->>'title' FROM finding f WHERE f.run_id = c.run_id AND f.fingerprint = c.fingerprint LIMIT 1
    ), '') AS title
FROM comment c LEFT JOIN project p USING (instance, project_id)
WHERE c.id = ANY($1::uuid[]) ORDER BY c.posted_at DESC, c.id DESC
"""
#: Whoever takes a reaction back has not reacted; whoever says the same twice has said it once.
_DEEDS = """
SELECT comment_id, deed, count(DISTINCT coalesce(actor_id, 0)) AS people FROM (
    SELECT DISTINCT ON (s.comment_id, s.actor_id, deed) s.comment_id, s.actor_id, s.kind, deed
    FROM unnest($1::uuid[], $2::timestamptz[]) AS c (id, posted_at)
    JOIN signal s ON s.comment_id = c.id AND s.began_at = c.posted_at CROSS JOIN LATERAL (SELECT CASE
        WHEN s.kind IN ('applied', 'resolved', 'changed', 'gone', 'waived', 'ignored') THEN s.kind
        WHEN s.kind = 'unresolved' THEN 'resolved'
        WHEN s.kind = 'reply' THEN CASE s.reply WHEN 'agrees' THEN 'agreed' WHEN 'wrong' THEN 'called_wrong'
            WHEN 'wont_fix' THEN 'declined' WHEN 'question' THEN 'asked' ELSE 'replied' END
        WHEN s.kind IN ('reaction_added', 'reaction_removed') THEN CASE
            WHEN split_part(s.emoji, '_', 1) IN ('thumbsup', '+1') THEN 'thumbs_up'
            WHEN split_part(s.emoji, '_', 1) IN ('thumbsdown', '-1') THEN 'thumbs_down'
            ELSE 'other_reaction' END END AS deed) d
    WHERE deed IS NOT NULL AND NOT (s.actor_is_bot AND s.kind IN ('resolved', 'unresolved', 'reply', 'reaction_added'))
    ORDER BY s.comment_id, s.actor_id, deed, s.at DESC, s.seen_at DESC, s.id DESC) last
WHERE kind NOT IN ('reaction_removed', 'unresolved') GROUP BY 1, 2
"""


async def comments(
    connection: Any, instance: str, filters: Filters, became: Became | None, after: Cursor | None, limit: int
) -> Comments:
    """Return a page; see `bot.ports.dashboard`."""
    span = await span_of(connection, instance, filters)
    if span is None:
        return Comments(())
    counted, condition = _BECAME[became]
    held = [f"{_VALUES[one]} = ${number}" for number, one in enumerate(filters.only, 6)]
    lines = _OF_DAY.format(conditions=" AND ".join((condition, *held)))
    source = Source("rollup_kind", f"{counted} > 0", lines, tuple(filters.only.values()))
    keys = await newest(connection, span, source, after, limit + 1)
    rows = await connection.fetch(_LINE, [key for _, key in keys[:limit]])
    deeds = await _deeds(connection, rows)
    return Comments(
        tuple(_line(row, deeds.get(row["id"], {})) for row in rows),
        Cursor(*keys[limit - 1]) if len(keys) > limit else None,
    )


async def _deeds(connection: Any, rows: Any) -> Mapping[UUID, Mapping[Deed, int]]:
    keys = ([row["id"] for row in rows], [row["posted_at"] for row in rows])
    found: dict[UUID, dict[Deed, int]] = {}
    for row in await connection.fetch(_DEEDS, *keys):
        found.setdefault(row["comment_id"], {})[Deed(row["deed"])] = row["people"]
    return {one: dict(sorted(did.items(), key=lambda item: _ORDER[item[0]])) for one, did in found.items()}


_ORDER = {deed: number for number, deed in enumerate(Deed)}


def _line(row: Any, did: Mapping[Deed, int]) -> CommentLine:
    names = (
        "id", "project", "run_id", "posted_at", "scanner", "rule", "category", "severity", "language", "path",
        "line", "title", "label",
    )  # fmt: skip
    return CommentLine(
        ref=MergeRequestRef(instance=row["instance"], project_id=row["project_id"], iid=row["iid"]),
        suggested=row["had_suggestion"],
        did=did,
        censored_why=Censored(row["censored_why"]) if row["censored_why"] else None,
        **{name: row[name] for name in names},
    )
