"""Keep what arrives while the event log is out of reach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot.domain.breaker import Breaker
from bot.domain.errors import Transient
from bot.domain.events import Record
from bot.ports import EventSink

log = structlog.get_logger()

#: A log that works answers within some ten milliseconds, and the sender of a webhook waits.
LIMIT_S = 0.7
PROBE_S = 5.0


class Spool:
    """Append to the event log, or to the outbox while that is out of reach; the relay brings it along later.

    After a failure the outbox is used at once, but for one append in every ``PROBE_S`` seconds.

    Args:
        event_log: where events belong.
        outbox: where they wait.
        monotonic: tells seconds.
        limit_s: how long the log may take before it counts as out of reach. What was given up may still arrive,
            a second time.
    """

    def __init__(
        self,
        event_log: EventSink,
        outbox: EventSink,
        *,
        monotonic: Callable[[], float],
        limit_s: float = LIMIT_S,
    ) -> None:
        self._log = event_log
        self._outbox = outbox
        self._limit_s = limit_s
        self._breaker = Breaker("the event log", monotonic=monotonic, failures=1, probe_s=PROBE_S)

    @property
    def spooling(self) -> bool:
        """Say whether the event log was out of reach lately."""
        return self._breaker.open

    async def append(self, records: Sequence[Record]) -> int:
        """Store *records* durably; see the port."""
        try:
            with self._breaker.call():
                return await self._within_limit(records)
        except Transient as error:
            if error.retry_after_s is None:
                log.warning("log.spooled", reason=str(error))
            return await self._outbox.append(records)

    async def _within_limit(self, records: Sequence[Record]) -> int:
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._log.append(records)
        except TimeoutError as error:
            raise Transient(f"the event log took more than {self._limit_s:g} s") from error
