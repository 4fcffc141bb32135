"""Keep what grows with every review from growing without end: rows go by their age, signals by whole months."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog

from bot.adapters.postgres import translated
from bot.adapters.retention_reviews import TABLES, going, remove_reviews
from bot.adapters.retention_signals import Month, drop_months
from bot.adapters.retention_tables import AGED, Aged
from bot.ports import Telemetry
from bot.runtime.regularly import regularly

log = structlog.get_logger()

_EVERY_S: Final = 3600.0
#: A month of feedback in which something happens all the time is at rest now and then.
_TRIES: Final = 10
#: Rows deleted at a time, so that no lock is held for long.
_BATCH: Final = 5_000
_LIMIT_S: Final = 300.0

_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('cloister.retention'))"
#: Signals of the next months find their partitions there, so that nobody makes them in the middle of something.
_PARTITIONS = """
SELECT make_signal_partition(now() + make_interval(months => n)) FROM generate_series(0, 2) AS n
"""
#: The driver wants every argument to have a use.
_OLD = "FROM {table} t WHERE {old} AND coalesce($2::text, '') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Pruned:
    """Hold how many rows went by table, which months of signals, and why not more of them, if so."""

    rows: Mapping[str, int]
    months: tuple[Month, ...] = ()
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """Hold how many rows of a table would go now, how long they are kept (None: for ever), and its size in bytes."""

    table: str
    keep: timedelta | None
    goes: int
    bytes: int


async def prune(
    pool: Any,
    *,
    shipped_by: str | None = None,
    days: int | None = None,
    review_days: int | None = None,
    actor: str = "retention",
    tries: int = 1,
) -> Pruned | None:
    """Delete what is old, and make the partitions of the next months; doing it twice is fine.

    Of processes that do so at the same time one does it, and the others return None.

    Args:
        pool: connections to the database.
        shipped_by: the group that ships events, where the table of events is only the outbox.
        days: after how many of them the raw record of feedback goes, None for never.
        review_days: after how many of them reviews go from the inside, None for never.
        actor: who is named in the audit log.
        tries: how often a month of feedback that is in use is tried, some seconds apart.

    Raises:
        Transient: the database is out of reach; what is left goes the next time.
    """
    async with translated(), pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(_TURN):
            return None
        await pool.execute(_PARTITIONS)
        rows = {one.table: await _delete(pool, one, keep, shipped_by) for one, keep in _kept(days)}
        dropped = ((), "") if days is None else await drop_months(pool, days, actor=actor, tries=tries)
        # After feedback: as long as that is kept, labels rest on reviews.
        if review_days is not None:
            rows |= await remove_reviews(pool, timedelta(days=review_days), actor=actor)
        return Pruned(rows, *dropped)


async def shares(
    pool: Any, *, shipped_by: str | None = None, days: int | None = None, review_days: int | None = None
) -> list[Share]:
    """Return what `prune` would delete row by row; reviews as runs, with all that goes with them."""
    kept = {one.table: keep for one, keep in _kept(days)}
    async with translated():
        return [
            Share(one.table, kept.get(one.table), goes, size)
            for one in AGED
            for goes, size in [await _share(pool, one, kept.get(one.table), shipped_by)]
        ] + [await _reviews(pool, review_days)]


async def prune_regularly(
    pool: Any,
    telemetry: Telemetry,
    *,
    shipped_by: str | None = None,
    days: int | None = None,
    review_days: int | None = None,
) -> None:
    """Prune once an hour until cancelled; processes that do so at the same time do not disturb each other."""

    async def prune_and_tell() -> None:
        pruned = await prune(pool, shipped_by=shipped_by, days=days, review_days=review_days, tries=_TRIES)
        if pruned:
            _tell(pruned, telemetry)

    await regularly(prune_and_tell, every_s=_EVERY_S, failed="log.not_pruned")


def _tell(pruned: Pruned, telemetry: Telemetry) -> None:
    log.debug("log.pruned", rows={table: count for table, count in pruned.rows.items() if count})
    for table, count in pruned.rows.items():
        if count:
            telemetry.count("cloister_rows_dropped", count, table=table)
    for month in pruned.months:
        log.info("feedback.month_dropped", month=month.name, rows=month.rows, bytes=month.bytes)
        telemetry.count("cloister_rows_dropped", month.rows, table="signal")
    if pruned.waits_for:
        log.warning("feedback.month_not_dropped", reason=pruned.waits_for)


def _kept(days: int | None) -> list[tuple[Aged, timedelta]]:
    """Return what goes by its age, and how long it is kept."""
    feedback = None if days is None else timedelta(days=days)
    return [
        (one, keep)
        for one in AGED
        for keep in [feedback if one.keep is None else one.keep]
        if keep is not None
    ]


async def _delete(pool: Any, one: Aged, keep: timedelta, shipped_by: str | None) -> int:
    old = _OLD.format(table=one.table, old=one.old)
    statement = f"DELETE FROM {one.table} WHERE ctid = ANY(ARRAY(SELECT t.ctid {old} LIMIT {_BATCH}))"
    total = 0
    while True:
        count = int((await pool.execute(statement, keep, shipped_by)).split()[-1])
        total += count
        if count < _BATCH:
            return total


async def _share(pool: Any, one: Aged, keep: timedelta | None, shipped_by: str | None) -> tuple[int, int]:
    size = await _size(pool, one.table)
    if keep is None:
        return 0, size
    old = _OLD.format(table=one.table, old=one.old)
    return int(await pool.fetchval(f"SELECT count(*) {old}", keep, shipped_by, timeout=_LIMIT_S)), size


async def _reviews(pool: Any, days: int | None) -> Share:
    size = sum([await _size(pool, table) for table in TABLES])
    keep = None if days is None else timedelta(days=days)
    return Share("review_run", keep, await going(pool, keep) if keep else 0, size)


async def _size(pool: Any, table: str) -> int:
    return int(await pool.fetchval("SELECT pg_total_relation_size($1::text::regclass)", table))
