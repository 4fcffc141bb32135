"""Is Kafka there, does it let us in, and has it our topics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from bot.cli.checks import Check, fail, ok, warn
from bot.settings_types import is_loopback

_INIT = "run `cloister kafka init`"


class Cluster(Protocol):
    """Hold what a first connection showed; `bot.adapters.kafka_probe.Cluster` does."""

    @property
    def brokers(self) -> tuple[str, ...]:
        """Return the brokers as HOST:PORT."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Return a line for each address that does not work."""


class Topic(Protocol):
    """Hold what was found about a topic; `bot.adapters.kafka_topics.TopicState` does."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def partitions(self) -> int:
        """Return how many there are, 0 when the topic is missing."""

    @property
    def drift(self) -> tuple[str, ...]:
        """Return what differs from what is wanted."""


def brokers(cluster: Cluster) -> list[Check]:
    """Judge the brokers: all are there, or what is wrong with some."""
    count = len(cluster.brokers)
    checks = [
        ok("event log", f"Kafka, {count} broker{'' if count == 1 else 's'}: {', '.join(cluster.brokers)}")
    ]
    return checks + [warn("kafka broker", *_parts(problem)) for problem in cluster.problems]


def unreachable(problem: str) -> list[Check]:
    """Say why Kafka cannot be used; *problem* ends with the remedy."""
    return [fail("event log", *_parts(problem))]


def _parts(problem: str) -> tuple[str, str]:
    """Return what *problem* says and what it tells to do, which is the last part after a semicolon or colon."""
    said, _, remedy = problem.rpartition("; " if "; " in problem else ": ")
    return said, remedy


def transport(hosts: Iterable[str], *, encrypted: bool) -> Check:
    """Judge whether events travel in the clear."""
    if encrypted:
        return ok("kafka transport", "TLS, the brokers' certificates are checked")
    if all(map(is_loopback, hosts)):
        return ok("kafka transport", "not encrypted, on this machine")
    return warn(
        "kafka transport", "not encrypted: events can be read on the network", "set CLOISTER_KAFKA_TLS=true"
    )


def topics(found: Sequence[Topic]) -> list[Check]:
    """Judge the topics: all are there, and as wanted."""
    missing = [topic.name for topic in found if not topic.partitions]
    if missing:
        return [fail("kafka topics", f"missing: {', '.join(missing)}", _INIT)]
    different = [f"{topic.name}: {'; '.join(topic.drift)}" for topic in found if topic.drift]
    if different:
        remedy = "if that is not on purpose, `cloister kafka init` says more"
        return [warn("kafka topics", difference, remedy) for difference in different]
    return [ok("kafka topics", f"{len(found)}, with {sum(topic.partitions for topic in found)} partitions")]
