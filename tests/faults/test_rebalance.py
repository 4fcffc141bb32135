"""Members come and go under load: nothing is said twice, and little is done twice."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import time
from collections.abc import Callable

import pytest

from bot.demo.gitlab import MergeRequest
from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.faults.changes import opened
from tests.faults.checker import Verdict, converged
from tests.faults.conftest import LONG, Install

pytestmark = pytest.mark.timeout(600)

#: A member joins or leaves so often, for so long.
EVERY_S = 10 if LONG else 4
LASTS_S = 180 if LONG else 15
#: Part of the model's work that may be done again.
REDONE = 0.2


async def test_members_come_and_go_under_load(
    install: Install, settled: Callable[[Verdict], None], chance: random.Random
) -> None:
    """Partitions are dealt out anew again and again while the model answers slowly."""
    # All of them say that they leave: that a busy one passes for dead is not what is to be seen here.
    cluster = await install(concurrency=8, session_s=12.0)
    ollama = cluster.cloister.ollama
    ollama.script = lambda request: Reply(planted_review(request).text, pieces=4, delay_s=0.2)
    cluster.start("web", "web")
    cluster.start("one", "consume", "all")
    cluster.start("two", "consume", "all")
    await cluster.ready()
    await converged(cluster, [opened(cluster, "before")])
    asked_before = len(ollama.asked())
    merge_requests: list[MergeRequest] = []
    until, next_change = time.monotonic() + LASTS_S, time.monotonic() + EVERY_S
    numbers = itertools.count()
    guest = None
    while time.monotonic() < until:
        merge_requests.append(opened(cluster, f"load-{len(merge_requests)}"))
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        if time.monotonic() >= next_change:
            if guest is None:
                guest = cluster.start(f"guest-{next(numbers)}", "consume", "all")
            else:
                await asyncio.to_thread(guest.stop)
                guest = None
            next_change = time.monotonic() + EVERY_S
    settled(await converged(cluster))
    redone = len(ollama.asked()) - asked_before - len(merge_requests)
    assert redone <= REDONE * len(merge_requests)


@pytest.mark.long
async def test_a_member_that_freezes_is_replaced(
    install: Install, settled: Callable[[Verdict], None]
) -> None:
    """A process stands still for longer than its group waits, and then goes on as if nothing had happened."""
    cluster = await install()
    ollama = cluster.cloister.ollama
    ollama.script = lambda request: Reply(planted_review(request).text, pieces=4, delay_s=0.3)
    cluster.start("web", "web")
    cluster.start("one", "consume", "all")
    cluster.start("two", "consume", "all")
    await cluster.ready()
    await converged(cluster, [opened(cluster, "before")])
    for name in ("one", "two"):
        merge_requests = [opened(cluster, f"while-{name}-freezes-{number}") for number in range(4)]
        await asyncio.sleep(1.0)
        cluster.members[name].signal(signal.SIGSTOP)
        await converged(cluster, merge_requests)
        cluster.members[name].signal(signal.SIGCONT)
        await converged(cluster, [opened(cluster, f"after-{name}")])
    settled(await converged(cluster))
