"""Clocks that are wrong by an hour: reviews come as soon as ever, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.faults.changes import opened
from tests.faults.checker import Verdict, converged
from tests.faults.conftest import LOGS, Install
from tests.faults.process import CLOCK_VARIABLE

pytestmark = pytest.mark.timeout(600)

HOUR_S = 3600
#: A review with a pause in it, on a busy machine: far less than the clock is wrong by.
SOON_S = 240


@pytest.mark.parametrize(
    "ahead_s", [HOUR_S, pytest.param(-HOUR_S, marks=pytest.mark.long)], ids=["fast", "slow"]
)
@pytest.mark.parametrize("log", LOGS)
async def test_a_wrong_clock_delays_nothing(
    log: str, ahead_s: int, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """One of two processes has a wrong clock; deadlines and retries come when they should all the same."""
    cluster = await install(log)
    ollama = cluster.cloister.ollama
    # Slow enough for the deadline at which the static part is published.
    ollama.script = lambda request: Reply(planted_review(request).text, pieces=6, delay_s=0.5)
    wrong = {CLOCK_VARIABLE: str(ahead_s)}
    cluster.start("web", "web", environment=wrong)
    cluster.start("wrong", "consume", "all", environment=wrong)
    cluster.start("right", "consume", "all")
    await cluster.ready()
    cluster.journal.add("GET", r"/merge_requests/\d+$", status=429, retry_after=6, times=2)
    merge_requests = [opened(cluster, f"timed-{number}") for number in range(4)]
    verdict = await converged(cluster, merge_requests, within_s=SOON_S)
    settled(verdict)
