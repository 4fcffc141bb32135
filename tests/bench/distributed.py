"""The measurements on Kafka, each a coroutine that returns figures; every one has topics and a database of its own."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bot.adapters.clock import SystemClock
from bot.adapters.embedded_postgres import EmbeddedPostgres
from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_topics import Layout, Topics, topic_admin
from bot.adapters.log_kafka import KafkaLog
from bot.adapters.migrations import upgrade
from bot.demo.ollama import ScriptedOllama
from tests.bench.accepting import CONNECTIONS, accepting
from tests.bench.bare import consumes, inserts, produces
from tests.bench.figures import Figure, median
from tests.bench.product import Product, listening
from tests.bench.stage import handled
from tests.bench.workload import changes
from tests.gitlab import GitLab
from tests.kafka import Kafka

_LIMIT_S = 1800.0
_POLL_S = 0.02
_BARE_S = 3.0
_PROCESSES = (1, 2, 4)
#: The default, and many.
_CONCURRENCIES = (4, 32)
_BURST = 10
_REVIEWS = 6

#: From the commit of what a stage emits to the start of its handling; `appended_at` is when the transaction began.
_HOPS = """
SELECT extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY i.started_at - e.appended_at))::float8 * 1000
FROM event e JOIN inbox i ON i.event_id = e.id AND i.consumer_group = e.stage
"""
_REVIEWED = "SELECT count(*) FROM review_run WHERE state IN ('finished', 'failed')"


@dataclass(frozen=True)
class Cluster:
    """A broker and a Postgres, and the GitLab and the model that Cloister is to work with."""

    gitlab: GitLab
    ollama: ScriptedOllama
    directory: Path
    kafka: str
    postgres: str

    async def install(self) -> Installation:
        """Make topics and a database that nobody has used."""
        name = f"bench_{uuid.uuid4().hex[:8]}"
        database = await asyncpg.connect(self.postgres)
        await database.execute(f"CREATE DATABASE {name}")
        await database.close()
        url = self.postgres.replace("/postgres?", f"/{name}?")
        await asyncio.to_thread(upgrade, url)
        async with topic_admin(KafkaConnection(self.kafka), Topics(name)) as admin:
            await admin.init(Layout())
        data_dir = self.directory / name
        data_dir.mkdir()
        return Installation(self, url, Topics(name), data_dir)


@dataclass(frozen=True)
class Installation:
    """One set of topics, one database."""

    cluster: Cluster
    database_url: str
    topics: Topics
    data_dir: Path

    def process(self, *arguments: str) -> Product:
        """Return a process of Cloister that runs on it."""
        environment = {
            "CLOISTER_DATABASE_URL": self.database_url,
            "CLOISTER_LOG_URL": f"kafka://{self.cluster.kafka}",
            "CLOISTER_KAFKA_PREFIX": self.topics.prefix,
        }
        cluster = self.cluster
        return Product(cluster.gitlab, cluster.ollama, self.data_dir, arguments, environment)

    async def reviewed(self, count: int) -> int:
        """Wait until *count* reviews have ended, and return how many have."""
        database = await asyncpg.connect(self.database_url)
        async with asyncio.timeout(_LIMIT_S):
            while (ended := await database.fetchval(_REVIEWED)) < count:
                await asyncio.sleep(_POLL_S)
        await database.close()
        return int(ended)


class Distributed:
    """Measure Cloister on Kafka.

    Args:
        cluster: where.
        backlog: how many merge requests wait for the consumers.
    """

    def __init__(self, cluster: Cluster, backlog: int) -> None:
        self._cluster = cluster
        self._backlog = backlog
        self._variant = 0

    async def accepted(self) -> list[Figure]:
        """Measure webhooks, with the receiver alone on the machine, beside bare appends."""
        installation = await self._cluster.install()

        async def bare() -> float:
            return await produces(self._cluster.kafka, installation.topics.of("scan"), CONNECTIONS, _BARE_S)

        with installation.process("web") as receiver:
            example = await self._example(receiver)
            return await accepting("Kafka", receiver, example, bare, lambda: asyncio.sleep(0))

    async def review(self) -> list[Figure]:
        """Measure single reviews, with all stages in one process and the receiver in another."""
        installation = await self._cluster.install()
        with (
            installation.process("web") as receiver,
            listening(receiver),
            installation.process("consume", "all"),
        ):
            seconds = []
            for count in range(1, _REVIEWS + 1):
                began = time.perf_counter()
                self._open(1)
                await installation.reviewed(count)
                seconds.append(time.perf_counter() - began)
            database = await asyncpg.connect(installation.database_url)
            hop_ms = await database.fetchval(_HOPS)
            await database.close()
        return [
            # The first one clones the project.
            Figure(
                "Kafka: webhook to published",
                median(seconds[1:]),
                "s",
                goal=2,
                note=f"median of {_REVIEWS - 1}",
            ),
            Figure("Kafka: from stage to stage", hop_ms, "ms", note="outbox, relay, Kafka and start; median"),
        ]

    async def stage(self) -> list[Figure]:
        """Measure how fast a stage that does nothing handles events, beside a bare consumer, which has no database."""
        figures = []
        for concurrency in _CONCURRENCIES:
            installation = await self._cluster.install()
            kafka, topics = self._cluster.kafka, installation.topics
            async with KafkaLog(KafkaConnection(kafka), topics, clock=SystemClock()) as log:
                rate = await handled(log, installation.database_url, concurrency)
            bare = await consumes(kafka, topics.of("scan"))
            figures.append(
                Figure(
                    f"Kafka: events through a stage, {concurrency} at a time",
                    rate,
                    "1/s",
                    baseline=bare,
                    note="ratio to a bare consumer",
                )
            )
            installation = await self._cluster.install()
            rate = await handled(None, installation.database_url, concurrency)
            rows = await inserts(installation.database_url, concurrency, _BARE_S)
            figures.append(
                Figure(
                    f"Postgres: events through a stage, {concurrency} at a time",
                    rate,
                    "1/s",
                    baseline=rows,
                    note="ratio to bare inserts, as many at a time",
                )
            )
        return figures

    async def takeover(self) -> list[Figure]:
        """Measure from kill -9 of the only consumers, in the middle of reviews, until all are published."""
        installation = await self._cluster.install()
        with installation.process("web") as receiver, listening(receiver), ExitStack() as stack:
            victim = stack.enter_context(installation.process("consume", "all"))
            self._open(_BURST)
            await installation.reviewed(1)
            began = time.perf_counter()
            victim.kill()
            stack.enter_context(installation.process("consume", "all"))
            ready_s = time.perf_counter() - began
            await installation.reviewed(_BURST)
            note = f"kill -9 of all consumers among {_BURST} reviews, others started at once"
            return [
                Figure("Kafka: killed consumers, replacement ready", ready_s, "s"),
                Figure("Kafka: killed consumers, all published", time.perf_counter() - began, "s", note=note),
            ]

    async def backlog(self) -> list[Figure]:
        """Measure how fast merge requests that wait are reviewed, by different numbers of processes."""
        figures: list[Figure] = []
        for count in _PROCESSES:
            installation = await self._cluster.install()
            with installation.process("web") as receiver, listening(receiver):
                self._open(self._backlog)
                await asyncio.to_thread(self._cluster.gitlab.server.drain_hooks)
                consumers = [installation.process("consume", "all") for _ in range(count)]
                with ExitStack() as stack:
                    await asyncio.gather(*(asyncio.to_thread(stack.enter_context, one) for one in consumers))
                    done, began = await installation.reviewed(0), time.perf_counter()
                    await installation.reviewed(self._backlog)
                    rate = (self._backlog - done) / (time.perf_counter() - began)
            # The whole takes a quarter of an hour and more.
            print(f"{count} processes: {rate:.2f} reviews/s", file=sys.stderr, flush=True)
            figures.append(
                Figure(
                    f"backlog of {self._backlog:,}, {count} processes",
                    rate,
                    "reviews/s",
                    baseline=figures[0].value if figures else None,
                    note="instant model; ratio to one process",
                )
            )
        return figures

    def _open(self, count: int) -> None:
        gitlab = self._cluster.gitlab
        for _ in range(count):
            self._variant += 1
            name, files = f"waiting-{self._variant}", changes(100_000 + self._variant)
            gitlab.server.open_merge_request(gitlab.project, name, files, author=gitlab.developer)

    async def _example(self, receiver: Product) -> bytes:
        """Return a webhook as GitLab sends it."""
        server = self._cluster.gitlab.server
        with listening(receiver):
            await asyncio.to_thread(self._open, 1)
            await asyncio.to_thread(server.drain_hooks)
        return next(d.body for d in server.deliveries if d.payload["object_kind"] == "merge_request")


@asynccontextmanager
async def distributed(
    gitlab: GitLab, ollama: ScriptedOllama, directory: Path, backlog: int
) -> AsyncIterator[Distributed]:
    """Run a broker and a Postgres to measure on."""
    with Kafka() as kafka:
        async with EmbeddedPostgres(directory / "shared") as url:
            yield Distributed(Cluster(gitlab, ollama, directory, kafka.addresses, url), backlog)
