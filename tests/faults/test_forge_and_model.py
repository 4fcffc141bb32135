"""GitLab and the model are slow, busy, broken or refuse us, while real processes work on real logs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.demo.planted import planted_review
from bot.demo.script import Fault, Reply
from tests.faults.changes import THREADS, opened
from tests.faults.checker import Verdict, converged
from tests.faults.conftest import LOGS, Install
from tests.faults.process import BLOCKED_VARIABLE
from tests.waiting import until_it_holds

# In short, and in one process, `tests/e2e` has the same.
pytestmark = [pytest.mark.timeout(600), pytest.mark.long]

#: GitLab takes about so long for a request when it is ten times slower than usual.
SLOW_S = 1.5


@pytest.mark.parametrize("log", LOGS)
async def test_a_slow_gitlab_is_only_slow(
    log: str, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """Every request takes long: nobody is taken for dead, nothing is asked of the model twice."""
    cluster = await install(log)
    cluster.start("web", "web")
    cluster.start("one", "consume", "all")
    cluster.start("two", "consume", "all")
    await cluster.ready()
    await converged(cluster, [opened(cluster, "before")])
    asked = len(cluster.cloister.ollama.asked())
    cluster.journal.add("*", "/api/v4/", times=None, delay_s=SLOW_S)
    merge_requests = [opened(cluster, f"slow-{number}") for number in range(4)]
    verdict = await converged(cluster, merge_requests)
    assert asked + len(merge_requests) == len(cluster.cloister.ollama.asked())
    settled(verdict)


@pytest.mark.parametrize("log", LOGS)
async def test_a_broken_gitlab_is_asked_again(
    log: str, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """Answers are lost after the effect, before it, or say when to come back; the pause asked for is kept."""
    cluster = await install(log)
    cluster.start("web", "web")
    cluster.start("one", "consume", "all")
    await cluster.ready()
    project, faults = cluster.cloister.gitlab.project, cluster.journal
    merge_requests = []
    for number, path in enumerate(("/draft_notes", "/draft_notes/bulk_publish", "/notes"), start=1):
        faults.add("POST", rf"/{number}{path}$", status=500, after_commit=True)
        faults.add("POST", rf"/{number}{path}$", drop=True, after_commit=True)
        assert number == max(project.merge_requests, default=0) + 1
        merge_requests.append(opened(cluster, f"broken-{number}"))
    faults.add("GET", r"/4/discussions$", status=502)
    faults.add("GET", r"/4$", status=429, retry_after=6)
    merge_requests.append(opened(cluster, "throttled"))
    verdict = await converged(cluster, merge_requests)
    assert THREADS * len(merge_requests) == verdict.threads
    settled(verdict)


@pytest.mark.parametrize("log", LOGS)
async def test_work_waits_while_the_token_is_refused(
    log: str, install: Install, settled: Callable[[Verdict], None]
) -> None:
    """A revoked token stops all posting; with a new one everything goes on, and nothing was given up."""
    cluster = await install(log)
    gitlab = cluster.cloister.gitlab
    soon = {BLOCKED_VARIABLE: "6"}
    cluster.start("web", "web")
    refused = cluster.start("one", "consume", "all", environment=soon)
    await cluster.ready()
    await converged(cluster, [opened(cluster, "before")])
    gitlab.server.revoke(gitlab.token)
    merge_requests = [opened(cluster, f"refused-{number}") for number in range(3)]
    await until_it_holds(
        lambda: gitlab.server.count(status=401) >= 2 * len(merge_requests), "nothing was refused"
    )
    assert all(not merge_request.notes for merge_request in merge_requests)
    await asyncio.to_thread(refused.stop)
    renewed = gitlab.server.create_token(gitlab.bot)
    cluster.start("one", "consume", "all", environment={**soon, "CLOISTER_GITLAB_TOKEN": renewed})
    settled(await converged(cluster))


async def test_a_model_that_hangs_holds_nothing_up(
    install: Install, settled: Callable[[Verdict], None]
) -> None:
    """The static part is published without it and says what is missing; the model's part follows when it is back."""
    cluster = await install()
    ollama = cluster.cloister.ollama
    ollama.script = lambda _: Reply(fault=Fault.hang)
    cluster.start("web", "web")
    cluster.start("one", "consume", "all")
    await cluster.ready()
    merge_requests = [opened(cluster, f"hung-{number}") for number in range(3)]
    await until_it_holds(
        lambda: all(len(cluster.cloister.ours(one)) == THREADS for one in merge_requests),
        "the static findings are not there",
    )
    summaries = [cluster.cloister.summary(one) for one in merge_requests]
    assert all("Not finished yet: model review" in summary for summary in summaries)
    ollama.script = planted_review
    await asyncio.to_thread(cluster.members["one"].stop)
    cluster.start("one", "consume", "all")
    settled(await converged(cluster))
