"""Offsets are lost and everything is handed out again: nothing is said twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from bot.cli.serve import STAGES
from tests.faults.changes import opened
from tests.faults.checker import Verdict, converged
from tests.faults.cluster import Cluster
from tests.faults.conftest import LOGS, Install

pytestmark = pytest.mark.timeout(600)


async def forget_offsets(cluster: Cluster) -> None:
    """Move every group back to its beginning, as a group is that was idle for longer than Kafka remembers."""
    await cluster.cloister.fetch("DELETE FROM group_offset")
    settings = cluster.cloister.settings
    if settings.kafka_bootstrap is None:
        return
    for stage in STAGES:
        name = f"{settings.kafka_prefix}.{stage}"
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap, group_id=name, enable_auto_commit=False
        )
        await consumer.start()
        numbers = await consumer._client._wait_on_metadata(name)
        partitions = [TopicPartition(name, number) for number in numbers]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
        await consumer.stop()


@pytest.mark.parametrize(
    "forgets", [pytest.param(False, marks=pytest.mark.long), True], ids=["with-inbox", "without-inbox"]
)
@pytest.mark.parametrize("log", LOGS)
async def test_a_full_replay_changes_nothing(
    log: str, forgets: bool, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """Every event comes again, to groups that know it and, worse, to an inbox that does not."""
    cluster = await install(log)
    gitlab = cluster.cloister.gitlab
    cluster.start("web", "web")
    cluster.start("all", "consume", "all")
    await cluster.ready()
    merge_requests = [opened(cluster, f"reviewed-{number}") for number in range(3)]
    await converged(cluster)
    gitlab.server.push(merge_requests[0], {"own.txt": "pushed\n"})
    before = await converged(cluster)
    notes = [len(merge_request.notes) for merge_request in merge_requests]
    asked = len(cluster.cloister.ollama.asked())
    await cluster.stop()
    await forget_offsets(cluster)
    if forgets:
        await cluster.cloister.fetch("DELETE FROM inbox")
    else:
        await cluster.cloister.fetch("UPDATE inbox SET starts = 0")
    cluster.start("web", "web")
    cluster.start("all", "consume", "all")
    await cluster.ready()
    await converged(cluster, [opened(cluster, "behind")])
    verdict = await converged(cluster)
    assert before.threads < verdict.threads
    assert notes == [len(merge_request.notes) for merge_request in merge_requests]
    assert asked + 1 == len(cluster.cloister.ollama.asked())
    ((handed_out,),) = await cluster.cloister.fetch("SELECT count(*) FROM inbox WHERE starts > 0")
    assert handed_out > 20
    settled(verdict)
