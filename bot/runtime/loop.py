"""The consume loop: per-key order, bounded concurrency, contiguous commits, and the one place that acts on errors."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog
from pydantic import ValidationError

from bot.domain.errors import CloisterError, Obsolete, Transient
from bot.domain.events import Event, Record, UnknownEvent
from bot.domain.retry import MAX_CRASHES, Again, Drop, GiveUp, decide, describe
from bot.ports import Clock, Delivery, EventLog, Store, Subscription, Telemetry
from bot.runtime.consumer import Consumer, Work
from bot.runtime.offsets import Offsets

log = structlog.get_logger()

T = TypeVar("T")

#: How long a poll waits; also how long a stop may go unnoticed.
POLL_S = 1.0
COMMIT_S = 1.0
#: Deliveries taken ahead per unit of concurrency; beyond that the log keeps them.
AHEAD = 16
#: Less than the ten seconds that container engines wait; what is broken off is done again.
DRAIN_S = 7.0
#: Wait between tries to reach the log or the store, which nothing can be done without.
OUTAGE_S = 2.0


class ConsumeLoop:
    """Run one consumer on its stage until told to stop.

    Events of one key are handled one after the other, at most *concurrency* keys at a time. Handlers never run
    in the polling task, and polling is never cancelled.
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
    ) -> None:
        self._consumer = consumer
        self._log = event_log
        self._store = store
        self._telemetry = telemetry
        self._clock = clock
        self._slots = asyncio.Semaphore(concurrency)
        self._limit = concurrency * AHEAD
        self._in_flight = 0
        #: What went wrong outside of any handler; going on would leave an event unhandled for ever.
        self._broken: BaseException | None = None
        self._offsets = Offsets()
        self._queues: dict[str, deque[Delivery]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._stage = consumer.stage.value

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until *stop* is set, then finish what was started, for at most ``DRAIN_S`` seconds."""
        while not stop.is_set():
            try:
                async with self._log.subscribe(self._stage, self._stage) as subscription:
                    await self._consume(subscription, stop)
            except Transient as error:
                log.warning("log.out_of_reach", stage=self._stage, error=str(error))
                await _wait(stop, OUTAGE_S)

    async def _consume(self, subscription: Subscription, stop: asyncio.Event) -> None:
        next_commit = 0.0
        try:
            while not stop.is_set():
                room = self._limit - self._offsets.outstanding
                deliveries = await subscription.poll(max_records=max(0, room), timeout_s=POLL_S)
                if self._broken is not None:
                    raise self._broken
                self._offsets.keep(subscription.owned())
                for delivery in deliveries:
                    self._accept(delivery)
                if self._clock.monotonic() >= next_commit:
                    await self._commit(subscription)
                    next_commit = self._clock.monotonic() + COMMIT_S
        finally:
            await self._drain()
            try:
                await self._commit(subscription)
            finally:
                self._offsets.keep({})

    async def _commit(self, subscription: Subscription) -> None:
        self._telemetry.gauge("cloister_tracked", self._offsets.outstanding, stage=self._stage)
        offsets = self._offsets.take_committable()
        if not offsets:
            return
        try:
            await subscription.commit(offsets)
        except Transient:
            self._offsets.put_back(offsets)
            raise

    async def _drain(self) -> None:
        for queue in self._queues.values():
            queue.clear()
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _accept(self, delivery: Delivery) -> None:
        self._offsets.took(delivery)
        key = delivery.record.key if delivery.record else f"unreadable:{delivery.partition}"
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
                    if not queue:
                        break
                    delivery = queue.popleft()
                    if self._offsets.holds(delivery):
                        self._show_in_flight(1)
                        try:
                            await self._deliver(delivery)
                        finally:
                            self._show_in_flight(-1)
                        self._offsets.done(delivery)
        finally:
            del self._queues[key]

    def _show_in_flight(self, change: int) -> None:
        self._in_flight += change
        self._telemetry.gauge("cloister_in_flight", self._in_flight, stage=self._stage)

    async def _deliver(self, delivery: Delivery) -> None:
        record = delivery.record
        if record is None:
            log.error(
                "delivery.unreadable", stage=self._stage, offset=delivery.offset, problem=delivery.problem
            )
            return
        with (
            structlog.contextvars.bound_contextvars(
                stage=self._stage, merge_request=record.key, event=str(record.id)
            ),
            self._telemetry.span(
                f"process {self._stage}", parent=record.trace, stage=self._stage, kind=record.kind
            ),
        ):
            try:
                event = record.event()
            except (UnknownEvent, ValidationError) as error:
                await self._insist(partial(self._park, record, 1, type(error).__name__, str(error)))
                return
            await self._handle(record, event)

    async def _handle(self, record: Record, event: Event) -> None:
        """Handle *event* until it is done, given up, or handed to a later time."""
        failures = record.attempt
        while True:
            start = await self._insist(partial(self._store.start, self._stage, record.id, failures))
            if start.done:
                return
            if start.crashes >= MAX_CRASHES:
                reason = f"handling it ended its process {start.crashes} times"
                await self._give_up(record, event, failures + start.crashes, "Crash", reason)
                return
            error = await self._try(self._consumer.handle, event, record, failures)
            if error is None:
                return
            failures += 1
            if not await self._act(record, event, error, failures):
                return

    async def _try(
        self, handler: Callable[..., Awaitable[None]], event: Event, record: Record, failures: int = 0
    ) -> Exception | None:
        """Call *handler* and return the exception that it raised, if any."""
        began = self._clock.monotonic()
        result = "done"
        try:
            await handler(event, work=Work(self._consumer.stage, record, self._store, failures))
        except asyncio.CancelledError:
            with suppress(Transient):
                await asyncio.shield(self._store.unstart(self._stage, record.id))
            raise
        except Exception as error:  # noqa: BLE001 - the one place where any failure of a handler becomes a decision
            result = type(error).__name__
            return error
        finally:
            seconds = self._clock.monotonic() - began
            self._telemetry.observe("cloister_stage_duration", seconds, stage=self._stage)
            self._telemetry.count("cloister_events_handled", stage=self._stage, result=result)
        return None

    async def _act(self, record: Record, event: Event, error: Exception, failures: int) -> bool:
        """Carry out the decision about *error*; return True when it shall be tried again in place."""
        bug = None if isinstance(error, CloisterError) else error
        match decide(error, failures):
            case Drop(reason):
                log.info("event.obsolete", kind=record.kind, reason=reason)
                with suppress(Obsolete):
                    await self._insist(partial(self._mark_done, record))
            case GiveUp(reason):
                log.error("event.given_up", kind=record.kind, reason=reason, exc_info=bug)
                await self._give_up(record, event, failures, type(error).__name__, reason)
            case Again(delay_s) as again:
                self._telemetry.count("cloister_retries", stage=self._stage)
                log.warning(
                    "event.retried", kind=record.kind, wait_s=delay_s, error=describe(error), exc_info=bug
                )
                if again.in_place:
                    await asyncio.sleep(delay_s)
                    return True
                due_at = self._clock.now() + timedelta(seconds=delay_s)
                later = record.model_copy(update={"attempt": failures, "due_at": due_at})
                await self._insist(partial(self._log.append, [later]))
        return False

    async def _give_up(self, record: Record, event: Event, attempts: int, error: str, reason: str) -> None:
        """Park the event and tell the run, under an id of its own: the event itself counts as handled now."""
        await self._insist(partial(self._park, record, attempts, error, reason))
        if self._consumer.exhausted is None:
            return
        handler = partial(self._consumer.exhausted, problem=reason)
        follow_up = record.model_copy(update={"id": uuid.uuid5(record.id, "given up"), "attempt": 0})
        problem = await self._insist(partial(self._try_unless_out_of_reach, handler, event, follow_up))
        if problem is not None and not isinstance(problem, Obsolete):
            log.error("event.aftermath_failed", kind=record.kind, error=describe(problem), exc_info=problem)

    async def _try_unless_out_of_reach(
        self, handler: Callable[..., Awaitable[None]], event: Event, record: Record
    ) -> Exception | None:
        error = await self._try(handler, event, record)
        if isinstance(error, Transient):
            raise error
        return error

    async def _park(self, record: Record, attempts: int, error: str, reason: str) -> None:
        self._telemetry.count("cloister_dead_letters", stage=self._stage)
        await self._store.park(self._stage, record, attempts=attempts, error=error, reason=reason)

    async def _mark_done(self, record: Record) -> None:
        async with self._store.commit(self._stage, record):
            pass

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat *call* until the log or the store can be reached; without them nothing can be decided."""
        while True:
            try:
                return await call()
            except Transient as error:
                log.warning("store.out_of_reach", stage=self._stage, error=str(error))
                await asyncio.sleep(OUTAGE_S)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
