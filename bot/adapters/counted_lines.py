"""Pages of what was counted, the newest first: the counts themselves say on which days of which projects it is.

So no index is needed for each way to choose, and a rare rule is found as fast as a common one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.adapters.rollup_spans import Span
from bot.domain.review_detail import Cursor

#: If what was counted is not there any more, looking further back goes on in larger steps.
_WIDER = 8
#: By day, as far back as it takes to have as many rows as lines are wanted: each row stands for a line at least.
_DAYS = """
SELECT project, starts, count(*) AS rows FROM (
    SELECT r.project, r.starts FROM {table} r
    WHERE NOT r.monthly AND r.starts >= $1::date AND r.starts <= $2::date AND {counted}{chosen}
    ORDER BY r.starts DESC FETCH FIRST $3 ROWS WITH TIES) r
GROUP BY 1, 2
"""
#: The lines of each day by an index: left alone, Postgres would look through all lines for those of the days.
_LINES = """
SELECT found.at, found.id FROM unnest($1::int[], $2::date[]) AS day (project, starts) JOIN project p ON p.id = day.project,
    LATERAL (SELECT day.starts::timestamp AT TIME ZONE 'UTC' AS begins,
        (day.starts + 1)::timestamp AT TIME ZONE 'UTC' AS ends) t,
    LATERAL ({lines} OFFSET 0) found
WHERE $3::timestamptz IS NULL OR (found.at, found.id) < ($3, $4::uuid)
ORDER BY found.at DESC, found.id DESC LIMIT $5
"""


#: A line by what it is ordered by.
Key = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Source:
    """Say where lines are.

    Args:
        table: that of the counts, ``r``.
        counted: holds for a row ``r`` of it that has lines.
        lines: a query of ``id`` and ``at`` of the lines of the project ``p`` from ``t.begins`` to before ``t.ends``;
            its own parameters begin with ``$6``.
        arguments: of ``lines``.
    """

    table: str
    counted: str
    lines: str
    arguments: Sequence[Any] = ()


async def newest(connection: Any, span: Span, source: Source, after: Cursor | None, limit: int) -> list[Key]:
    """Return at most *limit* lines of *span* after a cursor, the newest first."""
    arguments, chosen = _chosen(span)
    days = _DAYS.format(table=source.table, counted=source.counted, chosen=chosen)
    lines = _LINES.format(lines=source.lines)
    top = min(span.until, after.at.date()) if after else span.until
    place = (after.at, after.id) if after else (None, None)
    found: list[Key] = []
    wide = limit
    while top >= span.since:
        counted = await connection.fetch(days, span.since, top, wide, *arguments)
        keys = [[row[name] for row in counted] for name in ("project", "starts")]
        wanted = limit - len(found)
        rows = await connection.fetch(lines, *keys, *place, wanted, *source.arguments)
        found += [(row["at"], row["id"]) for row in rows]
        if len(found) == limit or sum(row["rows"] for row in counted) < wide:
            break
        top, wide = _before(keys[1]), wide * _WIDER
    return found


def _chosen(span: Span) -> tuple[list[Any], str]:
    columns = {"project": span.projects, "kind": span.kinds}
    chosen = [(column, values) for column, values in columns.items() if values is not None]
    text = "".join(f" AND r.{column} = ANY(${number}::int[])" for number, (column, _) in enumerate(chosen, 4))
    return [values for _, values in chosen], text


def _before(days: Sequence[date]) -> date:
    return min(days) - timedelta(days=1)
