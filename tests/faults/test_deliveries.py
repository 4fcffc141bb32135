"""Webhooks come three times, shuffled, and pushes faster than reviews: one review, of the newest head."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.faults.changes import DEFECTS, THREADS, opened
from tests.faults.checker import Verdict, converged
from tests.faults.conftest import LOGS, Install

pytestmark = pytest.mark.timeout(600)

PUSHES = 10
WITHIN_S = 5.0


@pytest.mark.parametrize("log", LOGS)
async def test_pushes_in_quick_succession_end_in_one_review(
    log: str, install: Install, settled: Callable[[Verdict], None], chance: random.Random
) -> None:
    """Each webhook is delivered three times and in any order; only the newest head is reviewed to the end."""
    cluster = await install(log, hook_workers=4)
    ollama = cluster.cloister.ollama
    # Slower than pushes come: what is finished in between would be right, and not what is to be seen here.
    ollama.script = lambda request: Reply(planted_review(request).text, pieces=100, delay_s=0.5)
    cluster.start("web", "web")
    cluster.start("one", "consume", "all")
    cluster.start("two", "consume", "all")
    await cluster.ready()
    server = cluster.cloister.gitlab.server
    merge_request = opened(cluster, "pushed")
    sent, again = 0, []
    for number in range(PUSHES):
        if number == PUSHES - 1:
            ollama.script = lambda request: Reply(planted_review(request).text, pieces=4, delay_s=0.5)
        server.push(merge_request, {**DEFECTS, "own.txt": f"push {number}\n"})
        fresh, sent = server.deliveries[sent:], len(server.deliveries)
        again += [*fresh, *fresh]
        chance.shuffle(again)
        for delivery in again[: len(again) // 2]:
            server.instance.core.hooks.resend(delivery)
        sent = len(server.deliveries)
        del again[: len(again) // 2]
        await asyncio.sleep(WITHIN_S / PUSHES)
    for delivery in again:
        server.instance.core.hooks.resend(delivery)
    await asyncio.to_thread(server.drain_hooks, 60)
    verdict = await converged(cluster)
    assert 1 == verdict.reviewed
    assert PUSHES == verdict.superseded
    assert THREADS == verdict.threads
    states = [state for head, state in await cluster.cloister.runs(merge_request)]
    assert 1 == states.count("finished")
    assert {"finished", "superseded"} >= set(states)
    settled(verdict)
