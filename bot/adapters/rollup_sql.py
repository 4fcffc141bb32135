"""How days and months are counted: each statement counts some days, or months, wholly anew.

$1 are the projects, $2 the days, one of each a row. Nothing is added to what was counted before, so counting twice,
late or in any order comes to the same.
"""

from __future__ import annotations

from bot.domain.buckets import GROWTH
from bot.domain.dashboard_counts import LABELS
from bot.domain.labels import LABEL_VERSION

_DAYS = """day AS MATERIALIZED (
    SELECT p.id AS project, p.instance, p.project_id, d.day,
        d.day::timestamp AT TIME ZONE 'UTC' AS begins, (d.day + 1)::timestamp AT TIME ZONE 'UTC' AS ends
    FROM unnest($1::int[], $2::date[]) AS d (project, day) JOIN project p ON p.id = d.project)"""

#: How comments are told apart; what is longer than a name should be is cut, so that it fits into an index.
_DIMENSIONS = (
    "scanner",
    "rule",
    "category",
    "severity",
    "language",
    "model",
    "model_digest",
    "prompt_version",
)
_KIND = ", ".join(f"left(c.{name}, 200)" for name in _DIMENSIONS)

#: The rows of each day by an index: left alone, Postgres would compare every row with every day.
_COMMENTS = """day CROSS JOIN LATERAL (
        SELECT * FROM comment c WHERE c.instance = day.instance AND c.project_id = day.project_id
            AND c.posted_at >= day.begins AND c.posted_at < day.ends OFFSET 0) c"""

THUMBS_DOWN = """s.kind IN ('reaction_added', 'reaction_removed') AND NOT s.actor_is_bot
    AND split_part(s.emoji, '_', 1) IN ('thumbsdown', '-1')"""

#: Our comments of a day. Their kinds are not joined: Postgres would take a join on so many columns for one that leaves
#: a single row, and go through what follows in nested loops.
_TOLD = f"""told AS MATERIALIZED (
    SELECT * FROM (
        SELECT day.project, day.day, c.id, c.posted_at, c.severity, c.had_suggestion, m.id AS merge_request_id,
            coalesce(l.label, 'censored') AS label, (
                SELECT k.id FROM comment_kind k
                WHERE ({", ".join(f"k.{name}" for name in _DIMENSIONS)}) = ({_KIND})) AS kind
        FROM {_COMMENTS}
        LEFT JOIN merge_request m
            ON m.instance = c.instance AND m.project_id = c.project_id AND m.iid = c.iid
        LEFT JOIN label l ON l.comment_id = c.id AND l.label_version = {LABEL_VERSION}
        OFFSET 0) c
    WHERE kind IS NOT NULL)"""

#: Its reviews. The first review of a merge request stands for it.
_REVIEWED = """reviewed AS MATERIALIZED (
    SELECT day.project, day.day, f.*, m.id AS merge_request_id, NOT EXISTS (
        SELECT FROM review_fact e
        WHERE e.instance = f.instance AND e.project_id = f.project_id AND e.iid = f.iid
            AND (e.created_at, e.run_id) < (f.created_at, f.run_id)) AS first
    FROM day CROSS JOIN LATERAL (
        SELECT * FROM review_fact f WHERE f.instance = day.instance AND f.project_id = day.project_id
            AND f.created_at >= day.begins AND f.created_at < day.ends OFFSET 0) f
    LEFT JOIN merge_request m ON m.instance = f.instance AND m.project_id = f.project_id AND m.iid = f.iid)"""

#: What became of each comment, and when merge requests were merged: their signals are read once, by an index, whatever
#: partitions they lie in. A person counts once, by the last thumbs-down that was given or taken back.
_HAPPENED = f"""signalled AS MATERIALIZED (
    SELECT s.* FROM (
        SELECT merge_request_id FROM told UNION SELECT merge_request_id FROM reviewed WHERE first) t
    CROSS JOIN LATERAL (
        SELECT s.merge_request_id, s.comment_id, s.began_at, s.kind, s.at, s.seen_at, s.id, s.actor_id,
            s.actor_is_bot, {THUMBS_DOWN} AS thumb
        FROM signal s WHERE s.merge_request_id = t.merge_request_id OFFSET 0) s),
merged AS MATERIALIZED (
    SELECT merge_request_id, min(at) AS at FROM signalled
    WHERE comment_id IS NULL AND kind = 'merged' GROUP BY merge_request_id),
became AS MATERIALIZED (
    SELECT comment_id, began_at, bool_or(kind = 'applied') AS applied,
        bool_or(kind IN ('applied', 'gone', 'waived')) AS settled,
        min(at) FILTER (WHERE kind IN ('applied', 'resolved') AND NOT actor_is_bot) AS ended_at
    FROM signalled WHERE comment_id IS NOT NULL GROUP BY comment_id, began_at),
thumbs AS MATERIALIZED (
    SELECT DISTINCT comment_id, began_at FROM (
        SELECT DISTINCT ON (comment_id, began_at, actor_id) comment_id, began_at, kind FROM signalled
        WHERE thumb AND comment_id IS NOT NULL
        ORDER BY comment_id, began_at, actor_id, at DESC, seen_at DESC, id DESC) last
    WHERE kind = 'reaction_added'),
happened AS MATERIALIZED (
    SELECT told.*, b.applied, b.ended_at, (told.id, told.posted_at) IN (
            SELECT comment_id, began_at FROM thumbs) AS downvoted,
        NOT coalesce(b.settled, false) AND told.merge_request_id IN (
            SELECT merge_request_id FROM merged) AS left_open
    FROM told LEFT JOIN became b ON b.comment_id = told.id AND b.began_at = told.posted_at)"""

KINDS = f"""
WITH {_DAYS}
INSERT INTO comment_kind ({", ".join(_DIMENSIONS)}, first_on)
SELECT {_KIND}, min(day.day)
FROM {_COMMENTS}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ON CONFLICT ON CONSTRAINT comment_kind_once DO UPDATE SET first_on = excluded.first_on
WHERE excluded.first_on < comment_kind.first_on
"""


def _seconds(interval: str) -> str:
    seconds = f"extract(epoch FROM {interval})::float8"
    return f"ceil(ln(greatest({seconds}, 1)) / ln({GROWTH}::float8))::smallint"


#: Columns of comments, and of reviews, that are only counted.
COMMENT_COUNTS = (*LABELS, "downvoted", "suggested", "applied", "open_criticals")
REVIEW_COUNTS = (
    "reviews",
    "merge_requests",
    "silent",
    "generated",
    "posted",
    "files",
    "files_read",
    "blocked",
    "undecided",
    "waived",
)

COMMENTS = f"""
WITH {_DAYS}, {_TOLD}, {_REVIEWED}, {_HAPPENED}, ended AS (
    SELECT r.project, r.day, r.created_at, merged.at, (
        SELECT count(*) FROM review_fact f
        WHERE f.instance = r.instance AND f.project_id = r.project_id AND f.iid = r.iid) AS rounds
    FROM reviewed r JOIN merged USING (merge_request_id) WHERE r.first),
spread AS (
    INSERT INTO rollup_bucket (monthly, project, what, starts, bucket, cases)
    SELECT false, project, 'resolve', day, {_seconds("ended_at - posted_at")}, count(*)
        FROM happened WHERE ended_at IS NOT NULL GROUP BY 2, 4, 5
    UNION ALL SELECT false, project, 'first_comment', day, {_seconds("commented_at - created_at")}, count(*)
        FROM reviewed WHERE commented_at IS NOT NULL GROUP BY 2, 4, 5
    UNION ALL SELECT false, project, 'merge', day, {_seconds("at - created_at")}, count(*) FROM ended GROUP BY 2, 4, 5
    UNION ALL SELECT false, project, 'rounds', day, least(rounds, 1000)::smallint, count(*)
        FROM ended GROUP BY 2, 4, 5
    UNION ALL SELECT false, project, 'reason:' || reason, day, 0, sum(cases::int)
        FROM reviewed, jsonb_each_text(filtered) AS why (reason, cases) GROUP BY 2, 3, 4)
INSERT INTO rollup_kind (monthly, project, starts, kind, {", ".join(COMMENT_COUNTS)}, sample)
SELECT false, project, day, kind, {", ".join(f"count(*) FILTER (WHERE label = '{label}')" for label in LABELS)},
    count(*) FILTER (WHERE downvoted), count(*) FILTER (WHERE had_suggestion), count(*) FILTER (WHERE applied),
    count(*) FILTER (WHERE left_open AND severity = 'critical'),
    (array_agg(id ORDER BY posted_at DESC, id) FILTER (WHERE label = 'rejected_strong'))[1]
FROM happened GROUP BY project, day, kind
"""

REVIEWS = f"""
WITH {_DAYS}, {_REVIEWED}, counted AS (
    SELECT project, day, count(*) AS reviews, count(*) FILTER (WHERE first) AS merge_requests,
        count(*) FILTER (WHERE NOT standing) AS silent, sum(generated) AS generated, sum(posted) AS posted,
        sum(files) AS files, sum(files_read) AS files_read, count(*) FILTER (WHERE blocking > 0) AS blocked,
        count(*) FILTER (WHERE undecided) AS undecided, count(*) FILTER (WHERE waived > 0) AS waived
    FROM reviewed GROUP BY project, day),
said AS (
    SELECT k.project, k.starts AS day, {", ".join(f"sum(k.{name}) AS {name}" for name in COMMENT_COUNTS)}
    FROM day JOIN rollup_kind k ON NOT k.monthly AND k.project = day.project AND k.starts = day.day
    GROUP BY k.project, k.starts)
INSERT INTO rollup (monthly, project, starts, {", ".join((*COMMENT_COUNTS, *REVIEW_COUNTS))})
SELECT false, project, day, {", ".join(f"coalesce({name}, 0)" for name in (*COMMENT_COUNTS, *REVIEW_COUNTS))}
FROM said FULL JOIN counted USING (project, day)
"""

#: All that is counted in buckets, by steps through an index: with it, the rows of a day are found by their key.
_WHATS = """
ARRAY(
    WITH RECURSIVE known AS (
        (SELECT what FROM rollup_bucket WHERE NOT monthly ORDER BY what LIMIT 1)
        UNION ALL SELECT (
            SELECT b.what FROM rollup_bucket b WHERE NOT b.monthly AND b.what > known.what ORDER BY b.what LIMIT 1)
        FROM known WHERE known.what IS NOT NULL)
    SELECT what FROM known WHERE what IS NOT NULL)"""
FORGET_DAYS = tuple(
    f"DELETE FROM {table} r USING unnest($1::int[], $2::date[]) AS d (project, day)"
    f" WHERE NOT r.monthly AND r.project = d.project AND r.starts = d.day{more}"
    for table, more in (
        ("rollup", ""),
        ("rollup_kind", ""),
        ("rollup_bucket", f" AND r.what = ANY({_WHATS})"),
    )
)
FORGET_MONTHS = tuple(
    one.replace("NOT r.monthly", "r.monthly")
    .replace("NOT b.monthly", "b.monthly")
    .replace("NOT monthly", "monthly")
    for one in FORGET_DAYS
)


def _month(table: str, keys: tuple[str, ...], counts: tuple[str, ...], more: str = "") -> str:
    """Return what adds up the days of months; $2 are their first days."""
    columns = ", ".join((*keys, *counts))
    kept = ", ".join(f"r.{key}" for key in keys)
    return f"""
    INSERT INTO {table} (monthly, project, starts, {columns}{", " + more if more else ""})
    SELECT true, r.project, d.day, {kept + ", " if kept else ""}{", ".join(f"sum(r.{one})" for one in counts)}
        {", (array_agg(r.sample ORDER BY r.starts DESC) FILTER (WHERE r.sample IS NOT NULL))[1]" if more else ""}
    FROM unnest($1::int[], $2::date[]) AS d (project, day) JOIN {table} r ON NOT r.monthly AND r.project = d.project
        AND r.starts >= d.day AND r.starts < d.day + interval '1 month'
    GROUP BY r.project, d.day{", " + kept if kept else ""}
    """


MONTHS = (
    _month("rollup", (), (*COMMENT_COUNTS, *REVIEW_COUNTS)),
    _month("rollup_kind", ("kind",), COMMENT_COUNTS, "sample"),
    _month("rollup_bucket", ("what", "bucket"), ("cases",)),
)
