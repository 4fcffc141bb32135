"""Sending records to Kafka, through a producer that is made anew after any failure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer

from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_errors import translated
from bot.adapters.kafka_records import Headers, encode
from bot.domain.errors import Permanent
from bot.domain.events import Record

log = structlog.get_logger()

#: A record that is not acknowledged by then is given up by the client; whoever sent it sends it again.
REQUEST_LIMIT_S = 10.0
_STOP_LIMIT_S = 3.0
#: Records of ours are below 2 kB; this is what brokers take by default.
_MAX_RECORD_BYTES = 1_000_000
_MAX_BATCH_BYTES = 262_144


class KafkaProducer:
    """Send batches of records, each acknowledged by all in-sync replicas.

    An idempotent producer keeps the order within a partition through retries of its own. After an error that it
    reports its sequence numbers may be out of step for good (aiokafka issue 1017), so it is thrown away.
    """

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._sending = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()

    async def send(self, records: Sequence[tuple[str, Record]]) -> None:
        """Send pairs of topic and record, in order within each key, and wait until all are acknowledged.

        Raises:
            Transient: some may not have arrived; sending all of them again is safe.
            Permanent: Kafka refuses one of them.
        """
        producer = self._producer or await self._started()
        sent: list[asyncio.Future[object]] = []
        try:
            async with translated(), asyncio.timeout(REQUEST_LIMIT_S):
                # One call at a time: whoever waits for room in a batch would be overtaken by later calls.
                async with self._sending:
                    for topic, record in records:
                        key, value, headers = _message(record)
                        sent.append(await producer.send(topic, value, key, headers=headers))
                for future in sent:
                    await future
        except BaseException as error:
            for future in sent:
                future.add_done_callback(_retrieve)
            if not isinstance(error, Permanent):
                self._discard(producer)
            raise

    async def aclose(self) -> None:
        """Close the connections."""
        if self._producer is not None:
            self._discard(self._producer)
        if self._stopping:
            await asyncio.wait(self._stopping)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._connection.options(),
                    acks="all",
                    enable_idempotence=True,
                    request_timeout_ms=int(REQUEST_LIMIT_S * 1000),
                    max_request_size=_MAX_RECORD_BYTES + 48_000,
                    max_batch_size=_MAX_BATCH_BYTES,
                )
                try:
                    async with translated():
                        await producer.start()
                except BaseException:
                    self._discard(producer)
                    raise
                self._producer = producer
            return self._producer

    def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        task = asyncio.create_task(_stop(producer))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


def _message(record: Record) -> tuple[bytes, bytes, Headers]:
    key, value, headers = encode(record)
    if len(value) > _MAX_RECORD_BYTES:
        raise Permanent(f"an event of {len(value)} bytes is larger than Kafka takes")
    return key, value, headers


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop a producer, which without a broker would take as long as it likes."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.stop(), _STOP_LIMIT_S)
    with contextlib.suppress(Exception):
        await producer.client.close()


def _retrieve(future: asyncio.Future[object]) -> None:
    """Look at the outcome of what nobody waits for any more, so that nobody complains about it."""
    if not future.cancelled():
        future.exception()
