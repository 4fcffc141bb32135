"""The event log in Kafka: a topic for each stage, keyed by merge request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import structlog

from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_history import history
from bot.adapters.kafka_producer import KafkaProducer
from bot.adapters.kafka_subscription import KafkaSubscription
from bot.adapters.kafka_topics import Topics, topic_admin
from bot.domain.errors import Transient
from bot.domain.events import Record
from bot.ports import Clock, OnRevoke, Subscription, keep_all
from bot.runtime.stopping import pause

log = structlog.get_logger()

_RETRIES = "retry"
_AGAIN_S = 2.0
#: Records that are due and moved at a time.
_MOVED = 100


class KafkaLog:
    """Implement the event log on Kafka; use as an async context manager.

    Delayed records come to their stages only while some process of the installation runs `move_retries`.

    Args:
        connection: how to reach the brokers.
        topics: names of topics and groups.
        clock: tells when delayed records are due.
    """

    def __init__(self, connection: KafkaConnection, topics: Topics, *, clock: Clock) -> None:
        self._connection = connection
        self._topics = topics
        self._clock = clock
        self._producer = KafkaProducer(connection)

    async def __aenter__(self) -> KafkaLog:
        """Return the log; connections are made when they are needed."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the connections."""
        await self._producer.aclose()

    async def append(self, records: Sequence[Record]) -> int:
        """Store *records* durably; see the port. Kafka cannot tell what it has already."""
        await self._producer.send([(self._topic(record), record) for record in records])
        return len(records)

    def subscribe(self, group: str, stage: str, *, on_revoke: OnRevoke = keep_all) -> Subscription:
        """Return a membership of *group*; see the port."""
        return KafkaSubscription(
            self._connection,
            self._topics.group(group),
            {self._topics.of(stage): 0.0},
            stage=stage,
            clock=self._clock,
            on_revoke=on_revoke,
        )

    async def check(self) -> None:
        """Check that Kafka lets us in and has our topics.

        Raises:
            Transient: it is out of reach.
            Blocked: the operator must change something about the connection.
            Permanent: topics are missing.
        """
        async with topic_admin(self._connection, self._topics) as admin:
            await admin.require()

    def history(self, stage: str, since: datetime, until: datetime | None = None) -> AsyncIterator[Record]:
        """Yield what was appended to *stage* between two moments; see the port."""
        return history(self._connection, self._topics.of(stage), stage, since, until)

    def _topic(self, record: Record) -> str:
        if record.due_at is None:
            return self._topics.of(record.stage)
        return self._topics.retry((record.due_at - self._clock.now()).total_seconds())

    async def move_retries(self, stop: asyncio.Event) -> None:
        """Take part in moving delayed records, once they are due, into the topics of their stages, until *stop*."""
        while not stop.is_set():
            subscription = KafkaSubscription(
                self._connection,
                self._topics.group(_RETRIES),
                self._topics.retries,
                stage=None,
                clock=self._clock,
                on_revoke=keep_all,
            )
            try:
                async with subscription:
                    while not stop.is_set():
                        await self._move(subscription)
            except Transient as error:
                log.warning("log.background_failed", work="retries", error=str(error))
                await pause(stop, _AGAIN_S)

    async def _move(self, subscription: KafkaSubscription) -> None:
        deliveries = await subscription.poll(max_records=_MOVED, timeout_s=0.5)
        if deliveries:
            await self.append([one.record.model_copy(update={"due_at": None}) for one in deliveries])
            await subscription.commit({one.partition: one.offset + 1 for one in deliveries})
