"""Reading the past of the event log in Postgres, apart from any group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import structlog

from bot.adapters.log_records import record_of
from bot.adapters.postgres import translated
from bot.domain.events import Record

log = structlog.get_logger()

#: Records in memory at a time.
PAGE = 500

#: Offsets of a partition become visible in order, so that nothing can appear below the last one later. An append
#: that waited for its partition has an earlier time than its predecessor: times only bound the search.
_BOUNDS = """
SELECT partition, min(log_offset) AS first, max(log_offset) AS last FROM event
WHERE stage = $1 AND appended_at >= $2 AND ($3::timestamptz IS NULL OR appended_at < $3)
GROUP BY partition ORDER BY partition
"""
_PAGE = """
SELECT * FROM event WHERE stage = $1 AND partition = $2 AND log_offset BETWEEN $3 AND $4
AND appended_at >= $5 AND ($6::timestamptz IS NULL OR appended_at < $6) ORDER BY log_offset LIMIT $7
"""


async def history(
    pool: Any, stage: str, since: datetime, until: datetime | None = None, *, page: int = PAGE
) -> AsyncIterator[Record]:
    """Yield what was appended between two moments, *page* records in memory at a time; see the port of the log."""
    async with translated():
        bounds = await pool.fetch(_BOUNDS, stage, since, until)
    for partition, first, last in bounds:
        start, more = first, True
        while more:
            async with translated():
                rows = await pool.fetch(_PAGE, stage, partition, start, last, since, until, page)
            for row in rows:
                record = _readable(row)
                if record is not None:
                    yield record
            more = len(rows) == page
            start = rows[-1]["log_offset"] + 1 if rows else last


def _readable(row: Any) -> Record | None:
    problem = ""
    try:
        return record_of(row)
    except ValueError as error:
        problem = str(error)
    log.error("delivery.unreadable", stage=row["stage"], offset=row["log_offset"], problem=problem)
    return None
