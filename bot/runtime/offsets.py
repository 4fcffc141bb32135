"""Which offsets may be committed: the contiguous prefix of what was handled."""

from __future__ import annotations

from collections.abc import Mapping

from bot.ports import Delivery


class Offsets:
    """Track deliveries per partition until they are done.

    Results for a partition that was lost meanwhile, or lost and regained (a newer epoch), are forgotten.
    """

    def __init__(self) -> None:
        #: Partition -> offset -> when it was taken, None once it is done.
        self._pending: dict[int, dict[int, float | None]] = {}
        self._epochs: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self._unfinished = 0

    @property
    def outstanding(self) -> int:
        """Return how many deliveries are tracked, done ones behind an unfinished one included."""
        return sum(len(offsets) for offsets in self._pending.values())

    @property
    def unfinished(self) -> int:
        """Return how many deliveries are tracked and not done."""
        return self._unfinished

    @property
    def oldest(self) -> float | None:
        """Return when the delivery was taken that is unfinished for longest, None when there is none."""
        times = (time for offsets in self._pending.values() for time in offsets.values() if time is not None)
        return min(times, default=None)

    def took(self, delivery: Delivery, at: float) -> None:
        """Track *delivery*, taken *at* a moment; deliveries of one partition come in offset order."""
        if self._epochs.get(delivery.partition) != delivery.epoch:
            self._drop(delivery.partition)
            self._epochs[delivery.partition] = delivery.epoch
        self._pending.setdefault(delivery.partition, {})[delivery.offset] = at
        self._unfinished += 1

    def done(self, delivery: Delivery) -> None:
        """Mark *delivery* as handled."""
        if not self.holds(delivery):
            return
        pending = self._pending[delivery.partition]
        self._unfinished -= pending[delivery.offset] is not None
        pending[delivery.offset] = None
        while pending:
            offset, taken_at = next(iter(pending.items()))
            if taken_at is not None:
                break
            del pending[offset]
            self._next[delivery.partition] = offset + 1

    def holds(self, delivery: Delivery) -> bool:
        """Say whether *delivery* is still ours to handle."""
        return self._epochs.get(
            delivery.partition
        ) == delivery.epoch and delivery.offset in self._pending.get(delivery.partition, {})

    def keep(self, owned: Mapping[int, int]) -> None:
        """Forget partitions that are not in *owned* (partition -> epoch)."""
        for partition, epoch in list(self._epochs.items()):
            if owned.get(partition) != epoch:
                self._drop(partition)

    def take_committable(self) -> dict[int, int]:
        """Return and clear the next offset of each partition that moved on since the last call."""
        committable, self._next = self._next, {}
        return committable

    def put_back(self, committable: Mapping[int, int]) -> None:
        """Undo ``take_committable`` after a failed commit."""
        self._next = {p: offset for p, offset in committable.items() if p in self._epochs} | self._next

    def _drop(self, partition: int) -> None:
        self._unfinished -= sum(
            taken_at is not None for taken_at in self._pending.get(partition, {}).values()
        )
        for tracked in (self._pending, self._epochs, self._next):
            tracked.pop(partition, None)
