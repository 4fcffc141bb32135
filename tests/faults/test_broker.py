"""Kafka is away, frozen, or loses brokers: webhooks are taken all the same, and everything catches up by itself."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
import uuid
from collections.abc import Callable

import pytest

from bot.demo.gitlab.hooks import Delivery
from tests.faults.changes import opened
from tests.faults.checker import Verdict, caught_up, converged
from tests.faults.cluster import Cluster
from tests.faults.conftest import LONG, Install
from tests.kafka import Kafka, require_kafka

pytestmark = pytest.mark.timeout(900 if LONG else 600)

OUTAGE_S = 300 if LONG else 12
#: Webhooks during the outage; most cost no review.
PER_SECOND = 50 if LONG else 20
CATCH_UP_S = 120


async def send_webhooks(cluster: Cluster, seconds: float) -> list[Delivery]:
    """Send events for some time, with a new merge request now and then, and return the deliveries."""
    server = cluster.cloister.gitlab.server
    before = len(server.deliveries)
    known = next(one for one in server.deliveries if one.headers["X-Gitlab-Event"] == "Merge Request Hook")
    until = time.monotonic() + seconds
    for number in itertools.count():
        if number % (PER_SECOND * 4) == 0:
            opened(cluster, f"during-{before}-{number}")
        # The same happening as another event, which costs no review.
        headers = known.headers | {"Idempotency-Key": str(uuid.uuid4())}
        server.instance.core.hooks._put(Delivery(known.hook, headers, known.body))
        await asyncio.sleep(1 / PER_SECOND)
        if time.monotonic() > until:
            break
    await asyncio.to_thread(server.drain_hooks, 60)
    return server.deliveries[before:]


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.long)], ids=["killed", "frozen"]
)
async def test_webhooks_are_taken_while_the_broker_is_away(
    number: int, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """Each is answered with 202 before GitLab gives up; afterwards all of them are handled within two minutes."""
    require_kafka()
    with Kafka() as kafka:
        (broker,) = kafka.brokers
        cluster = await install(kafka=kafka.addresses, hook_workers=4)
        cluster.start("web", "web")
        cluster.start("all", "consume", "all")
        await cluster.ready()
        await converged(cluster, [opened(cluster, "before")])
        broker.signal(number)
        deliveries = await send_webhooks(cluster, OUTAGE_S)
        assert {202} == {one.status for one in deliveries}
        if number == signal.SIGKILL:
            await asyncio.to_thread(broker.stop, number)
            await asyncio.to_thread(broker.start)
        else:
            broker.signal(signal.SIGCONT)
        await caught_up(cluster, within_s=CATCH_UP_S)
        settled(await converged(cluster))
        assert all(not member.exits for member in cluster.members.values())


async def test_a_broker_that_is_restarted_is_only_a_pause(
    install: Install, settled: Callable[[Verdict], None]
) -> None:
    """The broker goes down in the middle of reviews, in an orderly way and not."""
    require_kafka()
    with Kafka() as kafka:
        (broker,) = kafka.brokers
        cluster = await install(kafka=kafka.addresses)
        cluster.start("web", "web")
        cluster.start("one", "consume", "all")
        cluster.start("two", "consume", "all")
        await cluster.ready()
        for round_, number in enumerate((signal.SIGTERM, signal.SIGKILL)):
            for part in range(3):
                opened(cluster, f"round-{round_}-{part}")
                await asyncio.sleep(0.4)
            await asyncio.to_thread(broker.stop, number)
            await asyncio.to_thread(broker.start)
        await caught_up(cluster, within_s=CATCH_UP_S)
        settled(await converged(cluster))


@pytest.mark.long
async def test_one_of_three_brokers_may_go(install: Install, settled: Callable[[Verdict], None]) -> None:
    """Each broker in turn dies or freezes, the leaders and the group coordinator among them; reviews go on."""
    require_kafka()
    with Kafka(3) as kafka:
        cluster = await install(kafka=kafka.addresses)
        cluster.start("web", "web")
        cluster.start("one", "consume", "all")
        cluster.start("two", "consume", "all")
        await cluster.ready()
        await converged(cluster, [opened(cluster, "before")])
        for broker in kafka.brokers:
            freezes = broker.node == 2
            broker.signal(signal.SIGSTOP if freezes else signal.SIGKILL)
            merge_request = opened(cluster, f"without-{broker.node}")
            assert 0 == await cluster.redeliver()
            await converged(cluster, [merge_request])
            if freezes:
                broker.signal(signal.SIGCONT)
            else:
                await asyncio.to_thread(broker.stop, signal.SIGKILL)
                await asyncio.to_thread(broker.start)
            await converged(cluster, [opened(cluster, f"with-{broker.node}-again")])
        await caught_up(cluster, within_s=CATCH_UP_S)
        settled(await converged(cluster))
