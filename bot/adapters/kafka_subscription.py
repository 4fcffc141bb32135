"""Reading topics of Kafka as a member of a consumer group."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError

from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_errors import translated
from bot.adapters.kafka_held import Held
from bot.adapters.kafka_records import decode
from bot.adapters.kafka_watchdog import ASK_LIMIT_S, Watchdog
from bot.domain.errors import Transient
from bot.domain.events import Record
from bot.ports import Clock, Delivery, OnRevoke

log = structlog.get_logger()

#: A member that is silent for this long has died. Being taken for dead costs little: what is done in between counts.
SESSION_TIMEOUT_S = 12.0
HEARTBEAT_S = 3.0
#: How long members may take to hand in their work when partitions are dealt out anew.
REBALANCE_TIMEOUT_S = 20.0
#: How long a broker may take for an answer: longer than for one that waits for all members, and no longer, since a
#: broker that freezes is noticed by that alone.
_ANSWER_LIMIT_S = REBALANCE_TIMEOUT_S + 5.0
#: Without progress for this long, although there are records, the client is taken for stuck.
STUCK_S = 60.0
_STOP_LIMIT_S = 3.0
#: What a call of the client may take beyond what it was told.
_GRACE_S = 0.2
_MOST_PARTITIONS = 1_000_000

#: Distinct for every gain of a partition in this process, whichever membership gains it.
_EPOCHS = itertools.count(1)


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """Read *topics* for one group.

    Partitions that stay ours when they are dealt out anew go on where they were; their work is not repeated.
    Records that are not due yet are held, and their partition is paused, which keeps the order within a topic.

    Args:
        connection: how to reach the brokers.
        group: name of the consumer group.
        topics: what to read, each with the seconds that its records may be held until they are due.
        stage: whose records are expected; None where topics are shared.
        clock: tells when held records are due.
        on_revoke: awaited before partitions may go to other members.
        stuck_s: seconds without progress after which a poll gives up.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        group: str,
        topics: Mapping[str, float],
        *,
        stage: str | None,
        clock: Clock,
        on_revoke: OnRevoke,
        stuck_s: float = STUCK_S,
    ) -> None:
        self._topics = list(topics)
        self._stage = stage
        self._group = group
        self._on_revoke = on_revoke
        self._stuck_s = stuck_s
        # The assignor keeps what it remembers in its class: each membership needs one of its own.
        assignor = type("StickyAssignor", (StickyPartitionAssignor,), {})
        self._consumer = AIOKafkaConsumer(
            **connection.options(),
            group_id=group,
            partition_assignment_strategy=(assignor,),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(SESSION_TIMEOUT_S * 1000),
            heartbeat_interval_ms=int(HEARTBEAT_S * 1000),
            rebalance_timeout_ms=int(REBALANCE_TIMEOUT_S * 1000),
            # Polls pause while we are full; a member that hangs is the watchdog's business.
            max_poll_interval_ms=86_400_000,
            request_timeout_ms=int(_ANSWER_LIMIT_S * 1000),
        )
        self._starting: asyncio.Task[None] | None = None
        self._epochs: dict[TopicPartition, int] = {}
        self._cursors: dict[TopicPartition, int] = {}
        self._held = Held(clock, topics)
        self._fetching: asyncio.Task[dict[TopicPartition, list[Any]]] | None = None
        self._settled = asyncio.Event()
        self._watchdog = Watchdog(group, self._consumer.end_offsets, self._position, stuck_s)

    async def __aenter__(self) -> KafkaSubscription:
        """Join the group; that is over when `settled` says so."""
        self._consumer.subscribe(self._topics, listener=self)
        self._starting = asyncio.create_task(self._consumer.start(), name=f"join {self._group}")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave the group."""
        await _end(self._starting)
        await _end(self._fetching)
        stopping = asyncio.create_task(self._consumer.stop())
        await asyncio.wait([stopping], timeout=_STOP_LIMIT_S)
        if not stopping.done():
            # It waits for a broker that does not answer; the group will notice that we are gone.
            await self._consumer._client.close()  # noqa: SLF001 - there is no other way to close the connections
        await _end(stopping)

    async def lag(self) -> int:
        """Return how much waits; see the port."""
        places = list(self._epochs) if self.settled else []
        async with translated(), asyncio.timeout(ASK_LIMIT_S):
            ends = await self._consumer.end_offsets(places) if places else {}
            waiting = [end - await self._position(place) for place, end in ends.items()]
        return min(10_000, int(sum(waiting)) + len(self._held))

    async def _position(self, partition: TopicPartition) -> int:
        return self._cursors.get(partition) or int(await self._consumer.position(partition))

    @property
    def settled(self) -> bool:
        """Say whether it is certain who owns what."""
        return self._settled.is_set()

    def owned(self) -> Mapping[int, int]:
        """Return our partitions with their epochs."""
        return {self._number(partition): epoch for partition, epoch in self._epochs.items()}

    async def poll(self, *, max_records: int, timeout_s: float) -> list[Delivery]:
        """Return the next records; see the port."""
        deadline = time.monotonic() + timeout_s
        if not await self._joined(timeout_s):
            return []
        if max_records == 0:
            await asyncio.sleep(min(timeout_s, 0.05))
            return []
        async with translated():
            await self._watchdog.look([p for p in self._epochs if p not in self._held])
            while True:
                deliveries = self._release(max_records)
                if len(deliveries) < max_records:
                    left_s = 0.0 if deliveries else max(0.0, deadline - time.monotonic())
                    deliveries += await self._fetch(max_records - len(deliveries), left_s)
                if deliveries or time.monotonic() >= deadline or not self.settled:
                    return deliveries

    async def _fetch(self, most: int, timeout_s: float) -> list[Delivery]:
        """Return what the client brings within *timeout_s*.

        The client's own call is never cancelled, which would break its sense of idle time. It may last longer than
        it was told, as while the group deals out partitions; then the next poll goes on waiting for it.
        """
        until_due_s = self._held.until_due_s()
        if until_due_s is not None:
            timeout_s = min(timeout_s, until_due_s)
        if self._fetching is None:
            call = self._consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=most)
            self._fetching = asyncio.create_task(call)
        await asyncio.wait([self._fetching], timeout=timeout_s + _GRACE_S)
        if not self._fetching.done():
            return []
        fetching, self._fetching = self._fetching, None
        return self._take(fetching.result(), most)

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Remember where to go on; see the port."""
        ours = {self._number(partition): partition for partition in self._epochs}
        mine = {ours[number]: offset for number, offset in offsets.items() if number in ours}
        if not mine:
            return
        async with translated(), asyncio.timeout(ASK_LIMIT_S):
            try:
                await self._consumer.commit(mine)
            except (CommitFailedError, IllegalStateError) as error:
                # The group has dealt the partitions out anew; what is not committed is handed out again.
                log.info("log.commit_refused", group=self._group, error=type(error).__name__)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Hand in what is done; whoever owns a partition next starts there."""
        self._settled.clear()
        if revoked:
            await self._on_revoke(self)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Go on where we were in partitions that are still ours, and at the committed offset in new ones."""
        for partition in set(self._epochs) - set(assigned):
            self._epochs.pop(partition)
            self._cursors.pop(partition, None)
            self._held.drop(partition)
        for partition in assigned:
            if partition not in self._epochs:
                self._epochs[partition] = next(_EPOCHS)
            elif partition in self._cursors:
                self._consumer.seek(partition, self._cursors[partition])
            if partition in self._held:
                self._consumer.pause(partition)
        if not assigned:
            log.info("log.no_partitions", group=self._group, reason="there are more members than partitions")
        self._watchdog.progressed()
        self._settled.set()

    async def _joined(self, timeout_s: float) -> bool:
        """Wait a little for our part of the group.

        Raises:
            Transient: joining takes too long.
        """
        assert self._starting is not None
        if not self._starting.done():
            await asyncio.wait([self._starting], timeout=timeout_s)
        if self._starting.done():
            async with translated():
                self._starting.result()
        if self.settled:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), timeout_s)
        if self._watchdog.idle_s > self._stuck_s + REBALANCE_TIMEOUT_S:
            raise Transient("joining the consumer group takes too long; Kafka may be out of reach")
        return False

    def _take(self, fetched: Mapping[TopicPartition, Sequence[Any]], most: int) -> list[Delivery]:
        deliveries: list[Delivery] = []
        for partition, messages in fetched.items():
            if partition not in self._epochs:
                continue
            self._cursors[partition] = messages[-1].offset + 1
            self._watchdog.progressed()
            for message in messages:
                record = decode(message, self._stage)
                ready = partition not in self._held and not self._held.early(partition, record)
                if ready and len(deliveries) < most:
                    deliveries.append(self._deliver(partition, message.offset, record))
                else:
                    self._held.add(partition, message.offset, record)
            if partition in self._held:
                self._consumer.pause(partition)
        return deliveries

    def _release(self, most: int) -> list[Delivery]:
        """Return held records that have become due, and read on where none is left."""
        deliveries = [self._deliver(*one) for one in self._held.release(most)]
        for partition in self._consumer.paused():
            if partition not in self._held:
                self._consumer.resume(partition)
        return deliveries

    def _deliver(self, partition: TopicPartition, offset: int, record: Record) -> Delivery:
        return Delivery(self._number(partition), offset, self._epochs[partition], record)

    def _number(self, partition: TopicPartition) -> int:
        """Return a number for *partition*, the same in every process; of a single topic, Kafka's own."""
        return int(self._topics.index(partition.topic) * _MOST_PARTITIONS + partition.partition)


async def _end(task: asyncio.Task[Any] | None) -> None:
    """Cancel *task* and look at its outcome, so that nobody complains about it."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
