"""The relay: what stages put into the outbox with their rows goes into the event log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from bot.domain.errors import Blocked, Permanent, Transient
from bot.domain.events import Record
from bot.ports import Delivery, EventSink, Outbox, Store, Subscription, Telemetry
from bot.runtime.stopping import pause

log = structlog.get_logger()

#: The consumer group whose offsets say what was shipped, and under which a record that the log refuses is parked.
GROUP = "relay"

_BATCH = 500
_POLL_S = 1.0
_AGAIN_S = 2.0


class Relay:
    """Ship the outbox, each partition of it by one process at a time, in its order.

    A batch is committed once the log has acknowledged all of it. A crash in between ships it again, which the
    inbox of the consumers recognises.
    """

    def __init__(self, outbox: Outbox, event_log: EventSink, store: Store, telemetry: Telemetry) -> None:
        self._outbox = outbox
        self._log = event_log
        self._store = store
        self._telemetry = telemetry

    async def run(self, stop: asyncio.Event) -> None:
        """Ship until *stop* is set."""
        while not stop.is_set():
            try:
                async with self._outbox.unshipped(GROUP) as subscription:
                    while not stop.is_set():
                        deliveries = await subscription.poll(max_records=_BATCH, timeout_s=_POLL_S)
                        if deliveries and not await self._ship(deliveries, subscription, stop):
                            break
            except Transient as error:
                log.warning("relay.interrupted", error=str(error))
                await pause(stop, _AGAIN_S)

    async def _ship(
        self, deliveries: Sequence[Delivery], subscription: Subscription, stop: asyncio.Event
    ) -> bool:
        """Ship one batch, however long the log is out of reach; return False when there is no use in going on."""
        records = [delivery.record for delivery in deliveries]
        while not stop.is_set():
            try:
                await self._append(records)
            except Transient as error:
                _say_that_it_waits(records, error)
                self._telemetry.gauge("cloister_relay_waiting", len(records))
                if not await self._still_ours(deliveries, subscription, stop):
                    return False
            else:
                await subscription.commit({one.partition: one.offset + 1 for one in deliveries})
                self._telemetry.count("cloister_relayed", len(records))
                self._telemetry.gauge("cloister_relay_waiting", 0)
                return True
        return False

    async def _append(self, records: Sequence[Record]) -> None:
        """Append all, but for single ones that the log refuses for good."""
        try:
            await self._log.append(records)
        except Permanent as error:
            if len(records) > 1:
                for record in records:
                    await self._append([record])
                return
            await self._set_aside(records[0], error)

    async def _set_aside(self, record: Record, error: Permanent) -> None:
        log.error("relay.refused", kind=record.kind, record=str(record.id), error=str(error))
        await self._store.park(GROUP, record, attempts=1, error=type(error).__name__, reason=str(error))

    @staticmethod
    async def _still_ours(
        deliveries: Sequence[Delivery], subscription: Subscription, stop: asyncio.Event
    ) -> bool:
        """Wait a moment, keeping the membership; say whether the batch is still ours to ship."""
        until = time.monotonic() + _AGAIN_S
        while time.monotonic() < until and not stop.is_set():
            await subscription.poll(max_records=0, timeout_s=0.2)
            await pause(stop, 0.2)
        owned = subscription.owned()
        return all(owned.get(one.partition) == one.epoch for one in deliveries)


def _say_that_it_waits(records: Sequence[Record], error: Transient) -> None:
    if isinstance(error, Blocked):
        log.error("relay.waits", records=len(records), error=str(error))
    else:
        log.warning("relay.waits", records=len(records), error=str(error))
