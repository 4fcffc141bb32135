"""Read what was counted of a window, by what views ask for; `bot.adapters.rollup_sql` says how it is counted."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from bot.adapters.rollup_spans import ALL_COUNTS, Span, listed, sums
from bot.adapters.rollup_sql import COMMENT_COUNTS, REVIEW_COUNTS
from bot.domain.dashboard_counts import LABELS

#: So many comments are shown of a rule.
_SAMPLES = 3
#: Looked at first: the month of the last day, and the one before it.
_OF_LATE: Final = timedelta(days=1)

_NOTHING: Mapping[str, int] = dict.fromkeys(ALL_COUNTS, 0)
_KINDS_OF = """
SELECT k.id FROM comment_kind k JOIN unnest($1::text[], $2::text[]) AS s (scanner, rule) USING (scanner, rule)
"""


async def totals(connection: Any, span: Span | None) -> Mapping[str, int]:
    """Return all counts of the window; those of reviews are not held to kinds of comments."""
    if span is None:
        return _NOTHING
    if span.kinds is None:
        query = f"SELECT {sums(ALL_COUNTS)} FROM ({span.source('rollup', listed(ALL_COUNTS))}) r"
        return dict(await connection.fetchrow(query, *span.arguments))
    said = f"SELECT {sums(COMMENT_COUNTS)} FROM ({span.source('rollup_kind', listed(COMMENT_COUNTS))}) r"
    plain = Span(span.since, span.until, span.projects)
    done = f"SELECT {sums(REVIEW_COUNTS)} FROM ({plain.source('rollup', listed(REVIEW_COUNTS))}) r"
    return {
        **await connection.fetchrow(said, *span.arguments),
        **await connection.fetchrow(done, *plain.arguments),
    }


async def buckets(connection: Any, span: Span | None, *what: str) -> Mapping[str, Mapping[int, int]]:
    """Return cases by bucket, of each *what*; they are not held to kinds of comments."""
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    if span is not None:
        plain = Span(span.since, span.until, span.projects)
        quoted = ", ".join(f"'{one}'" for one in what)
        rows = plain.source("rollup_bucket", "r.what, r.bucket, r.cases", f" AND r.what IN ({quoted})")
        query = f"SELECT r.what, r.bucket, sum(r.cases)::bigint AS cases FROM ({rows}) r GROUP BY 1, 2"
        for row in await connection.fetch(query, *plain.arguments):
            found[row["what"]][row["bucket"]] = row["cases"]
    return found


async def by_value(connection: Any, span: Span | None, value: str, scanner: str = "''") -> list[Any]:
    """Return the counts of comments by *value* of their kind."""
    if span is None:
        return []
    rows = span.source("rollup_kind", f"r.kind, {listed(COMMENT_COUNTS)}")
    by_kind = f"SELECT r.kind, {sums(COMMENT_COUNTS)} FROM ({rows}) r GROUP BY 1"
    query = (
        f"SELECT {value} AS value, {scanner} AS scanner, {sums(COMMENT_COUNTS)}"
        f" FROM ({by_kind}) r JOIN comment_kind k ON k.id = r.kind GROUP BY 1, 2"
    )
    found: list[Any] = await connection.fetch(query, *span.arguments)
    return found


async def samples(
    connection: Any, span: Span | None, shown: Sequence[Any]
) -> dict[tuple[str, str], tuple[uuid.UUID, ...]]:
    """Return the newest rejected comments of the rules *shown*, one of a project and day, or month."""
    wanted = {(row["scanner"], row["value"]) for row in shown}
    found: dict[tuple[str, str], tuple[uuid.UUID, ...]] = {}
    # Most rules have enough of late: few months tell, and what is older is read for those that have not.
    for part in _newest_first(span) if span else ():
        for rule, older in (await _samples(connection, part, wanted)).items():
            found[rule] = (*found.get(rule, ()), *older)[:_SAMPLES]
        wanted = {rule for rule in wanted if len(found.get(rule, ())) < _SAMPLES}
    return found


def _newest_first(span: Span) -> Iterator[Span]:
    """Yield *span* in two parts, which are counted by the same days and months as the whole."""
    border = (span.until.replace(day=1) - _OF_LATE).replace(day=1)
    yield replace(span, since=max(span.since, border))
    if span.since < border:
        yield replace(span, until=border - timedelta(days=1))


async def _samples(
    connection: Any, span: Span, rules: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[uuid.UUID, ...]]:
    columns = [[rule[place] for rule in rules] for place in (0, 1)]
    kinds = {row["id"] for row in await connection.fetch(_KINDS_OF, *columns)}
    span = replace(span, kinds=list(kinds if span.kinds is None else kinds & set(span.kinds)))
    if not span.kinds:
        return {}
    rows = span.source("rollup_kind", "r.kind, r.starts, r.sample", " AND r.sample IS NOT NULL")
    query = (
        f"SELECT k.scanner, k.rule, (array_agg(r.sample ORDER BY r.starts DESC, r.sample))[1:{_SAMPLES}] AS samples"
        f" FROM ({rows}) r JOIN comment_kind k ON k.id = r.kind GROUP BY 1, 2"
    )
    found = await connection.fetch(query, *span.arguments)
    return {(row["scanner"], row["rule"]): tuple(row["samples"]) for row in found}


async def by_day(connection: Any, span: Span | None) -> dict[Any, Mapping[str, int]]:
    """Return the counts of each day that has any."""
    if span is None:
        return {}
    names = (*LABELS, "downvoted")
    table, more = ("rollup", ", sum(r.reviews)::bigint AS reviews")
    if span.kinds is not None:
        table, more = "rollup_kind", ", 0::bigint AS reviews"
    rows = span.days(table, "r.*")
    query = f"SELECT r.starts, {sums(names)}{more} FROM ({rows}) r GROUP BY 1"
    return {row["starts"]: dict(row) for row in await connection.fetch(query, *span.arguments)}
