"""Reading what a topic of Kafka has kept, outside of any group."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
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
    connection: KafkaConnection, topic: str, stage: str, since: datetime, until: datetime | None
) -> AsyncIterator[Record]:
    """Yield the records of *topic* between two moments of the brokers' time; see the port ``EventLog``."""
    consumer = AIOKafkaConsumer(**connection.options(), enable_auto_commit=False)
    try:
        async with translated():
            await consumer.start()
            ends = await _seek(consumer, topic, since, until)
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
                    if record.kind != UNREADABLE:
                        yield record
                    else:
                        log.error("delivery.unreadable", stage=stage, **record.body["from"])
                if messages[-1].offset + 1 >= ends.get(place, 0):
                    consumer.pause(place)
                    ends.pop(place, None)
    finally:
        await consumer.stop()


async def _seek(
    consumer: AIOKafkaConsumer, topic: str, since: datetime, until: datetime | None
) -> dict[TopicPartition, int]:
    """Move *consumer* to the first records of the range; return where it ends in each partition with any."""
    numbers = await consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - the public call knows subscriptions only
    places = [TopicPartition(topic, number) for number in numbers]
    consumer.assign(places)
    firsts = await _offsets_at(consumer, places, since)
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    if until is not None:
        ends |= await _offsets_at(consumer, places, until)
    wanted = {}
    for place in places:
        if firsts.get(place, ends[place]) >= ends[place]:
            consumer.pause(place)
        else:
            consumer.seek(place, firsts[place])
            wanted[place] = ends[place]
    return wanted


async def _offsets_at(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], moment: datetime
) -> dict[TopicPartition, int]:
    """Return the offset of the first record at or after *moment*, for partitions that have one."""
    found = await consumer.offsets_for_times(dict.fromkeys(places, math.ceil(moment.timestamp() * 1000)))
    return {place: one.offset for place, one in found.items() if one is not None}
