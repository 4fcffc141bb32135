"""The event log: events are kept, and handed out in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.events import Record

OnRevoke = Callable[["Subscription"], Awaitable[None]]


async def keep_all(subscription: Subscription) -> None:
    """Do nothing before partitions go to other members."""


class EventSink(Protocol):
    """Keep events durably."""

    async def append(self, records: Sequence[Record]) -> int:
        """Store *records* durably, each after all earlier ones of its key; return how many were new.

        Returning means that a crash cannot lose them. A record that was appended before may be handed out
        once more, and the store's inbox recognises it; a log that cannot tell counts it as new. A record
        with ``due_at`` is handed out soon after that time, not before.

        Raises:
            Transient: the log is out of reach; appending again is safe.
            Permanent: the log refuses a record, e.g. for its size; the others may have been stored.
        """


class EventLog(EventSink, Protocol):
    """Keep events durably and hand them out in order of their key.

    A stage's topic is split into partitions by key; offsets grow within a partition, with gaps. One
    consumer group reads each topic, and each partition belongs to at most one member of the
    group at a time.
    """

    def history(self, stage: str, since: datetime, until: datetime | None = None) -> AsyncIterator[Record]:
        """Yield what was appended to *stage* at or after *since* and before *until*, each key in order.

        The end is fixed when the iteration begins: what is appended later, by its reader too, is left out.
        The time that counts is the log's own, of the append. A record that was held back counts from when it
        was due, comes without ``due_at``, and does not come before. Otherwise records come as they were
        appended, retries with their ``attempt`` included; one may come more than once.

        Reading joins no group, moves no offset and holds a bounded number of records, however long the range.
        What cannot be read as a record is left out and logged as ``delivery.unreadable``.

        Raises:
            Transient: the log is out of reach; what was yielded until then stands.
        """

    def subscribe(self, group: str, stage: str, *, on_revoke: OnRevoke = keep_all) -> Subscription:
        """Return a membership of *group* in the topic of *stage*; reading starts at the committed offsets.

        *on_revoke* is awaited with the subscription before partitions may go to other members while records
        of them are in our hands. What is committed until it returns is not handed out again.
        """


class Outbox(EventSink, Protocol):
    """Keep events in the store, together with the rows that they belong to, until they are in the event log."""

    def unshipped(self, group: str) -> Subscription:
        """Return a membership of *group* in all topics at once; what it commits counts as shipped."""


class Subscription(Protocol):
    """Read one topic as a member of a group; use as an async context manager."""

    async def __aenter__(self) -> Subscription:
        """Join the group."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave the group at once, so that other members take over."""

    async def poll(self, *, max_records: int, timeout_s: float) -> list[Delivery]:
        """Return the next records of the partitions that are ours, waiting up to *timeout_s* for the first.

        Records of one partition come in offset order and are not handed out twice while the partition stays
        ours. What cannot be read comes as a record of the kind ``unreadable``.

        Raises:
            Transient: the log is out of reach.
        """

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Remember per partition the next offset to read after a restart; partitions lost meanwhile are skipped."""

    def owned(self) -> Mapping[int, int]:
        """Return the partitions that are ours, each with an epoch that grows whenever we gain it anew."""

    async def lag(self) -> int:
        """Return how many records of our partitions were not handed out yet, or "many" as 10,000.

        Raises:
            Transient: the log is out of reach.
        """

    @property
    def settled(self) -> bool:
        """Say whether it is certain who owns what; while it is not, nothing new should be started."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hold one record as handed out, and where it stands in the log."""

    partition: int
    offset: int
    epoch: int
    record: Record
