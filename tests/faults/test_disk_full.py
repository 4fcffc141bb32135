"""Disks are full: what cannot be kept is refused or kept elsewhere, nothing is spoilt, and it goes on afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.faults.changes import opened
from tests.faults.checker import Verdict, caught_up, converged
from tests.faults.cluster import Cluster
from tests.faults.conftest import LOGS, Install
from tests.faults.database import Database
from tests.kafka import Kafka, require_kafka

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]

FULL_S = 8


class Disk:
    """A file system of its own size in memory, to be filled and emptied."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._filler = directory / "filler"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filler.open("wb", buffering=0) as filler:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        filler.write(b"\0" * size)
                except OSError:
                    continue

    def empty(self) -> None:
        """Give the room back."""
        self._filler.unlink()


@contextmanager
def disk(megabytes: int) -> Iterator[Disk]:
    """Mount a file system, or skip the test where that is not allowed."""
    directory = Path(tempfile.mkdtemp(prefix="cloister-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        directory.rmdir()
        pytest.skip("mounting a file system is not allowed here")
    try:
        yield Disk(directory)
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
        directory.rmdir()


async def send_webhooks(cluster: Cluster) -> set[int]:
    """Open merge requests for a while and return the answers to their webhooks."""
    server = cluster.cloister.gitlab.server
    before = len(server.deliveries)
    for number in range(4):
        opened(cluster, f"full-{number}")
        await asyncio.sleep(FULL_S / 4)
    await asyncio.to_thread(server.drain_hooks, 60)
    return {one.status for one in server.deliveries[before:]}


@pytest.mark.parametrize("log", LOGS)
async def test_a_full_disk_of_the_database_loses_nothing(
    log: str, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """Kafka keeps the webhooks; without it GitLab is told to come back later, and nothing else."""
    with disk(250) as full:
        async with Database(full.directory / "data") as database:
            cluster = await install(log, database_url=database.url)
            cluster.start("web", "web")
            cluster.start("one", "consume", "all")
            await cluster.ready()
            await converged(cluster, [opened(cluster, "before")])
            full.fill()
            answers = await send_webhooks(cluster)
            assert ({202} if log == "kafka" else {202, 503}) >= answers
            full.empty()
            if not psutil.pid_exists(database.pid):
                await asyncio.to_thread(database.start)
            await cluster.listening()
            await cluster.redeliver()
            await caught_up(cluster, within_s=180)
            settled(await converged(cluster))


async def test_a_full_disk_of_the_broker_loses_nothing(
    install: Install, settled: Callable[[Verdict], None]
) -> None:
    """The broker stops, as it does on disk failures; webhooks wait in the database until it is back."""
    require_kafka()
    with disk(400) as full, Kafka(below=full.directory) as kafka:
        cluster = await install(kafka=kafka.addresses)
        cluster.start("web", "web")
        cluster.start("one", "consume", "all")
        await cluster.ready()
        await converged(cluster, [opened(cluster, "before")])
        full.fill()
        assert {202} == await send_webhooks(cluster)
        full.empty()
        (broker,) = kafka.brokers
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        await caught_up(cluster, within_s=180)
        settled(await converged(cluster))
