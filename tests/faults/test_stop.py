"""Orderly stops: what runs is finished or handed over, the group is left at once, and a stop is never long."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from bot.demo.script import Reply
from tests.faults.changes import opened
from tests.faults.checker import Verdict, converged
from tests.faults.conftest import LOGS, Install
from tests.kafka import Kafka, require_kafka
from tests.waiting import until_it_holds

pytestmark = pytest.mark.timeout(600)

#: Longer than anybody waits here for a dead member to be missed, so that only leaving can explain it.
_LONG_SESSION_S = 400.0


@pytest.mark.parametrize("log", LOGS)
async def test_a_member_that_stops_leaves_its_work_to_others_at_once(
    log: str, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """SIGTERM in the middle of an answer of the model: the process ends in time, another one asks again."""
    cluster = await install(log, session_s=_LONG_SESSION_S)
    ollama = cluster.cloister.ollama
    # Too slow to be waited for: who stops breaks it off.
    ollama.script = lambda _: Reply(pieces=100, delay_s=5)
    cluster.start("web", "web")
    first = cluster.start("first", "consume", "all")
    await cluster.ready()
    merge_request = opened(cluster, "interrupted")
    await until_it_holds(lambda: bool(ollama.requests), "the model was not asked")
    cluster.start("second", "consume", "all")
    ollama.script = lambda _: Reply()
    await asyncio.to_thread(first.stop)
    assert [0] == first.exits
    settled(await converged(cluster, [merge_request], within_s=_LONG_SESSION_S / 2))


async def test_processes_stop_in_time_while_kafka_is_away(install: Install) -> None:
    """Without a broker nothing can be handed over, and still every process ends in an orderly way."""
    require_kafka()
    with Kafka() as kafka:
        cluster = await install(kafka=kafka.addresses)
        cluster.start("web", "web")
        cluster.start("all", "consume", "all")
        await cluster.ready()
        await converged(cluster, [opened(cluster, "before")])
        kafka.brokers[0].stop(signal.SIGKILL)
        await asyncio.sleep(3)
        await cluster.stop()
    assert [[0], [0]] == [member.exits for member in cluster.members.values()]


@pytest.mark.long
async def test_processes_that_start_without_kafka_work_once_it_is_there(
    install: Install, settled: Callable[[Verdict], None]
) -> None:
    """Whatever starts first waits for the rest; webhooks are taken meanwhile."""
    require_kafka()
    with Kafka() as kafka:
        cluster = await install(kafka=kafka.addresses)
        broker = kafka.brokers[0]
        await asyncio.to_thread(broker.stop)
        cluster.start("web", "web")
        cluster.start("all", "consume", "all")
        await cluster.ready()
        merge_request = opened(cluster, "early")
        assert 0 == await cluster.redeliver()
        await asyncio.sleep(3)
        await asyncio.to_thread(broker.start)
        settled(await converged(cluster, [merge_request]))
        assert all(not member.exits for member in cluster.members.values())
