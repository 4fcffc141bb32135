"""Keep the event log, the inbox and the cache of answers from growing without end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from bot.adapters.postgres import translated
from bot.domain.errors import Transient
from bot.domain.session import ABSOLUTE, LINK

log = structlog.get_logger()

#: How far back a replay can go.
KEEP_EVENTS = timedelta(days=7)
#: Longer than events are kept, so that no event outlives the mark that it was handled.
KEEP_MARKS = timedelta(days=14)

#: An answer that was not needed for longer is hardly needed again.
KEEP_ANSWERS = timedelta(days=30)

_EVERY_S = 3600.0
#: Rows deleted at a time, so that no lock is held for long.
_BATCH = 5_000

_EVENTS = """
DELETE FROM event WHERE (partition, log_offset) IN (
    SELECT e.partition, e.log_offset FROM event e
    JOIN group_offset o ON o.consumer_group = coalesce($3::text, e.stage) AND o.partition = e.partition
    WHERE e.appended_at < now() - $1::interval AND e.log_offset < o.next_offset LIMIT $2)
"""
_MARKS = """
DELETE FROM inbox WHERE (consumer_group, event_id) IN (
    SELECT consumer_group, event_id FROM inbox WHERE done_at < now() - $1::interval LIMIT $2)
"""
_ANSWERS = """
DELETE FROM model_answer WHERE key IN (
    SELECT key FROM model_answer WHERE kept_at < now() - $1::interval LIMIT $2)
"""
_DECLINED = """
DELETE FROM declined_finding WHERE ctid IN (
    SELECT ctid FROM declined_finding WHERE until < now() - $1::interval LIMIT $2)
"""
_SESSIONS = """
DELETE FROM web_session WHERE digest IN (
    SELECT digest FROM web_session WHERE began_at < now() - $1::interval LIMIT $2)
"""
_LINKS = """
DELETE FROM login_link WHERE digest IN (
    SELECT digest FROM login_link WHERE made_at < now() - $1::interval LIMIT $2)
"""

#: Signals of the next months find their partitions there, so that nobody makes them in the middle of something.
_PARTITIONS = """
SELECT make_signal_partition(now() + make_interval(months => n)) FROM generate_series(0, 2) AS n
"""


async def prune(
    pool: Any,
    *,
    events: timedelta = KEEP_EVENTS,
    marks: timedelta = KEEP_MARKS,
    shipped_by: str | None = None,
) -> tuple[int, int]:
    """Delete events that were handled longer ago than *events*, and marks older than *marks*.

    So go answers that nobody asked for lately, what is not declined any more, and sessions and links that are over. The
    partitions of signals are made ahead.
    An event that its group has not passed yet stays, however old it is: the group of its stage, or *shipped_by*
    where the table is only the outbox. Returns how many events and marks were deleted.
    """
    async with translated():
        deleted = await _in_batches(pool, _EVENTS, events, shipped_by)
        await _in_batches(pool, _ANSWERS, KEEP_ANSWERS)
        await _in_batches(pool, _DECLINED, timedelta())
        await _in_batches(pool, _SESSIONS, ABSOLUTE)
        await _in_batches(pool, _LINKS, LINK)
        await pool.execute(_PARTITIONS)
        return deleted, await _in_batches(pool, _MARKS, marks)


async def prune_regularly(pool: Any, *, shipped_by: str | None = None) -> None:
    """Prune once an hour until cancelled; processes that do so at the same time do not disturb each other."""
    while True:
        try:
            deleted_events, deleted_marks = await prune(pool, shipped_by=shipped_by)
            log.debug("log.pruned", events=deleted_events, marks=deleted_marks)
        except Transient as error:
            log.warning("log.not_pruned", error=str(error))
        await asyncio.sleep(_EVERY_S)


async def _in_batches(pool: Any, statement: str, age: timedelta, *more: str | None) -> int:
    total = 0
    while True:
        count = int((await pool.execute(statement, age, _BATCH, *more)).split()[-1])
        total += count
        if count < _BATCH:
            return total
