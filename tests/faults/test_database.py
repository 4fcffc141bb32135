"""The database is away: webhooks wait in Kafka or are refused with 503, nothing is posted, and it goes on by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from bot.demo.gitlab import MergeRequest
from tests.faults.changes import opened
from tests.faults.checker import Verdict, caught_up, converged
from tests.faults.conftest import LOGS, LONG, Install
from tests.faults.database import Database

pytestmark = pytest.mark.timeout(600)

OUTAGE_S = 120 if LONG else 8
#: What was sent off just before may still arrive.
UNDER_WAY_S = 3.0


@pytest.mark.parametrize("log", LOGS)
async def test_nothing_is_posted_while_the_database_is_away(
    log: str, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """Kafka takes the webhooks; without it GitLab is told to come back later. Reviews go on once it is there."""
    async with Database() as database:
        cluster = await install(log, database_url=database.url)
        gitlab = cluster.cloister.gitlab
        cluster.start("web", "web")
        cluster.start("one", "consume", "all")
        cluster.start("two", "consume", "all")
        await cluster.ready()
        await converged(cluster, [opened(cluster, "before")])
        running: list[MergeRequest] = []
        for number in range(3):
            running.append(opened(cluster, f"running-{number}"))
            await asyncio.sleep(0.3)
        await asyncio.to_thread(database.stop)
        stopped_at = time.time()
        during = opened(cluster, "during")
        await asyncio.to_thread(gitlab.server.drain_hooks, 60)
        assert {202 if log == "kafka" else 503} == {
            one.status
            for one in gitlab.server.deliveries
            if one.headers["X-Gitlab-Event"] == "Merge Request Hook"
            and one.payload["object_attributes"]["iid"] == during.iid
        }
        await asyncio.sleep(OUTAGE_S)
        posts = [
            f"{path} {at - stopped_at:.1f} s later"
            for at, method, path in list(cluster.journal.arrivals)
            if method != "GET" and "/api/" in path and at > stopped_at + UNDER_WAY_S
        ]
        assert [] == posts
        await asyncio.to_thread(database.start)
        await cluster.listening()
        await cluster.redeliver()
        await caught_up(cluster, within_s=120)
        settled(await converged(cluster))
        assert all(not member.exits for member in cluster.members.values())
