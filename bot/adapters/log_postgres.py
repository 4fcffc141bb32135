"""The event log in Postgres: the ``event`` table, read by partition and offset."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog

from bot.adapters.postgres import LOST, give_up_locks, translated
from bot.domain.errors import Permanent, Transient
from bot.domain.events import Record
from bot.ports import Delivery, Subscription

log = structlog.get_logger()

#: More partitions than any sensible number of processes; the first migration makes them.
PARTITIONS = 16

#: A member that was not seen for this long has left; its session locks are gone with its connection anyway.
MEMBER_TIMEOUT_S = 10.0
HEARTBEAT_S = 2.0

_CHANNEL = "cloister_event"

#: What makes a record one of its own: id and attempt.
_Key = tuple[uuid.UUID, int]

#: Rows are locked in partition order, so that two appends never wait for each other in a circle.
_APPEND = """
WITH incoming AS MATERIALIZED (
    SELECT t.* FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[],
                           $8::jsonb[], $9::jsonb[])
        WITH ORDINALITY AS t(id, attempt, kind, version, stage, key, partition, body, trace, n)
    WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.id = t.id AND e.attempt = t.attempt)
), locked AS MATERIALIZED (
    SELECT partition FROM event_partition
    WHERE partition IN (SELECT partition FROM incoming) ORDER BY partition FOR UPDATE
), slot AS (
    UPDATE event_partition p SET next_offset = p.next_offset + c.count
    FROM (SELECT i.partition, count(*) FROM incoming i JOIN locked USING (partition) GROUP BY 1) c
    WHERE p.partition = c.partition RETURNING p.partition, p.next_offset - c.count AS base
)
INSERT INTO event (partition, log_offset, id, attempt, kind, version, stage, key, body, trace)
SELECT i.partition, slot.base + row_number() OVER (PARTITION BY i.partition ORDER BY i.n) - 1,
       i.id, i.attempt, i.kind, i.version, i.stage, i.key, i.body, i.trace
FROM incoming i JOIN slot USING (partition)
ON CONFLICT (id, attempt) DO NOTHING RETURNING id, attempt
"""

_DELAY = """
INSERT INTO delayed_event (id, attempt, kind, version, stage, key, body, trace, due_at)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::text[], $7::jsonb[],
                     $8::jsonb[], $9::timestamptz[]) AS t(id, attempt, kind, version, stage, key, body, trace, due_at)
WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.id = t.id AND e.attempt = t.attempt)
ON CONFLICT DO NOTHING RETURNING id, attempt
"""

#: Only a prefix of each partition is cut off by the limit; the rotation keeps a busy partition from starving others.
_READ = """
SELECT e.* FROM unnest($1::int[], $2::bigint[]) AS mine(partition, next_offset)
CROSS JOIN LATERAL (
    SELECT * FROM event WHERE stage = $3 AND partition = mine.partition AND log_offset >= mine.next_offset
    ORDER BY log_offset LIMIT $4
) e ORDER BY (e.partition + $5) % $6, e.log_offset LIMIT $4
"""


def partition_of(key: str) -> int:
    """Return the partition of *key*, the same in every process and release."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % PARTITIONS


async def append(connection: Any, records: Sequence[Record]) -> set[_Key]:
    """Store *records* on an open connection, inside its transaction if there is one; return which were new."""
    now = [record for record in records if record.due_at is None]
    later = [record for record in records if record.due_at is not None]
    stored = []
    if now:
        stored += await connection.fetch(_APPEND, *_columns(now, [partition_of(r.key) for r in now]))
    if later:
        columns = _columns(later, [0] * len(later))
        del columns[6]
        stored += await connection.fetch(_DELAY, *columns, [record.due_at for record in later])
    return {(row["id"], row["attempt"]) for row in stored}


def _columns(records: Sequence[Record], partitions: list[int]) -> list[list[Any]]:
    return [
        [record.id for record in records],
        [record.attempt for record in records],
        [record.kind for record in records],
        [record.version for record in records],
        [record.stage for record in records],
        [record.key for record in records],
        partitions,
        [record.body for record in records],
        [record.trace for record in records],
    ]


def _record(row: Mapping[str, Any]) -> Record:
    return Record(
        id=row["id"],
        kind=row["kind"],
        version=row["version"],
        stage=row["stage"],
        key=row["key"],
        body=row["body"],
        trace=row["trace"],
        attempt=row["attempt"],
    )


class _Batch:
    """Hold records that are going to be stored together, and the task that stores them."""

    def __init__(self) -> None:
        self.records: dict[_Key, Record] = {}
        self.task: asyncio.Task[set[_Key]]


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

    async def _store(self, batch: _Batch) -> set[_Key]:
        async with self._storing:
            try:
                stored = await self._write(batch)
            except Transient:
                # The connection that was kept may have died unnoticed; the second try opens another.
                stored = await self._write(batch)
        self.announce(batch.records.values())
        return stored

    async def _write(self, batch: _Batch) -> set[_Key]:
        async with translated(), self._appender() as connection:
            if self._open is batch:
                self._open = None
            return await append(connection, list(batch.records.values()))

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

    async def rewind(self, group: str, since: datetime) -> int:
        """Move the group back in time; see the port. Groups are named like the stage that they read."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            alive = await connection.fetchval(
                "SELECT count(*) FROM group_member WHERE consumer_group = $1"
                " AND seen_at > now() - make_interval(secs => $2)",
                group,
                MEMBER_TIMEOUT_S,
            )
            if alive:
                raise Permanent(f"{alive} process(es) read for group {group}: stop them, then replay")
            rows = await connection.fetch(
                "SELECT partition, min(log_offset) AS first, count(*) FROM event"
                " WHERE stage = $1 AND appended_at >= $2 GROUP BY partition",
                group,
                since,
            )
            await connection.executemany(
                "INSERT INTO group_offset VALUES ($1, $2, $3) ON CONFLICT (consumer_group, partition)"
                " DO UPDATE SET next_offset = least(group_offset.next_offset, excluded.next_offset)",
                [(group, row["partition"], row["first"]) for row in rows],
            )
        return sum(row["count"] for row in rows)

    def subscribe(self, group: str, stage: str) -> Subscription:
        """Return a membership of *group*; see the port."""
        subscription = PostgresSubscription(self._pool, group, stage)
        self._subscriptions = [known for known in self._subscriptions if not known.closed]
        self._subscriptions.append(subscription)
        return subscription

    def _wake(self, stage: str) -> None:
        for subscription in self._subscriptions:
            if subscription.stage == stage:
                subscription.wake()

    async def _supervise(self, work: Any) -> None:
        while True:
            try:
                async with translated():
                    await work()
            except Transient as error:
                log.warning("log.background_failed", work=work.__name__, error=str(error))
                await asyncio.sleep(1.0)

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
                records = [_record(row) for row in rows]
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


class PostgresSubscription:
    """Read one stage for one group.

    A partition is ours while our session holds its advisory lock, so a killed process frees its partitions at
    once. Members share the partitions evenly: one that has too many stops reading some, and gives them up when
    all that was handed out is committed.
    """

    def __init__(self, pool: Any, group: str, stage: str) -> None:
        self.stage = stage
        self.closed = False
        self._pool = pool
        self._group = group
        self._member = uuid.uuid4()
        self._connection: Any = None
        self._epochs: dict[int, int] = {}
        self._epoch = 0
        self._cursors: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._leaving: set[int] = set()
        self._next_heartbeat = 0.0
        self._woken = asyncio.Event()
        self._rotation = 0

    async def __aenter__(self) -> PostgresSubscription:
        """Join the group."""
        async with translated():
            await self._rebalance()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave the group; the locks go with the session."""
        self.closed = True
        with contextlib.suppress(Transient):
            async with translated():
                await self._pool.execute("DELETE FROM group_member WHERE member = $1", self._member)
        await self._disconnect()

    def wake(self) -> None:
        """End the wait of a poll: there may be something to read."""
        self._woken.set()

    def owned(self) -> Mapping[int, int]:
        """Return our partitions with their epochs."""
        return dict(self._epochs)

    async def poll(self, *, max_records: int, timeout_s: float) -> list[Delivery]:
        """Return the next records; see the port."""
        async with translated():
            await self._heartbeat()
            if max_records == 0:
                await asyncio.sleep(min(timeout_s, 0.05))
                return []
            self._woken.clear()
            deliveries = await self._read(max_records)
            if not deliveries:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), timeout_s)
                    self._woken.clear()
                    deliveries = await self._read(max_records)
        return deliveries

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Remember where to go on; see the port."""
        mine = [(self._group, p, offset) for p, offset in offsets.items() if p in self._epochs]
        async with translated(), self._pool.acquire() as connection:
            await connection.executemany(
                "INSERT INTO group_offset VALUES ($1, $2, $3)"
                " ON CONFLICT (consumer_group, partition) DO UPDATE SET next_offset = excluded.next_offset",
                mine,
            )
        self._committed.update((partition, offset) for _, partition, offset in mine)

    async def _read(self, max_records: int) -> list[Delivery]:
        reading = [p for p in self._epochs if p not in self._leaving]
        self._rotation += 1
        rows = await self._pool.fetch(
            _READ,
            reading,
            [self._cursors[p] for p in reading],
            self.stage,
            max_records,
            self._rotation,
            PARTITIONS,
        )
        deliveries = []
        for row in rows:
            partition, offset = row["partition"], row["log_offset"]
            if partition not in self._epochs:
                continue
            self._cursors[partition] = offset + 1
            deliveries.append(self._deliver(row, partition, offset))
        return deliveries

    def _deliver(self, row: Mapping[str, Any], partition: int, offset: int) -> Delivery:
        epoch = self._epochs[partition]
        try:
            return Delivery(partition, offset, epoch, _record(row))
        except ValueError as error:
            return Delivery(partition, offset, epoch, None, problem=f"unreadable record: {error}")

    async def _heartbeat(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._next_heartbeat:
            await self._rebalance()
            self._next_heartbeat = now + HEARTBEAT_S

    async def _rebalance(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._forget_partitions(list(self._epochs))
            await self._disconnect()
            self._connection = await self._pool.acquire()
        members = await self._count_members()
        share = -(-PARTITIONS // max(1, members))
        staying = sorted(set(self._epochs) - self._leaving)
        if len(staying) < share:
            self._leaving.clear()
            await self._gain(share - len(self._epochs))
        self._leaving.update(staying[share:])
        await self._release()

    async def _count_members(self) -> int:
        count: int = await self._connection.fetchval(
            "WITH me AS (INSERT INTO group_member VALUES ($1, $2, now()) ON CONFLICT (consumer_group, member)"
            " DO UPDATE SET seen_at = now()) SELECT count(*) + 1 FROM group_member WHERE consumer_group = $1"
            " AND member <> $2 AND seen_at > now() - make_interval(secs => $3)",
            self._group,
            self._member,
            MEMBER_TIMEOUT_S,
        )
        return count

    async def _gain(self, wanted: int) -> None:
        missing = [p for p in range(PARTITIONS) if p not in self._epochs]
        for partition in missing:
            if wanted <= 0:
                return
            locked = await self._connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtext($1), $2)", f"cloister.group.{self._group}", partition
            )
            if locked:
                offset = await self._connection.fetchval(
                    "SELECT next_offset FROM group_offset WHERE consumer_group = $1 AND partition = $2",
                    self._group,
                    partition,
                )
                self._epoch += 1
                self._epochs[partition] = self._epoch
                self._cursors[partition] = self._committed[partition] = offset or 0
                wanted -= 1

    async def _release(self) -> None:
        """Give up leaving partitions of which nothing is in the hands of the loop."""
        idle = [p for p in self._leaving if self._committed[p] >= self._cursors[p]]
        for partition in idle:
            await self._connection.fetchval(
                "SELECT pg_advisory_unlock(hashtext($1), $2)", f"cloister.group.{self._group}", partition
            )
        self._forget_partitions(idle)

    def _forget_partitions(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self._epochs.pop(partition, None)
            self._cursors.pop(partition, None)
            self._committed.pop(partition, None)
            self._leaving.discard(partition)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                with contextlib.suppress(Transient):
                    async with translated():
                        await give_up_locks(connection)
            finally:
                await self._pool.release(connection)
