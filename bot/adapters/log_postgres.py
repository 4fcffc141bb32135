"""The event log in Postgres: the ``event`` table, read by partition and offset."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog

from bot.adapters.log_history import history
from bot.adapters.log_records import Key, append, record_or_remains_of
from bot.adapters.log_subscription import PostgresSubscription
from bot.adapters.postgres import LOST, translated
from bot.domain.errors import Transient
from bot.domain.events import Record
from bot.ports import OnRevoke, Subscription, keep_all
from bot.runtime.regularly import regularly

log = structlog.get_logger()

_CHANNEL = "cloister_event"


class _Batch:
    """Hold records that are going to be stored together, and the task that stores them."""

    def __init__(self) -> None:
        self.records: dict[Key, Record] = {}
        self.task: asyncio.Task[set[Key]]


class PostgresLog:
    """Implement the event log on a pool of connections; use as an async context manager.

    Appends wake the subscriptions of this process at once, and those of other processes by NOTIFY outside the
    appending transaction: a NOTIFY inside would serialise all commits of the database. A lost wake-up costs
    one poll time-out.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._subscriptions: list[PostgresSubscription] = []
        self._open: _Batch | None = None
        self._storing = asyncio.Lock()
        self._kept: Any = None
        self._to_notify: set[str] = set()
        self._notify = asyncio.Event()
        self._due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> PostgresLog:
        """Start the background tasks."""
        self._tasks = [
            asyncio.create_task(self._supervise(work), name=f"log:{work.__name__}")
            for work in (self._listen, self._notify_others, self._promote)
        ]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop the background tasks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._kept is not None:
            await self._pool.release(self._kept)

    async def append(self, records: Sequence[Record]) -> int:
        """Store *records* durably; see the port.

        What is appended while another batch is on its way to the disk goes there together, in the order of the
        calls, so that one commit serves all who wait.
        """
        if self._open is None:
            self._open = _Batch()
            self._open.task = asyncio.create_task(self._store(self._open))
        batch = self._open
        for record in records:
            batch.records.setdefault((record.id, record.attempt), record)
        stored = await asyncio.shield(batch.task)
        mine = stored.intersection((record.id, record.attempt) for record in records)
        # Of two who append the same at the same time, one is told that it was new.
        stored -= mine
        return len(mine)

    async def _store(self, batch: _Batch) -> set[Key]:
        try:
            async with self._storing:
                try:
                    stored = await self._write(batch)
                except Transient:
                    # The connection that was kept may have died unnoticed; the second try opens another.
                    stored = await self._write(batch)
        finally:
            # It is still open where no connection was to be had; what joined it now would share its failure for ever.
            self._close(batch)
        self.announce(batch.records.values())
        return stored

    async def _write(self, batch: _Batch) -> set[Key]:
        async with translated(), self._appender() as connection:
            self._close(batch)
            return await append(connection, list(batch.records.values()))

    def _close(self, batch: _Batch) -> None:
        """Let later appends begin a batch of their own."""
        if self._open is batch:
            self._open = None

    @asynccontextmanager
    async def _appender(self) -> AsyncIterator[Any]:
        """Lend the connection that is kept for appends: a new one spends longer on its start than on the append."""
        connection, self._kept = self._kept or await self._pool.acquire(), None
        try:
            yield connection
            connection, self._kept = None, connection
        finally:
            if connection is not None:
                await self._pool.release(connection)

    def announce(self, records: Iterable[Record]) -> None:
        """Wake the readers of *records*, which another component has appended and committed."""
        for record in records:
            if record.due_at is None:
                self._wake(record.stage)
                self._to_notify.add(record.stage)
            else:
                self._due.set()
        self._notify.set()

    def history(self, stage: str, since: datetime, until: datetime | None = None) -> AsyncIterator[Record]:
        """Yield what was appended between two moments; see the port."""
        return history(self._pool, stage, since, until)

    def subscribe(self, group: str, stage: str, *, on_revoke: OnRevoke = keep_all) -> Subscription:
        """Return a membership of *group*; see the port. Partitions leave us only when we are done with them."""
        del on_revoke
        return self._join(PostgresSubscription(self._pool, group, stage))

    def unshipped(self, group: str) -> Subscription:
        """Return a membership of *group* in all topics; see the port ``Outbox``."""
        return self._join(PostgresSubscription(self._pool, group, None))

    def _join(self, subscription: PostgresSubscription) -> PostgresSubscription:
        self._subscriptions = [known for known in self._subscriptions if not known.closed]
        self._subscriptions.append(subscription)
        return subscription

    def _wake(self, stage: str) -> None:
        for subscription in self._subscriptions:
            if subscription.stage in {None, stage}:
                subscription.wake()

    async def _supervise(self, work: Any) -> None:
        async def attempt() -> None:
            async with translated():
                await work()

        await regularly(attempt, every_s=1.0, failed="log.background_failed", work=work.__name__)

    async def _listen(self) -> None:
        ended = asyncio.Event()

        def heard(*arguments: Any) -> None:
            self._wake(arguments[3])

        def lost(_: Any) -> None:
            ended.set()

        async with self._pool.acquire() as connection:
            connection.add_termination_listener(lost)
            await connection.add_listener(_CHANNEL, heard)
            try:
                await ended.wait()
            finally:
                connection.remove_termination_listener(lost)
                with contextlib.suppress(*LOST):
                    await connection.remove_listener(_CHANNEL, heard)
        raise ConnectionResetError

    async def _notify_others(self) -> None:
        while True:
            await self._notify.wait()
            self._notify.clear()
            stages, self._to_notify = list(self._to_notify), set()
            if stages:
                await self._pool.execute(
                    "SELECT pg_notify($1, stage) FROM unnest($2::text[]) stage", _CHANNEL, stages
                )
                await asyncio.sleep(0.01)

    async def _promote(self) -> None:
        """Move events that are due into the log; processes share the work row by row."""
        while True:
            self._due.clear()
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(
                    "DELETE FROM delayed_event WHERE (id, attempt) IN (SELECT id, attempt FROM delayed_event"
                    " WHERE due_at <= now() ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED) RETURNING *"
                )
                # One that is damaged would hold up all others; its stage sets it aside.
                records = [
                    record_or_remains_of(row, {"delayed": str(row["id"]), "attempt": row["attempt"]})
                    for row in rows
                ]
                await append(connection, records)
            self.announce(records)
            if len(records) < 100:
                await self._sleep_until_due()

    async def _sleep_until_due(self) -> None:
        seconds = await self._pool.fetchval(
            "SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM delayed_event"
        )
        wait_s = 1.0 if seconds is None else min(1.0, max(0.005, seconds))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._due.wait(), wait_s)
