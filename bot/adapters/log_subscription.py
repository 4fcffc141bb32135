"""Reading the event log in Postgres as a member of a group."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from bot.adapters.log_records import PARTITIONS, record_or_remains_of
from bot.adapters.postgres import give_up_locks, translated
from bot.domain.errors import Transient
from bot.ports import Delivery

log = structlog.get_logger()

#: A member that was not seen for this long has left, died or frozen.
MEMBER_TIMEOUT_S = 10.0
HEARTBEAT_S = 2.0

#: Only a prefix of each partition is cut off by the limit; the rotation keeps a busy partition from starving others.
_READ = """
SELECT e.* FROM unnest($1::int[], $2::bigint[]) AS mine(partition, next_offset)
CROSS JOIN LATERAL (
    SELECT * FROM event WHERE {topic} AND partition = mine.partition AND log_offset >= mine.next_offset
    ORDER BY log_offset LIMIT $3
) e ORDER BY (e.partition + $4) % $5, e.log_offset LIMIT $3
"""
_READ_STAGE = _READ.format(topic="stage = $6")
_READ_ALL = _READ.format(topic="true")

_LAG = """
SELECT count(*) FROM (
    SELECT FROM unnest($1::int[], $2::bigint[]) AS mine(partition, next_offset)
    JOIN event e ON e.partition = mine.partition AND e.log_offset >= mine.next_offset AND e.stage = $3 LIMIT 10000
) waiting
"""

#: A member whose process has no session any more has died: it has no partitions and needs no share. One of an older
#: release has not said what its sessions are called.
_HEARTBEAT = """
WITH me AS (
    INSERT INTO group_member (consumer_group, member, application)
    VALUES ($1, $2, current_setting('application_name'))
    ON CONFLICT (consumer_group, member) DO UPDATE SET seen_at = now()
)
SELECT count(*) FILTER (WHERE seen_at > now() - make_interval(secs => $3) AND (application = '' OR EXISTS (
           SELECT FROM pg_stat_activity s WHERE s.application_name = application))) AS others,
       count(*) FILTER (WHERE seen_at <= now() - make_interval(secs => $3)) AS missing
FROM group_member WHERE consumer_group = $1 AND member <> $2
"""
#: All sessions of the missing process end, so that none of them holds a lock, nor changes anything later.
_END_MISSING = """
WITH gone AS (
    DELETE FROM group_member WHERE consumer_group = $1 AND seen_at <= now() - make_interval(secs => $2)
    RETURNING application
)
SELECT count(*) FILTER (WHERE pg_terminate_backend(s.pid)) FROM pg_stat_activity s
WHERE s.application_name IN (SELECT application FROM gone) AND s.application_name LIKE 'cloister %'
  AND s.application_name <> current_setting('application_name')
  AND s.datname = current_database() AND s.usename = current_user
"""

#: Distinct for every gain of a partition in this process, whichever membership gains it.
_EPOCHS = itertools.count(1)


class PostgresSubscription:
    """Read one stage, or all of them when *stage* is None, for one group.

    A partition is ours while our session holds its advisory lock, so a killed process frees its partitions at
    once. A member whose machine died or froze keeps its sessions: whoever misses it ends them. Members share the
    partitions evenly: one that has too many stops reading some, and gives them up when all that was handed out is
    committed.
    """

    def __init__(self, pool: Any, group: str, stage: str | None) -> None:
        self.stage = stage
        self.closed = False
        self._pool = pool
        self._group = group
        self._member = uuid.uuid4()
        self._connection: Any = None
        self._epochs: dict[int, int] = {}
        self._cursors: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._leaving: set[int] = set()
        self._next_heartbeat = 0.0
        self._woken = asyncio.Event()
        self._rotation = 0

    async def __aenter__(self) -> PostgresSubscription:
        """Join the group."""
        joined = False
        try:
            async with translated():
                await self._rebalance()
            joined = True
        finally:
            # Nobody leaves what was never entered: its connection would be missing from the pool for good.
            if not joined:
                self.closed = True
                await self._disconnect()
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

    async def lag(self) -> int:
        """Return how much waits; see the port."""
        reading = list(self._epochs)
        cursors = [self._cursors[partition] for partition in reading]
        async with translated():
            count: int = await self._pool.fetchval(_LAG, reading, cursors, self.stage)
        return count

    @property
    def settled(self) -> bool:
        """Say that it is certain who owns what: partitions leave us only when nothing of them is in our hands."""
        return True

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
        cursors = [self._cursors[p] for p in reading]
        bounds = (reading, cursors, max_records, self._rotation, PARTITIONS)
        if self.stage is None:
            rows = await self._pool.fetch(_READ_ALL, *bounds)
        else:
            rows = await self._pool.fetch(_READ_STAGE, *bounds, self.stage)
        deliveries = []
        for row in rows:
            partition, offset = row["partition"], row["log_offset"]
            if partition not in self._epochs:
                continue
            self._cursors[partition] = offset + 1
            deliveries.append(self._deliver(row, partition, offset))
        return deliveries

    def _deliver(self, row: Mapping[str, Any], partition: int, offset: int) -> Delivery:
        record = record_or_remains_of(row, {"partition": partition, "offset": offset})
        return Delivery(partition, offset, self._epochs[partition], record)

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
        row = await self._connection.fetchrow(_HEARTBEAT, self._group, self._member, MEMBER_TIMEOUT_S)
        if row["missing"]:
            ended = await self._connection.fetchval(_END_MISSING, self._group, MEMBER_TIMEOUT_S)
            log.warning("log.member_missing", group=self._group, sessions_ended=ended)
        return int(row["others"]) + 1

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
                self._epochs[partition] = next(_EPOCHS)
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
