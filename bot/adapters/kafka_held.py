"""Records that were read and cannot be handed out yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from aiokafka import TopicPartition

from bot.domain.events import Record
from bot.ports import Clock


class Held:
    """Keep records until they are due, and behind them what follows in their partition.

    When a record is due is a time of the sender's clock. Ours may differ, so a record is never held for longer than
    its topic is meant to.

    Args:
        clock: tells the time, and seconds that never go back.
        longest_s: topic -> how long a record of it may be held; those of other topics are due at once.
    """

    def __init__(self, clock: Clock, longest_s: Mapping[str, float]) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._queues: dict[TopicPartition, deque[tuple[float, int, Record]]] = {}

    def __contains__(self, place: TopicPartition) -> bool:
        return place in self._queues

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def early(self, place: TopicPartition, record: Record) -> bool:
        """Say whether *record* must wait."""
        return self._wait_s(place, record) > 0

    def add(self, place: TopicPartition, offset: int, record: Record) -> None:
        """Hold *record*, which stands at *offset* of *place*."""
        release_at = self._clock.monotonic() + self._wait_s(place, record)
        self._queues.setdefault(place, deque()).append((release_at, offset, record))

    def release(self, most: int) -> Iterator[tuple[TopicPartition, int, Record]]:
        """Yield up to *most* records that are due, in the order of their partitions; a place without any is left."""
        now = self._clock.monotonic()
        for place, queue in list(self._queues.items()):
            while queue and most > 0 and queue[0][0] <= now:
                _, offset, record = queue.popleft()
                most -= 1
                yield place, offset, record
            if not queue:
                del self._queues[place]

    def until_due_s(self) -> float | None:
        """Return the seconds until the next record is due, None when none is held."""
        heads = [queue[0][0] for queue in self._queues.values()]
        return max(0.0, min(heads) - self._clock.monotonic()) if heads else None

    def drop(self, place: TopicPartition) -> None:
        """Forget what is held of *place*."""
        self._queues.pop(place, None)

    def _wait_s(self, place: TopicPartition, record: Record) -> float:
        longest_s = self._longest_s.get(place.topic, 0.0)
        if record.due_at is None or longest_s == 0.0:
            return 0.0
        return min(longest_s, max(0.0, (record.due_at - self._clock.now()).total_seconds()))
