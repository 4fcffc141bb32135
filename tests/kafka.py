"""A real Kafka for the tests: one broker a session, a prefix of its own for each test.

The broker comes from Maven Central and runs on Java 17 or newer, in KRaft mode. ``TEST_KAFKA``
(HOST:PORT) names an existing one instead. Where neither is to be had the tests are skipped, but not in CI.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from bot.adapters.clock import SystemClock
from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_topics import Layout, Topics, topic_admin
from bot.adapters.log_kafka import KafkaLog
from tests.ports import free_ports

_POM = Path(__file__).parent / "broker" / "pom.xml"
_START_LIMIT_S = 240.0
_CLUSTER_ID = "Q2xvaXN0ZXJUZXN0cy0tMQ"

_JAVA = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)

#: A broker for tests: small, quick to rebalance, and one that makes no topic unasked.
_PROPERTIES = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "1",
    "log.index.size.max.bytes": "1048576",
    "controlled.shutdown.enable": "false",
}


def missing_for_kafka() -> str:
    """Return what this machine lacks to run a broker, nothing when it can."""
    return ", ".join(name for name in ("java", "mvn") if shutil.which(name) is None)


def jars() -> Path:
    """Return the folder with the broker's jars, copied there by Maven once, whoever else asks for them."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cloister-tests"
    folder = root / f"kafka-{uuid.uuid5(uuid.NAMESPACE_OID, _POM.read_text())}"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=root) as unfinished:
                copy = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"]
                subprocess.run([*copy, f"-DoutputDirectory={unfinished}/libs"], check=True, timeout=600)
                Path(unfinished, "libs").rename(folder)
    return folder


class Broker:
    """One Kafka node, broker and controller, that can be killed and started again on its data.

    Args:
        directory: where its data and its log live.
        node: its number in the cluster, from 1.
        ports: client port and controller port of each node, by number.
        listeners: further client listeners as name -> port.
        properties: settings besides the usual ones.
        scram: users that can log in by SCRAM, with their passwords.
    """

    def __init__(
        self,
        directory: Path,
        node: int,
        ports: Mapping[int, tuple[int, int]],
        *,
        listeners: Mapping[str, int] | None = None,
        properties: Mapping[str, str] | None = None,
        scram: Mapping[str, str] | None = None,
    ) -> None:
        self.node = node
        self._scram = [
            f"--add-scram={mechanism}=[name={user},password={password}]"
            for user, password in (scram or {}).items()
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        ]
        self.address = f"127.0.0.1:{ports[node][0]}"
        self._directory = directory / f"node-{node}"
        self._process: subprocess.Popen[bytes] | None = None
        copies = str(len(ports))
        clients = {"PLAINTEXT": ports[node][0], **(listeners or {})}
        self._client_ports = list(clients.values())
        places = [f"{name}://127.0.0.1:{port}" for name, port in clients.items()]
        self._properties = {
            **_PROPERTIES,
            "node.id": str(node),
            "listeners": ",".join([*places, f"CONTROLLER://127.0.0.1:{ports[node][1]}"]),
            "listener.security.protocol.map": ",".join(
                ["CONTROLLER:PLAINTEXT", *(f"{name}:{name}" for name in clients)]
            ),
            "advertised.listeners": ",".join(places),
            "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{p[1]}" for n, p in ports.items()),
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": "1",
            "log.dirs": str(self._directory / "data"),
            **(properties or {}),
        }

    @property
    def running(self) -> bool:
        """Say whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """Start the node, on its old data if there are any."""
        file = self._directory / "server.properties"
        if not file.exists():
            self._directory.mkdir(parents=True)
            file.write_text("".join(f"{name}={value}\n" for name, value in self._properties.items()))
            format_ = ["format", "-t", _CLUSTER_ID, "-c", str(file), *self._scram]
            self._java("kafka.tools.StorageTool", *format_).wait()
        self._process = self._java("kafka.Kafka", str(file))
        if wait:
            self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until the node takes connections, on each of its listeners: they open one after the other."""
        deadline = time.monotonic() + _START_LIMIT_S
        waiting = list(self._client_ports)
        while time.monotonic() < deadline and self.running:
            try:
                socket.create_connection(("127.0.0.1", waiting[0]), 1).close()
            except OSError:
                time.sleep(0.05)
                continue
            del waiting[0]
            if not waiting:
                return
        output = (self._directory / "output").read_text(errors="replace")
        raise RuntimeError(f"the broker did not start; it said:\n{output[-4000:]}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the node with the signal *number* and wait for that."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(120)

    def signal(self, number: int) -> None:
        """Send a signal, such as SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(number)

    def _java(self, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        heap = ("-Xms96m", "-Xmx384m") if main == "kafka.Kafka" else ()
        command = ["java", *_JAVA, *heap, "-cp", f"{jars()}/*", main, *arguments]
        with (self._directory / "output").open("ab") as output:
            return subprocess.Popen(command, stdout=output, stderr=output, cwd=self._directory)


class Kafka:
    """A cluster on this machine; use as a context manager.

    Args:
        nodes: how many brokers, each a controller too.
        listeners: names of further client listeners on each broker, such as ``SASL_SSL``.
        properties: settings besides the usual ones.
        scram: users that can log in by SCRAM, with their passwords.
        below: where its directory is made; with all other temporary ones by default.
    """

    def __init__(
        self,
        nodes: int = 1,
        *,
        listeners: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
        scram: Mapping[str, str] | None = None,
        below: Path | None = None,
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(
            prefix="cloister-kafka-", dir=below, ignore_cleanup_errors=True
        )
        numbers = range(1, nodes + 1)
        free = iter(free_ports(nodes * (2 + len(listeners))))
        ports = {number: (next(free), next(free)) for number in numbers}
        self.listeners = {number: {name: next(free) for name in listeners} for number in numbers}
        self.brokers = [
            Broker(
                Path(self._directory.name),
                number,
                ports,
                listeners=self.listeners[number],
                properties=properties,
                scram=scram,
            )
            for number in numbers
        ]

    def __enter__(self) -> Kafka:
        jars()
        for broker in self.brokers:
            broker.start(wait=False)
        for broker in self.brokers:
            broker.wait_until_up()
        return self

    def __exit__(self, *exc_info: object) -> None:
        for broker in self.brokers:
            broker.stop(signal.SIGKILL)
        self._directory.cleanup()

    @property
    def addresses(self) -> str:
        """Return the brokers as HOST:PORT,HOST:PORT."""
        return ",".join(broker.address for broker in self.brokers)

    def address_of(self, listener: str) -> str:
        """Return where the first broker serves *listener*."""
        return f"127.0.0.1:{self.listeners[1][listener]}"


def require_kafka() -> None:
    """Skip the test where no broker can be had; in CI that is a failure."""
    if missing := missing_for_kafka():
        reason = f"NO KAFKA TESTED: {missing} not found. Install a JRE (17 or newer) and Maven"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka_address() -> Iterator[str]:
    """Return HOST:PORT of a broker that lives as long as the test session."""
    if address := os.environ.get("TEST_KAFKA"):
        yield address
        return
    require_kafka()
    with Kafka() as kafka:
        yield kafka.addresses


@pytest.fixture
async def kafka_topics(kafka_address: str) -> AsyncIterator[Topics]:
    """Return fresh topics, few and small, and delete them afterwards."""
    topics = Topics(f"test-{uuid.uuid4().hex[:12]}")
    async with topic_admin(KafkaConnection(kafka_address), topics) as admin:
        await admin.init(Layout(partitions=4))
    yield topics
    client = AIOKafkaAdminClient(**KafkaConnection(kafka_address).options())
    await client.start()
    await client.delete_topics([*topics.stages, *topics.retries])
    await client.close()


@pytest.fixture
async def kafka_log(kafka_address: str, kafka_topics: Topics) -> AsyncIterator[KafkaLog]:
    """Return the event log on fresh topics, and move its delayed records."""
    stop = asyncio.Event()
    async with KafkaLog(KafkaConnection(kafka_address), kafka_topics, clock=SystemClock()) as log:
        moving = asyncio.create_task(log.move_retries(stop))
        yield log
        stop.set()
        await moving
