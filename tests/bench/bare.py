"""What the machine does without Cloister: the same records, as durable and as many at a time, through the bare drivers."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bot.adapters.kafka_records import encode
from bot.adapters.kafka_topics import Layout
from bot.adapters.log_records import PARTITIONS
from bot.adapters.postgres import as_jsonb
from bot.domain.events import Action, MergeRequestChanged, Record
from bot.domain.merge_request import MergeRequestRef

_THOUSANDS_READ = 50
_TRACE = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


def records(count: int, *, first: int = 1) -> list[Record]:
    """Return *count* events like those of webhooks, each of another merge request that nobody has seen."""
    return [
        Record.of(
            MergeRequestChanged(
                ref=MergeRequestRef(instance="gitlab.example", project_id=14, iid=iid),
                action=Action.closed,
                head_sha="da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
                updated_at=datetime(2026, 12, 3, 17, 15, 43, tzinfo=UTC),
                source="hook",
            ),
            id=uuid.uuid4(),
            trace=_TRACE,
        )
        for iid in range(first, first + count)
    ]


async def inserts(url: str, connections: int, seconds: float) -> float:
    """Return rows a second: each connection inserts one after the other into a table like the log's, with commit."""
    database = await asyncpg.connect(url)
    await database.execute("CREATE TABLE bench (LIKE event INCLUDING ALL)")
    own = [await asyncpg.connect(url) for _ in range(connections)]
    bodies = [
        (r.attempt, r.kind, r.version, r.stage, r.key, as_jsonb(r.body), as_jsonb(r.trace))
        for r in records(1000)
    ]
    numbers = itertools.count()

    async def append(connection: Any) -> Callable[[], Awaitable[object]]:
        statement = await connection.prepare(
            "INSERT INTO bench (partition, log_offset, id, attempt, kind, version, stage, key, body, trace)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        )

        async def one() -> None:
            n = next(numbers)
            await statement.fetch(n % PARTITIONS, n, uuid.uuid4(), *bodies[n % len(bodies)])

        return one

    rate = await _repeat([await append(connection) for connection in own], seconds)
    await asyncio.gather(*(connection.close() for connection in own))
    await database.execute("DROP TABLE bench")
    await database.close()
    return rate


async def produces(address: str, topic: str, connections: int, seconds: float) -> float:
    """Return records a second: as many senders each wait for all copies of one before the next."""
    messages = itertools.cycle([encode(record) for record in records(1000)])
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True) as producer:

        async def one() -> None:
            key, value, headers = next(messages)
            await producer.send_and_wait(topic, value, key, headers=headers)

        return await _repeat([one] * connections, seconds)


async def consumes(address: str, topic: str) -> float:
    """Return records a second: one member of a group reads a topic that nobody has used, and commits once a second."""
    messages = [encode(record) for record in records(1000)]
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for key, value, headers in messages * _THOUSANDS_READ:
            await producer.send(topic, value, key, headers=headers)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=f"bare-{uuid.uuid4()}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer:
        # Joining a group is not the question, and would let the consumer fetch before it is measured.
        consumer.assign([TopicPartition(topic, number) for number in range(Layout().partitions)])
        read, began, next_commit = 0, time.perf_counter(), 0.0
        while read < 1000 * _THOUSANDS_READ:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=500)
            read += sum(map(len, fetched.values()))
            if time.perf_counter() > next_commit:
                await consumer.commit()
                next_commit = time.perf_counter() + 1
        return read / (time.perf_counter() - began)


async def _repeat(calls: Sequence[Callable[[], Awaitable[object]]], seconds: float) -> float:
    done = 0
    began = time.perf_counter()

    async def repeat(call: Callable[[], Awaitable[object]]) -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await call()
            done += 1

    await asyncio.gather(*map(repeat, calls))
    return done / (time.perf_counter() - began)
