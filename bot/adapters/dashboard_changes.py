"""What changed on our side: which model, which instructions and which release of ours a day was the first to have."""

from __future__ import annotations

from typing import Any

from bot.adapters.rollup_spans import VALUES, Span
from bot.domain.dashboard import Change, Dimension, Marker

_NAMES = {Change.model: VALUES[Dimension.model], Change.prompt: VALUES[Dimension.prompt_version]}
_RELEASES = """
SELECT 'release' AS change, release AS value, first_on AS on FROM release_seen WHERE first_on BETWEEN $1 AND $2
"""
_OF_ALL = " UNION ALL ".join(
    [
        _RELEASES,
        *(
            f"""
    SELECT '{change.value}', {name}, min(first_on) FROM comment_kind k
    WHERE {name} <> '' GROUP BY 2 HAVING min(first_on) BETWEEN $1 AND $2"""
            for change, name in _NAMES.items()
        ),
    ]
)
#: Of some projects: what they had neither in a month before nor on a day before in the first month. These kinds are read
#: once: looking for each by itself costs a step down an index for each project.
_OF_SOME = f"""
WITH told AS MATERIALIZED (
    SELECT r.kind, min(r.starts) AS on FROM rollup_kind r
    WHERE NOT r.monthly AND r.starts BETWEEN $1 AND $2 AND r.project = ANY($3::int[]) GROUP BY 1),
named AS MATERIALIZED (
    {
    " UNION ALL ".join(
        f"SELECT '{change.value}' AS change, {name} AS value, min(told.on) AS on"
        f" FROM told JOIN comment_kind k ON k.id = told.kind WHERE {name} <> '' GROUP BY 2"
        for change, name in _NAMES.items()
    )
}),
before AS MATERIALIZED (
    SELECT r.kind FROM rollup_kind r
    WHERE r.monthly AND r.project = ANY($3::int[]) AND r.starts < date_trunc('month', $1::date)::date
    UNION SELECT r.kind FROM rollup_kind r
    WHERE NOT r.monthly AND r.project = ANY($3::int[])
        AND r.starts >= date_trunc('month', $1::date)::date AND r.starts < $1)
{_RELEASES}
UNION ALL SELECT * FROM named WHERE NOT EXISTS (
    SELECT FROM before JOIN comment_kind k ON k.id = before.kind
    WHERE CASE named.change WHEN 'model' THEN {_NAMES[Change.model]} ELSE k.prompt_version END = named.value)
"""


async def changes(connection: Any, span: Span | None) -> tuple[Marker, ...]:
    """Return what was new within the days of *span*, in its projects; kinds of comments make no difference."""
    if span is None:
        return ()
    window = span.since, span.until
    if span.projects is None:
        rows = await connection.fetch(_OF_ALL, *window)
    else:
        rows = await connection.fetch(_OF_SOME, *window, list(span.projects))
    found = [Marker(row["on"], Change(row["change"]), row["value"]) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.on, one.change.value, one.value)))
