"""Reading what a topic of Kafka has kept, outside of any group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_errors import translated
from bot.adapters.kafka_records import decode
from bot.domain.errors import Transient
from bot.domain.events import UNREADABLE, Record

log = structlog.get_logger()

_POLL_MS = 1_000
#: Polls in a row that may bring nothing before the broker counts as away.
_MOST_IDLE_POLLS = 15


async def history(
    connection: KafkaConnection, topic: str, stage: str, since: datetime
) -> AsyncIterator[Record]:
    """Yield the records of *topic* from *since* up to now; see the port ``EventLog``."""
    consumer = AIOKafkaConsumer(**connection.options(), enable_auto_commit=False)
    skipped = 0
    try:
        async with translated():
            await consumer.start()
            ends = await _seek(consumer, topic, since)
        idle = 0
        while ends:
            async with translated():
                fetched = await consumer.getmany(timeout_ms=_POLL_MS)
            idle = 0 if fetched else idle + 1
            if idle > _MOST_IDLE_POLLS:
                raise Transient(f"Kafka stopped answering while {topic} was read")
            for place, messages in fetched.items():
                for message in messages:
                    record = decode(message, stage)
                    if message.offset >= ends.get(place, 0):
                        continue
                    if record.kind == UNREADABLE:
                        skipped += 1
                    else:
                        yield record
                if messages[-1].offset + 1 >= ends.get(place, 0):
                    consumer.pause(place)
                    ends.pop(place, None)
    finally:
        await consumer.stop()
    if skipped:
        log.warning("log.unreadable_skipped", topic=topic, records=skipped)


async def _seek(consumer: AIOKafkaConsumer, topic: str, since: datetime) -> dict[TopicPartition, int]:
    """Move *consumer* to the first records at or after *since*; return where each partition with any ends."""
    numbers = await consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - the public call knows subscriptions only
    places = [TopicPartition(topic, number) for number in numbers]
    consumer.assign(places)
    firsts = await consumer.offsets_for_times(dict.fromkeys(places, int(since.timestamp() * 1000)))
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    wanted = {}
    for place in places:
        first = firsts[place]
        if first is None or first.offset >= ends[place]:
            consumer.pause(place)
        else:
            consumer.seek(place, first.offset)
            wanted[place] = ends[place]
    return wanted
