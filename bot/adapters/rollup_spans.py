"""Read counts of a window: whole months by their monthly rows, what is left at both ends by days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot.adapters.rollup_sql import COMMENT_COUNTS, REVIEW_COUNTS
from bot.domain.dashboard import Dimension, Filters

#: The text by which people name the value of a dimension; a model is told apart by what it is, not by its name.
VALUES = {one: f"k.{one.value}" for one in Dimension} | {
    Dimension.model: "CASE WHEN k.model = '' THEN '' ELSE k.model || '@' || left(k.model_digest, 12) END"
}

_PROJECTS = """
SELECT array_agg(id) AS ids, count(*) = (SELECT count(*) FROM project) AS all FROM project
WHERE instance = $1 AND ($2::bigint[] IS NULL OR project_id = ANY($2)) AND ($3::bigint IS NULL OR project_id = $3)
    AND ($4 = '' OR starts_with(lower(path), lower($4) || '/'))
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Hold what is counted: days, and ``projects`` and ``kinds`` of comments by number, None for all."""

    since: date
    until: date
    projects: Sequence[int] | None
    kinds: Sequence[int] | None = None

    @property
    def _months(self) -> tuple[date, date]:
        """Return the first day of the first whole month, and of the month after the last one."""
        first, last = (
            _next_month(self.since - timedelta(days=1)),
            (self.until + timedelta(days=1)).replace(day=1),
        )
        return (first, last) if first < last else (self.since, self.since)

    @property
    def _chosen(self) -> list[tuple[str, Sequence[int]]]:
        """Return the columns of which only some values count."""
        both = (("project", self.projects), ("kind", self.kinds))
        return [(column, values) for column, values in both if values is not None]

    @property
    def _filter(self) -> str:
        chosen = enumerate(self._chosen, 5)
        return "".join(f" AND r.{column} = ANY(${number}::int[])" for number, (column, _) in chosen)

    @property
    def arguments(self) -> list[Any]:
        """Return what goes with `source` and `days`."""
        return [self.since, self.until, *self._months, *(values for _, values in self._chosen)]

    def source(self, table: str, columns: str, where: str = "") -> str:
        """Return a query of *columns* of the rows ``r`` of *table* that make up the window."""
        bounds = (
            ("r.monthly", "$3::date", "$4::date"),
            ("NOT r.monthly", "$1::date", "$3::date"),
            ("NOT r.monthly", "$4::date", "$2::date + 1"),
        )
        return " UNION ALL ".join(
            f"SELECT {columns} FROM {table} r WHERE {grain} AND r.starts >= {low} AND r.starts < {high}"
            f"{where}{self._filter}"
            for grain, low, high in bounds
        )

    def days(self, table: str, columns: str) -> str:
        """Return a query of the single days of the window."""
        # The driver wants every argument to have a use.
        unused = "$3::date IS NOT NULL AND $4::date IS NOT NULL"
        return (
            f"SELECT {columns} FROM {table} r WHERE NOT r.monthly AND r.starts >= $1::date"
            f" AND r.starts <= $2::date AND {unused}{self._filter}"
        )


def _next_month(day: date) -> date:
    """Return the first day of the month after that of *day*."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def sums(names: Sequence[str]) -> str:
    """Return the sums of columns of ``r``, 0 where there is no row."""
    return ", ".join(f"coalesce(sum(r.{name}), 0)::bigint AS {name}" for name in names)


def listed(names: Sequence[str]) -> str:
    """Return columns of ``r``."""
    return ", ".join(f"r.{name}" for name in names)


ALL_COUNTS = (*COMMENT_COUNTS, *REVIEW_COUNTS)


async def span_of(connection: Any, instance: str, filters: Filters) -> Span | None:
    """Return what *filters* choose, None where no project is left."""
    visible = None if filters.visible is None else list(filters.visible)
    row = await connection.fetchrow(_PROJECTS, instance, visible, filters.project_id, filters.group)
    if not row["ids"]:
        return None
    projects = None if row["all"] else row["ids"]
    kinds = await _kinds(connection, filters) if filters.only else None
    return Span(filters.since, filters.until, projects, kinds)


async def _kinds(connection: Any, filters: Filters) -> list[int]:
    """Return the kinds of comments that *filters* choose by number."""
    conditions = [f"{VALUES[one]} = ${number}" for number, one in enumerate(filters.only, 1)]
    rows = await connection.fetch(
        f"SELECT k.id FROM comment_kind k WHERE {' AND '.join(conditions)}", *filters.only.values()
    )
    return [row["id"] for row in rows]
