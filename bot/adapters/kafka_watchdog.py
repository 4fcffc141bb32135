"""Noticing that the Kafka client brings nothing although there is something."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog
from aiokafka import TopicPartition

from bot.adapters.kafka_errors import translated
from bot.domain.errors import Transient

log = structlog.get_logger()

#: How long a broker may take to answer a small question; longer and it counts as out of reach.
ASK_LIMIT_S: Final = 3.0


class Watchdog:
    """Tell a client that is stuck from one that has nothing to read.

    Args:
        group: name of the consumer group, for the log.
        ends: asks the brokers where partitions end.
        position: tells where the client is in one.
        stuck_s: seconds without progress after which it is looked at.
    """

    def __init__(
        self,
        group: str,
        ends: Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]],
        position: Callable[[TopicPartition], Awaitable[int]],
        stuck_s: float,
    ) -> None:
        self._group = group
        self._ends = ends
        self._position = position
        self._stuck_s = stuck_s
        self._progress_at = time.monotonic()
        self._checked_at = 0.0
        self._waiting: dict[TopicPartition, int] = {}

    @property
    def idle_s(self) -> float:
        """Return the seconds without progress."""
        return time.monotonic() - self._progress_at

    def progressed(self) -> None:
        """Note that the client does something."""
        self._progress_at = time.monotonic()

    async def look(self, reading: Sequence[TopicPartition]) -> None:
        """Find out now and then whether there are records in *reading* that the client does not bring.

        Raises:
            Transient: it seems stuck; a new client may not be.
        """
        now = time.monotonic()
        if self.idle_s < self._stuck_s or now - self._checked_at < self._stuck_s / 4 or not reading:
            return
        self._checked_at = now
        try:
            async with translated(), asyncio.timeout(ASK_LIMIT_S):
                ends = await self._ends(reading)
        except Transient as error:
            # Brokers that do not answer bring nothing either; a new client would not change that.
            log.warning("log.out_of_reach", group=self._group, error=str(error))
            return
        positions = {place: await self._position(place) for place in reading}
        waiting = {place: position for place, position in positions.items() if ends[place] > position}
        # What waits for the first time may have come this very moment.
        stuck = [place for place, position in waiting.items() if self._waiting.get(place) == position]
        if stuck:
            msg = f"the Kafka client brings nothing, although {len(stuck)} partitions have records"
            raise Transient(msg)
        self._waiting = waiting
        if not waiting:
            self._progress_at = now
