"""The topics in Kafka: one for each stage, one for each delay of a retry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_errors import translated
from bot.adapters.kafka_probe import probe
from bot.domain.errors import Permanent
from bot.domain.events import Stage

#: How long the topics for retries hold a record back. One topic a delay: in a shared one, short waits would stand
#: behind long ones.
RETRY_DELAYS_S = {"15s": 15.0, "1m": 60.0, "10m": 600.0, "1h": 3600.0}

#: Retries are few, and moving them is quick.
_RETRY_PARTITIONS = 4

#: Tenths of a second.
_SETTLE_TRIES = 150

_UNKNOWN_TOPIC, _TOPIC_EXISTS = 3, 36


@dataclass(frozen=True, slots=True)
class Topics:
    """Name the topics and consumer groups of one installation."""

    prefix: str = "cloister"

    def of(self, stage: str) -> str:
        """Return the topic of a stage."""
        return f"{self.prefix}.{stage}"

    def group(self, name: str) -> str:
        """Return the consumer group called *name*."""
        return f"{self.prefix}.{name}"

    def retry(self, delay_s: float) -> str:
        """Return the topic for a retry after *delay_s*: that of the shortest delay which is not shorter."""
        name = next((name for name, seconds in RETRY_DELAYS_S.items() if delay_s <= seconds), "1h")
        return f"{self.prefix}.retry.{name}"

    @property
    def stages(self) -> tuple[str, ...]:
        """Return the topics that stages read."""
        return tuple(self.of(stage) for stage in Stage)

    @property
    def retries(self) -> dict[str, float]:
        """Return the topics that hold retries back, each with its seconds."""
        return {f"{self.prefix}.retry.{name}": seconds for name, seconds in RETRY_DELAYS_S.items()}


@dataclass(frozen=True, slots=True)
class Layout:
    """Say how the topics are to be.

    Args:
        partitions: of each stage's topic; at most this many processes share a stage.
        copies: of each record; None for three, or as many as there are brokers if fewer.
        retention_h: hours that records are kept, which is how far back a replay can go.
    """

    partitions: int = 16
    copies: int | None = None
    retention_h: int = 168


class Size(NamedTuple):
    """Count the partitions of a topic, and the copies of the partition that has the fewest."""

    partitions: int
    copies: int


@dataclass(frozen=True, slots=True)
class TopicState:
    """Hold what ``kafka init`` found or did about one topic."""

    name: str
    created: bool = False
    grown: bool = False
    partitions: int = 0
    drift: tuple[str, ...] = field(default=())


class TopicAdmin:
    """Make and inspect the topics; from `topic_admin`."""

    def __init__(self, client: AIOKafkaAdminClient, topics: Topics) -> None:
        self._client = client
        self._topics = topics

    async def sizes(self) -> dict[str, Size]:
        """Return the topics that are there."""
        names = [*self._topics.stages, *self._topics.retries]
        found = await self._client.describe_topics(names)
        return {
            topic["topic"]: Size(
                len(topic["partitions"]),
                min((len(one["replicas"]) for one in topic["partitions"]), default=0),
            )
            for topic in found
            if topic["error_code"] != _UNKNOWN_TOPIC
        }

    async def require(self) -> None:
        """Check that every topic is there.

        Raises:
            Permanent: one is missing.
        """
        there = await self.sizes()
        missing = [name for name in (*self._topics.stages, *self._topics.retries) if name not in there]
        if missing:
            raise Permanent(f"Kafka has no topic {', '.join(missing)}: run `cloister kafka init`")

    async def init(self, layout: Layout, *, grow: bool = False, dry_run: bool = False) -> list[TopicState]:
        """Create what is missing, and say what is not as *layout* wants it; repeating it is fine.

        *grow* also adds partitions. That changes which partition a merge request belongs to: its events may
        then overtake each other once, so stop the consumers before.
        """
        there = await self.sizes()
        brokers = len((await self._client.describe_cluster())["brokers"])
        wanted = self._wanted(layout, brokers)
        missing = [topic for topic in wanted if topic.name not in there]
        if missing and not dry_run:
            await self._create(missing)
        configs = await self._configs([topic.name for topic in wanted if topic.name in there])
        states = []
        for topic in wanted:
            if topic.name not in there:
                absent = TopicState(topic.name, drift=("missing",))
                created = TopicState(topic.name, created=True, partitions=topic.num_partitions)
                states.append(absent if dry_run else created)
                continue
            size = there[topic.name]
            grown = grow and size.partitions < topic.num_partitions and not dry_run
            if grown:
                await self._client.create_partitions({topic.name: NewPartitions(topic.num_partitions)})
                size = size._replace(partitions=topic.num_partitions)
            drift = _drift(topic, size, configs.get(topic.name, {}))
            states.append(TopicState(topic.name, False, grown, size.partitions, drift))
        return states

    def _wanted(self, layout: Layout, brokers: int) -> list[NewTopic]:
        copies = layout.copies or min(3, brokers)
        configs = {
            "cleanup.policy": "delete",
            "retention.ms": str(layout.retention_h * 3_600_000),
            # Times of a replay are the broker's, whatever the clocks of the senders say.
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(2 if copies > 2 else 1),
        }
        sizes = dict.fromkeys(self._topics.stages, layout.partitions)
        sizes |= dict.fromkeys(self._topics.retries, min(_RETRY_PARTITIONS, layout.partitions))
        return [NewTopic(name, size, copies, topic_configs=configs) for name, size in sizes.items()]

    async def _create(self, missing: Sequence[NewTopic]) -> None:
        answer = await self._client.create_topics(list(missing))
        for name, code, *message in answer.topic_errors:
            if code not in {0, _TOPIC_EXISTS}:
                said = next((str(one) for one in message if one), for_code(code).description)
                raise Permanent(f"Kafka does not create the topic {name}: {said}")
        # A topic is made before every broker has heard of it.
        names = {topic.name for topic in missing}
        for _ in range(_SETTLE_TRIES):
            if names <= set(await self.sizes()):
                return
            await asyncio.sleep(0.1)

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found = {}
        for answer in await self._client.describe_configs(resources):
            for _, _, _, name, entries in answer.resources:
                found[name] = {entry[0]: entry[1] for entry in entries}
        return found


def _drift(wanted: NewTopic, size: Size, configs: Mapping[str, str]) -> tuple[str, ...]:
    """Return what differs, the things that matter most with what follows from them."""
    found = []
    if size.partitions < wanted.num_partitions:
        found.append(
            f"{size.partitions} partitions instead of {wanted.num_partitions}: more processes would be idle"
        )
    if size.copies < wanted.replication_factor:
        found.append(
            f"{size.copies} copies instead of {wanted.replication_factor}: a lost broker loses events"
        )
    for name, value in wanted.topic_configs.items():
        if name in configs and configs[name] != value:
            found.append(f"{name} is {configs[name]} instead of {value}")
    return tuple(found)


@asynccontextmanager
async def topic_admin(connection: KafkaConnection, topics: Topics) -> AsyncIterator[TopicAdmin]:
    """Connect to Kafka to make or inspect topics.

    Raises:
        Transient: Kafka is out of reach.
        Blocked: the operator must change something about the connection.
    """
    await probe(connection)
    options: dict[str, Any] = connection.options()
    client = AIOKafkaAdminClient(**options, request_timeout_ms=15_000)
    async with translated():
        try:
            await client.start()
            yield TopicAdmin(client, topics)
        finally:
            await client.close()
