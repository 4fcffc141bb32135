"""Handling one record until it is done, given up, or handed to a later time: the one place that acts on errors."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog
from pydantic import ValidationError

from bot.domain.errors import CloisterError, Obsolete, Transient
from bot.domain.events import Event, Record, UnknownEvent, Unreadable
from bot.domain.retry import MAX_CRASHES, Again, Drop, GiveUp, decide, describe
from bot.ports import Clock, EventLog, Store, Telemetry
from bot.runtime.consumer import Consumer, Work

log = structlog.get_logger()

T = TypeVar("T")

#: Wait between tries to reach the log or the store, which nothing can be done without.
OUTAGE_S = 2.0


class Handling:
    """Hand records to one consumer and act on what comes of it.

    *suspects* is shared by all of a process: what would be given up with the next crash is tried while no other such
    event is, so that the one that kills its process does not take along those that only ran beside it.
    """

    def __init__(
        self,
        consumer: Consumer,
        *,
        event_log: EventLog,
        store: Store,
        telemetry: Telemetry,
        clock: Clock,
        suspects: asyncio.Lock,
    ) -> None:
        self._consumer = consumer
        self._log = event_log
        self._store = store
        self._telemetry = telemetry
        self._clock = clock
        self._suspects = suspects
        self._stage = consumer.stage.value

    async def handle(self, record: Record) -> None:
        """Handle *record*; returning means that it needs no further delivery."""
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
            except UnknownEvent as error:
                await self._act(record, None, error, record.attempt + 1)
            except (Unreadable, ValidationError) as error:
                await self._set_aside(record, error)
            else:
                await self._start(record, event)

    async def _set_aside(self, record: Record, error: ValueError) -> None:
        log.error("event.unreadable", kind=record.kind, problem=str(error))
        await self._insist(partial(self._park, record, 1, type(error).__name__, str(error)))

    async def _start(self, record: Record, event: Event) -> None:
        try:
            await self._try_until_decided(record, event)
        except asyncio.CancelledError:
            # An orderly end; without this mark three of them would pass for crashes.
            with suppress(Transient):
                await asyncio.shield(self._store.unstart(self._stage, record.id))
            raise

    async def _try_until_decided(self, record: Record, event: Event) -> None:
        failures = record.attempt
        while True:
            start = await self._insist(partial(self._store.start, self._stage, record.id, failures))
            if start.done:
                return
            if start.crashes >= MAX_CRASHES:
                reason = f"handling it ended its process {start.crashes} times"
                await self._give_up(record, event, failures + start.crashes, "Crash", reason)
                return
            suspected = start.crashes == MAX_CRASHES - 1
            attempt = self._try_in_turn if suspected else self._try
            error = await attempt(self._consumer.handle, event, record, failures)
            if error is None:
                return
            failures += 1
            if not await self._act(record, event, error, failures):
                return

    async def _try_in_turn(
        self, handler: Callable[..., Awaitable[None]], event: Event, record: Record, failures: int
    ) -> Exception | None:
        """Do as `_try`, once no other suspect is being tried; the start counts from then on."""
        await self._insist(partial(self._store.unstart, self._stage, record.id))
        async with self._suspects:
            log.warning("event.suspected", kind=record.kind, crashes=MAX_CRASHES - 1)
            await self._insist(partial(self._store.start, self._stage, record.id, failures))
            return await self._try(handler, event, record, failures)

    async def _try(
        self, handler: Callable[..., Awaitable[None]], event: Event, record: Record, failures: int = 0
    ) -> Exception | None:
        """Call *handler* and return the exception that it raised, if any."""
        began = self._clock.monotonic()
        result = "done"
        try:
            await handler(event, work=Work(self._consumer.stage, record, self._store, failures))
        except asyncio.CancelledError:
            result = "cancelled"
            raise
        except Exception as error:  # noqa: BLE001 - the one place where any failure of a handler becomes a decision
            result = type(error).__name__
            return error
        finally:
            seconds = self._clock.monotonic() - began
            self._telemetry.observe("cloister_stage_duration", seconds, stage=self._stage)
            self._telemetry.count("cloister_events_handled", stage=self._stage, result=result)
        return None

    async def _act(self, record: Record, event: Event | None, error: Exception, failures: int) -> bool:
        """Carry out the decision about *error*; return True when it shall be tried again in place."""
        bug = None if isinstance(error, CloisterError | UnknownEvent) else error
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

    async def _give_up(
        self, record: Record, event: Event | None, attempts: int, error: str, reason: str
    ) -> None:
        """Park the event and tell the run, under an id of its own: the event itself counts as handled now."""
        await self._insist(partial(self._park, record, attempts, error, reason))
        if self._consumer.exhausted is None or event is None:
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
