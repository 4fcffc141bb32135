"""An installation for the tests of this folder, and one summary of all verdicts at the end."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_topics import Layout, Topics, topic_admin
from bot.demo.gitlab import GitLabServer
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from tests.cloister import Cloister, settings_for
from tests.faults.checker import Verdict
from tests.faults.cluster import Cluster, running
from tests.gitlab import start_with_accounts
from tests.postgres import create_database

#: Both logs keep the same promises; `make test` looks at one of them.
LOGS = ("kafka", pytest.param("postgres", marks=pytest.mark.long))

#: How many merge requests have a kill by chance; 0 leaves out everything that takes long.
RUNS = int(os.environ.get("FAULT_RUNS", "0"))
LONG = RUNS > 0
SEED = int(os.environ.get("FAULT_SEED", "20261126"))

_VERDICTS: list[tuple[str, Verdict]] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the long tests to `make faults`."""
    skip = pytest.mark.skip(reason="long: run by `make faults`, or with FAULT_RUNS=N")
    for item in items:
        if item.get_closest_marker("long") and not LONG:
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what all verdicts come to."""
    if not _VERDICTS:
        return
    terminalreporter.section(f"faults, seed {SEED}")
    for name, verdict in _VERDICTS:
        terminalreporter.write_line(f"{name}: {verdict}")
    verdicts = [verdict for _, verdict in _VERDICTS]
    terminalreporter.write_line(
        f"{sum(one.merge_requests for one in verdicts)} merge requests under faults,"
        f" {sum(one.acknowledged for one in verdicts)} acknowledged heads,"
        f" {sum(len(one.lost) for one in verdicts)} lost, {sum(len(one.duplicates) for one in verdicts)} duplicates"
    )


@pytest.fixture
def settled(request: pytest.FixtureRequest) -> Callable[[Verdict], None]:
    """Return a function that keeps a verdict for the summary."""
    return lambda verdict: _VERDICTS.append((request.node.name, verdict))


@pytest.fixture
def chance() -> random.Random:
    """Return the source of all randomness of a test; ``FAULT_SEED`` repeats it."""
    return random.Random(SEED)


@asynccontextmanager
async def installation(
    directory: Path, database_url: str, kafka_address: str | None, **changes: Any
) -> AsyncIterator[Cluster]:
    """Make everything that an installation needs, but no process yet; they end with the block."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(GitLabServer(hook_workers=changes.pop("hook_workers", 1)))
        ollama = stack.enter_context(ScriptedOllama(script=planted_review))
        session_s = changes.pop("session_s", None)
        if kafka_address is not None:
            topics = Topics(f"test-{uuid.uuid4().hex[:12]}")
            async with topic_admin(KafkaConnection(kafka_address), topics) as admin:
                await admin.init(Layout(partitions=changes.pop("partitions", 4)))
            changes |= {"log_url": f"kafka://{kafka_address}", "kafka_prefix": topics.prefix}
        gitlab = start_with_accounts(server)
        # Looking for lost webhooks would mend what is to be seen here.
        changes = {"reconcile": "off"} | changes
        settings = settings_for(gitlab, ollama.url, database_url, directory / "data", **changes)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        cloister = Cloister(settings, gitlab, database_url, ollama)
        more = {} if session_s is None else {"session_s": session_s}
        yield await stack.enter_async_context(running(Cluster(cloister, directory, **more)))


Install = Callable[..., Awaitable[Cluster]]


@pytest_asyncio.fixture
async def install(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[Install]:
    """Return a way to make an installation, on Kafka or (``log="postgres"``) on the log in Postgres."""
    async with AsyncExitStack() as stack:

        async def install(log: str = "kafka", **changes: Any) -> Cluster:
            changes = {"database_url": database_url} | changes
            url = changes.pop("database_url")
            address = changes.pop("kafka", None)
            if log == "kafka" and address is None:
                address = request.getfixturevalue("kafka_address")
            made = installation(tmp_path, url, address if log == "kafka" else None, **changes)
            return await stack.enter_async_context(made)

        yield install


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=LOGS)
async def shared_cluster(
    request: pytest.FixtureRequest,
    postgres_server: str,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Cluster]:
    """Run a process for every stage for all tests of a module, each on merge requests of its own."""
    url = await create_database(postgres_server, f"test_{uuid.uuid4().hex[:12]}", migrated_template)
    address = request.getfixturevalue("kafka_address") if request.param == "kafka" else None
    directory = tmp_path_factory.mktemp("cluster")
    async with installation(directory, url, address, concurrency=8) as cluster:
        yield cluster
