"""The consume loop: per-key order, bounded concurrency, contiguous commits."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

import structlog

from bot.domain.errors import Transient
from bot.ports import Clock, Delivery, EventLog, Store, Subscription, Telemetry
from bot.runtime.consumer import Consumer
from bot.runtime.handling import OUTAGE_S, Handling
from bot.runtime.offsets import Offsets
from bot.runtime.stopping import pause

log = structlog.get_logger()

#: How long a poll waits; also how long a stop may go unnoticed.
POLL_S = 1.0
COMMIT_S = 1.0
MEASURE_S = 15.0
#: Deliveries taken ahead per unit of concurrency; beyond that the log keeps them.
AHEAD = 16
#: Deliveries done behind one that is not; a crash hands them out again, and the inbox recognises each.
MAX_TRACKED = 5_000
#: Less than the ten seconds that container engines wait; what is broken off is done again.
DRAIN_S = 7.0
#: How long running work holds up the other members of the group before it may be broken off.
HAND_IN_S = 10.0


class ConsumeLoop:
    """Run one consumer on its stage until told to stop.

    Events of one key are handled one after the other, at most *concurrency* keys at a time. Handlers never run
    in the polling task, and polling is never cancelled. Loops of one process share *suspects*; see `Handling`.
    """

    def __init__(
        self,
        consumer: Consumer,
        *,
        event_log: EventLog,
        store: Store,
        telemetry: Telemetry,
        clock: Clock,
        concurrency: int,
        suspects: asyncio.Lock | None = None,
    ) -> None:
        self._handling = Handling(
            consumer,
            event_log=event_log,
            store=store,
            telemetry=telemetry,
            clock=clock,
            suspects=suspects or asyncio.Lock(),
        )
        self._log = event_log
        self._telemetry = telemetry
        self._clock = clock
        self._slots = asyncio.Semaphore(concurrency)
        self._limit = concurrency * AHEAD
        #: What went wrong outside of any handler; going on would leave an event unhandled for ever.
        self._broken: BaseException | None = None
        self._offsets = Offsets()
        self._queues: dict[str, deque[Delivery]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._may_start = asyncio.Event()
        self._stage = consumer.stage.value

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until *stop* is set, then finish what was started, for at most ``DRAIN_S`` seconds.

        While the log is out of reach running work goes on: its result counts, only its offset is forgotten.
        """
        try:
            while not stop.is_set():
                try:
                    subscription = self._log.subscribe(self._stage, self._stage, on_revoke=self._hand_in)
                    async with subscription:
                        await self._consume(subscription, stop)
                        await self._drain()
                        await self._commit(subscription)
                except Transient as error:
                    log.warning("log.out_of_reach", stage=self._stage, error=str(error))
                    await pause(stop, OUTAGE_S)
                finally:
                    self._offsets.keep({})
        finally:
            await self._drain()

    async def _consume(self, subscription: Subscription, stop: asyncio.Event) -> None:
        next_commit = next_measure = 0.0
        while not stop.is_set():
            deliveries = await subscription.poll(max_records=self._room(), timeout_s=POLL_S)
            if self._broken is not None:
                raise self._broken
            self._keep(subscription)
            for delivery in deliveries:
                self._accept(delivery)
            now = self._clock.monotonic()
            if now >= next_commit:
                await self._commit(subscription)
                next_commit = self._clock.monotonic() + COMMIT_S
            if now >= next_measure:
                await self._measure(subscription)
                next_measure = self._clock.monotonic() + MEASURE_S

    def _room(self) -> int:
        """Return how many more deliveries can be taken."""
        return max(0, min(self._limit - self._offsets.unfinished, MAX_TRACKED - self._offsets.outstanding))

    def _keep(self, subscription: Subscription) -> None:
        """Let go of partitions that others have now, and of the work on them."""
        owned = subscription.owned()
        self._offsets.keep(owned)
        if not subscription.settled:
            return
        for task, delivery in self._running.items():
            if delivery.partition not in owned:
                log.info("delivery.lost", stage=self._stage, partition=delivery.partition)
                task.cancel()
        self._may_start.set()

    async def _commit(self, subscription: Subscription) -> None:
        """Commit what is done; what the log does not take now is committed later, or done and handed out again."""
        offsets = self._offsets.take_committable()
        if offsets:
            try:
                await subscription.commit(offsets)
            except Transient as error:
                self._offsets.put_back(offsets)
                log.warning("log.commit_failed", stage=self._stage, error=str(error))

    async def _measure(self, subscription: Subscription) -> None:
        oldest = self._offsets.oldest
        age_s = self._clock.monotonic() - oldest if oldest is not None else 0.0
        self._telemetry.gauge("cloister_tracked", self._offsets.outstanding, stage=self._stage)
        self._telemetry.gauge("cloister_oldest_age", age_s, stage=self._stage)
        with suppress(Transient):
            self._telemetry.gauge("cloister_lag", await subscription.lag(), stage=self._stage)

    async def _hand_in(self, subscription: Subscription) -> None:
        """Start nothing new, give running work a moment, and commit what is done: partitions may go to others."""
        self._may_start.clear()
        if self._running:
            await asyncio.wait(self._running, timeout=HAND_IN_S)
            await asyncio.sleep(0)
        await self._commit(subscription)

    async def _drain(self) -> None:
        for queue in self._queues.values():
            queue.clear()
        self._may_start.set()
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._may_start.clear()

    def _accept(self, delivery: Delivery) -> None:
        self._offsets.took(delivery, self._clock.monotonic())
        key = delivery.record.key
        queue = self._queues.get(key)
        if queue is not None:
            queue.append(delivery)
            return
        self._queues[key] = deque([delivery])
        worker = asyncio.create_task(self._work_off(key), name=f"{self._stage}:{key}")
        self._workers.add(worker)
        worker.add_done_callback(self._ended)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None:
            self._broken = worker.exception()

    async def _work_off(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue:
                async with self._slots:
                    await self._may_start.wait()
                    if not queue:
                        break
                    delivery = queue.popleft()
                    if self._offsets.holds(delivery):
                        await self._deliver(delivery)
        finally:
            del self._queues[key]

    async def _deliver(self, delivery: Delivery) -> None:
        """Handle one delivery in a task that ends early when its partition is lost."""
        task = asyncio.create_task(self._handling.handle(delivery.record))
        self._running[task] = delivery
        self._telemetry.gauge("cloister_in_flight", len(self._running), stage=self._stage)
        try:
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
                self._offsets.done(delivery)
        finally:
            if task.cancel():
                await asyncio.wait([task])
            del self._running[task]
            self._telemetry.gauge("cloister_in_flight", len(self._running), stage=self._stage)
