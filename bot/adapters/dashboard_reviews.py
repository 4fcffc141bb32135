"""Single reviews, and the state of the service, in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.adapters.counted_lines import Key, Source
from bot.adapters.counted_lines import newest as newest_lines
from bot.adapters.dead_letters_postgres import letter_of
from bot.adapters.rollup_spans import span_of
from bot.domain.comment_lines import ALL_REVIEWS, Picked, Which
from bot.domain.dashboard import Filters, Labels
from bot.domain.labels import LABEL_VERSION, Censored
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import CallOutcome, ModelCallRecord, Task
from bot.domain.review_detail import (
    MOST,
    REMOVED,
    Cursor,
    Health,
    Queue,
    ReviewDetail,
    ReviewLine,
    Reviews,
    SaidLine,
    StepLine,
)
from bot.domain.review_fact import Reason
from bot.domain.viewer import Reach

#: So many dead letters are shown.
_LETTERS = 20

_LINE = """
SELECT f.run_id, f.instance, f.project_id, f.iid, f.created_at, f.published_at, f.generated, f.posted, f.blocking,
    f.waived, f.files, f.files_read, f.trace_id, f.detail, f.author_id, coalesce(p.path, '') AS path, r.head_sha,
    r.state, r.body, (f.detail->>'removed_at')::timestamptz AS removed_at,
    coalesce(v.body->>'description', '') AS verdict,
    coalesce(jsonb_path_query_array(v.body, '$.blocking[0 to 2].title'), '[]') AS blocks
FROM review_fact f LEFT JOIN project p USING (instance, project_id) LEFT JOIN review_run r ON r.id = f.run_id
LEFT JOIN verdict v ON v.run_id = f.run_id
"""
_PAGE = """
f.instance = $1 AND f.created_at >= $2::date::timestamp AT TIME ZONE 'UTC'
    AND f.created_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'
    AND ($4::timestamptz IS NULL OR (f.created_at, f.run_id) < ($4, $5::uuid))
"""
_NEWEST = "ORDER BY f.created_at DESC, f.run_id DESC LIMIT $6"
#: From each project as many as there are lines: a few steps down an index, however rare its reviews are.
_OF_PROJECTS = f"""
SELECT created_at, run_id FROM unnest($7::bigint[]) AS wanted (number) CROSS JOIN LATERAL (
    SELECT f.run_id, f.created_at FROM review_fact f WHERE f.project_id = wanted.number AND {_PAGE} {_NEWEST}) AS f
ORDER BY created_at DESC, run_id DESC LIMIT $6
"""
_OF_ALL = f"SELECT f.created_at, f.run_id FROM review_fact f WHERE {_PAGE} {_NEWEST}"
_OF_AUTHOR = f"""
SELECT f.created_at, f.run_id FROM review_fact f
WHERE f.author_id = $7 AND ($8::bigint[] IS NULL OR f.project_id = ANY($8)) AND {_PAGE} AND NOT ($9 AND EXISTS (
    SELECT FROM review_fact n WHERE (n.instance, n.project_id, n.iid) = (f.instance, f.project_id, f.iid)
        AND (n.created_at, n.run_id) > (f.created_at, f.run_id)))
    AND {{condition}}
{_NEWEST}
"""
_PROJECTS = """
SELECT project_id FROM project
WHERE instance = $1 AND ($2::bigint[] IS NULL OR project_id = ANY($2)) AND ($3::bigint IS NULL OR project_id = $3)
    AND ($4 = '' OR starts_with(lower(path), lower($4) || '/'))
"""

#: What is counted, and what holds for a single review. A day may count more than there are: it is looked through.
_WHICH: Mapping[Which, tuple[str, str]] = {
    Which.passed: ("r.reviews > greatest(r.blocked, r.undecided)", "f.blocking = 0 AND NOT f.undecided"),
    Which.blocked: ("r.blocked > 0", "f.blocking > 0"),
    Which.undecided: ("r.undecided > 0", "f.undecided"),
    Which.waived: ("r.waived > 0", "f.waived > 0"),
    Which.silent: ("r.silent > 0", "NOT f.standing"),
    Which.unread: ("r.files_read < r.files", "f.files_read < f.files"),
}
_OF_DAY = """
SELECT f.run_id AS id, f.created_at AS at FROM review_fact f
WHERE f.instance = p.instance AND f.project_id = p.project_id AND f.created_at >= t.begins AND f.created_at < t.ends
    AND {conditions}
"""

_SAID = f"""
SELECT c.fingerprint, c.scanner, c.rule, c.severity, c.path, c.line, coalesce(t.state, '') AS state,
    coalesce(l.label, '') AS label, l.censored_why, coalesce((
        SELECT body->>'title' FROM finding f WHERE f.run_id = c.run_id AND f.fingerprint = c.fingerprint LIMIT 1
    ), '') AS title
FROM comment c LEFT JOIN thread t USING (instance, project_id, iid, fingerprint)
LEFT JOIN label l ON l.comment_id = c.id AND l.label_version = {LABEL_VERSION}
WHERE c.instance = $1 AND c.project_id = $2 AND c.iid = $3 AND c.run_id = $4 ORDER BY c.path, c.line LIMIT {MOST}
"""
_CALLS = f"""
SELECT id, run_id, model, digest, prompt_version, input_sha256, output_sha256, prompt_tokens, output_tokens,
    duration_s, outcome, task FROM model_call WHERE run_id = $1 ORDER BY called_at, id LIMIT {MOST}
"""
#: Where the log is Kafka, the table is its outbox, and these wait to be shipped.
_QUEUES = """
SELECT o.consumer_group AS stage, count(*) AS waiting, min(e.appended_at) AS oldest
FROM group_offset o JOIN event e
    ON e.stage = o.consumer_group AND e.partition = o.partition AND e.log_offset >= o.next_offset
GROUP BY 1 ORDER BY 1
"""
_NEWEST_LETTERS = """
SELECT number, consumer_group, event_id, attempts, error, reason, parked_at, record - 'body' AS record
FROM dead_letter ORDER BY number DESC LIMIT $1
"""
_STATE = """
SELECT (SELECT count(*) FROM dead_letter) AS letters, (SELECT count(*) FROM rollup_due) AS due,
    (SELECT min(since) FROM rollup_due) AS due_since, pg_database_size(current_database()) AS bytes
"""


async def reviews(
    connection: Any,
    instance: str,
    filters: Filters,
    picked: Picked,
    after: Cursor | None,
    limit: int,
    *,
    newest: bool,
) -> Reviews:
    """Return a page; see `bot.ports.dashboard`."""
    page = [
        instance,
        filters.since,
        filters.until,
        after.at if after else None,
        after.id if after else None,
        limit + 1,
    ]
    found = set(
        await _of_whole(connection, filters, page)
        if picked == ALL_REVIEWS
        else await _counted(connection, instance, filters, picked, after, limit + 1)
    )
    if filters.own is not None and filters.visible is not None:
        own = await _chosen(connection, instance, filters.own.projects, filters)
        query = _OF_AUTHOR.format(condition=_condition(picked))
        found.update(await _rows(connection, query, *page, filters.own.author, own, newest))
    keys = sorted(found, reverse=True)
    rows = await connection.fetch(
        f"{_LINE} WHERE f.run_id = ANY($1::uuid[]) ORDER BY f.created_at DESC, f.run_id DESC",
        [run_id for _, run_id in keys[:limit]],
    )
    return Reviews(tuple(_line(row) for row in rows), Cursor(*keys[limit - 1]) if len(keys) > limit else None)


async def _counted(
    connection: Any, instance: str, filters: Filters, picked: Picked, after: Cursor | None, limit: int
) -> list[Key]:
    """Return the newest of those that are *picked*, wherever the counts say that there are any."""
    span = await span_of(connection, instance, replace(filters, only={}))
    if span is None:
        return []
    return await newest_lines(connection, span, _source(picked), after, limit)


def _source(picked: Picked) -> Source:
    table, counted = "rollup_bucket", f"r.what = 'reason:{picked.unsaid}'"
    if picked.which is not None:
        table, counted = "rollup", _WHICH[picked.which][0]
    return Source(table, counted, _OF_DAY.format(conditions=_condition(picked)))


def _condition(picked: Picked) -> str:
    """Return what holds for a review ``f`` that is *picked*."""
    conditions = [] if picked.which is None else [_WHICH[picked.which][1]]
    if picked.unsaid is not None:
        conditions.append(f"f.filtered ? '{picked.unsaid}'")
    return " AND ".join(conditions) or "true"


async def _of_whole(connection: Any, filters: Filters, page: Sequence[Any]) -> list[Key]:
    """Return the reviews of projects of which all may be seen."""
    chosen = await _chosen(connection, page[0], filters.visible, filters)
    if chosen is None:
        return await _rows(connection, _OF_ALL, *page)
    return await _rows(connection, _OF_PROJECTS, *page, chosen) if chosen else []


async def _chosen(
    connection: Any, instance: str, projects: frozenset[int] | None, filters: Filters
) -> list[int] | None:
    """Return those of *projects* that are filtered for, None for all that there are."""
    numbers = None if projects is None else list(projects)
    if filters.project_id is None and not filters.group and not numbers:
        return numbers
    rows = await connection.fetch(_PROJECTS, instance, numbers, filters.project_id, filters.group)
    return [row["project_id"] for row in rows]


async def _rows(connection: Any, query: str, *arguments: Any) -> list[Key]:
    return [(row["created_at"], row["run_id"]) for row in await connection.fetch(query, *arguments)]


async def review(connection: Any, instance: str, run_id: uuid.UUID, reach: Reach) -> ReviewDetail | None:
    """Return one review; see `bot.ports.dashboard`."""
    row = await connection.fetchrow(f"{_LINE} WHERE f.run_id = $1 AND f.instance = $2", run_id, instance)
    if row is None or not reach.covers(row["project_id"], row["author_id"]):
        return None
    body, detail = row["body"] or {}, row["detail"]
    said = await connection.fetch(_SAID, instance, row["project_id"], row["iid"], run_id)
    calls = await connection.fetch(_CALLS, run_id)
    return ReviewDetail(
        line=_line(row),
        steps=tuple(_step(name, step) for name, step in body.get("steps", {}).items()),
        said=tuple(_said(one) for one in said),
        filtered=tuple(
            SaidLine(**{**one, "reason": Reason(one["reason"])}) for one in detail.get("left_out", ())
        ),
        unread=detail.get("unread", {}),
        problems=tuple(body.get("problems", ())),
        calls=tuple(_call(one) for one in calls),
        trace_id=row["trace_id"],
        removed_at=row["removed_at"],
    )


async def health(connection: Any, labels: Labels) -> Health:
    """Return the state of the service, *labels* being those of late; see `bot.ports.dashboard`."""
    state = await connection.fetchrow(_STATE)
    letters = await connection.fetch(_NEWEST_LETTERS, _LETTERS)
    queues = await connection.fetch(_QUEUES)
    comments = labels.comments
    return Health(
        letters=tuple(letter_of(row) for row in letters),
        letter_count=state["letters"],
        queues=tuple(Queue(row["stage"], row["waiting"], row["oldest"]) for row in queues),
        due=state["due"],
        due_since=state["due_since"],
        unknown_share=labels.unknown / comments if comments else None,
        censored_share=labels.censored / comments if comments else None,
        database_bytes=state["bytes"],
    )


def _line(row: Any) -> ReviewLine:
    body = row["body"] or {}
    names = ("run_id", "created_at", "published_at", "generated", "posted", "blocking", "waived", "files")
    return ReviewLine(
        ref=MergeRequestRef(instance=row["instance"], project_id=row["project_id"], iid=row["iid"]),
        project=row["path"],
        title=body.get("title", ""),
        head_sha=row["head_sha"] or "",
        state=REMOVED if row["removed_at"] else row["state"] or "",
        files_read=row["files_read"],
        verdict=row["verdict"],
        blocks=tuple(row["blocks"]),
        **{name: row[name] for name in names},
    )


def _said(row: Any) -> SaidLine:
    return SaidLine(**{**row, "censored_why": Censored(row["censored_why"]) if row["censored_why"] else None})


def _step(name: str, step: Mapping[str, Any]) -> StepLine:
    return StepLine(
        name,
        step.get("outcome", ""),
        step.get("problem", ""),
        float(step.get("duration_s", 0.0)),
        int(step.get("tokens", 0)),
    )


def _call(row: Any) -> ModelCallRecord:
    return ModelCallRecord(
        **{**row, "outcome": CallOutcome(row["outcome"]), "task": Task(row["task"])},
    )
