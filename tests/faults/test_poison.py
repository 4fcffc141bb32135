"""Events that cannot be handled: they are set aside, and what stands behind them goes on."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.consumer import AIOKafkaConsumer

from bot.domain.events import Action, MergeRequestChanged, Record
from bot.domain.merge_request import MergeRequestRef
from tests.faults.changes import THREADS, opened
from tests.faults.checker import Verdict, converged
from tests.faults.cluster import Cluster
from tests.faults.conftest import LOGS, Install
from tests.waiting import until_it_holds

pytestmark = pytest.mark.timeout(600)

PARTITIONS = 4


def record(**changes: Any) -> bytes:
    """Return a record of the intake that is as it should be, but for *changes*."""
    event = MergeRequestChanged(
        ref=MergeRequestRef(instance="gitlab.test", project_id=7, iid=7),
        action=Action.changed,
        head_sha="7" * 40,
        source="hook",
    )
    return json.dumps(Record.of(event, id=uuid.uuid4()).model_dump(mode="json") | changes).encode()


KEY = b"gitlab.test:7:7"
#: Key and value, made anew for each partition: a record that comes twice is set aside once.
POISON: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "nothing": lambda: (KEY, b""),
    "no JSON": lambda: (KEY, b"{\xff\x00"),
    "another schema": lambda: (KEY, b'{"hello": ["world"]}'),
    "a body that does not fit": lambda: (KEY, record(body={"ref": 1})),
    "a megabyte": lambda: (KEY, record(body={"ref": "x" * 990_000})),
    "the key of another": lambda: (b"gitlab.test:8:8", record()),
    "the stage of another": lambda: (KEY, record(stage="publish")),
    "no stage at all": lambda: (KEY, record(stage="cooking")),
    "deeper than anybody reads": lambda: (KEY, b"[" * 400_000),
}


@asynccontextmanager
async def producer(cluster: Cluster) -> AsyncIterator[AIOKafkaProducer]:
    """Connect to Kafka past Cloister."""
    address = cluster.cloister.settings.kafka_bootstrap
    client = AIOKafkaProducer(bootstrap_servers=address, max_request_size=1_048_576)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def test_what_cannot_be_read_is_set_aside(install: Install, settled: Callable[[Verdict], None]) -> None:
    """In every partition there is something unreadable of each kind; the next merge request is reviewed."""
    cluster = await install(partitions=PARTITIONS)
    cluster.start("web", "web")
    cluster.start("all", "consume", "all")
    await cluster.ready()
    await converged(cluster, [opened(cluster, "before")])
    topic = f"{cluster.cloister.settings.kafka_prefix}.intake"
    async with producer(cluster) as client:
        for partition in range(PARTITIONS):
            for make in POISON.values():
                key, value = make()
                await client.send_and_wait(topic, value, key, partition=partition)
    merge_request = opened(cluster, "behind")
    expected = len(POISON) * PARTITIONS
    await until_it_holds(lambda: bool(merge_request.notes), "nothing was said about the merge request behind")
    settled(await converged(cluster, dead_letters=expected))
    assert [] == cluster.members["all"].exits


async def test_an_event_of_a_newer_release_waits(install: Install) -> None:
    """It is neither lost nor given up: it goes round until the consumers are upgraded."""
    cluster = await install(partitions=1)
    cluster.start("web", "web")
    cluster.start("all", "consume", "all")
    await cluster.ready()
    prefix = cluster.cloister.settings.kafka_prefix
    async with producer(cluster) as client:
        await client.send_and_wait(f"{prefix}.intake", record(version=99), KEY)
    await converged(cluster, [opened(cluster, "behind")])
    consumer = AIOKafkaConsumer(bootstrap_servers=cluster.cloister.settings.kafka_bootstrap)
    await consumer.start()
    waiting = TopicPartition(f"{prefix}.retry.1m", 0)
    assert {waiting: 1} == await consumer.end_offsets([waiting])
    await consumer.stop()


@pytest.mark.parametrize("log", LOGS)
async def test_an_event_that_kills_its_process_is_set_aside(
    log: str, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """After three processes it is given up, the summary says so, and its neighbours do not suffer for it."""
    cluster = await install(log)
    cluster.start("web", "web")
    cluster.start("rest", "consume", "intake", "fetch", "report", "collect", "publish", "feedback")
    scan = cluster.start("scan", "consume", "scan", "verify", "review")
    await cluster.ready()
    gitlab = cluster.cloister.gitlab
    cluster.arm("review.answered", cluster.key(gitlab.project, 1), passing=0)
    poison = opened(cluster, "poison")
    neighbours = [opened(cluster, f"neighbour-{number}") for number in range(3)]
    verdict = await converged(cluster, [poison, *neighbours], dead_letters=1)
    assert 3 == scan.kills
    assert "handling it ended its process 3 times" in cluster.cloister.summary(poison)
    assert len(neighbours) * THREADS + THREADS - 1 == verdict.threads
    settled(verdict)
