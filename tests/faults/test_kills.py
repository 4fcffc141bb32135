"""Kill -9 at every named step of every stage: nothing is lost, nothing is said twice."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest
import pytest_asyncio

from bot.cli.serve import STAGES
from bot.demo.gitlab import MergeRequest
from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.faults.changes import DEFECTS, THREADS, opened
from tests.faults.checker import Verdict, converged
from tests.faults.cluster import Cluster
from tests.faults.conftest import RUNS, SEED
from tests.faults.steps import ANSWERS, BUSY, STEPS, process_of, waves
from tests.waiting import until_it_holds

#: Starting all processes is the first test's setup, and takes minutes on a machine that others use too.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600, func_only=True)]

WAVES = waves()
#: Requests to GitLab that leave something behind.
WRITES = {
    "draft": r"/draft_notes",
    "publish": r"/draft_notes/bulk_publish",
    "summary": r"/notes",
    "status": r"/statuses/",
}
#: Longer than the group misses a dead member and its successor needs.
LATE_S = 15.0
#: A merge request in a seeded run may be pushed to at any moment of its review.
PUSHED = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(shared_cluster: Cluster) -> AsyncIterator[Cluster]:
    """Run everything, each stage in a process of its own, and judge all of it once more at the end."""
    shared_cluster.start("web", "web")
    shared_cluster.start_stages(*STAGES)
    shared_cluster.start("publish-too", "consume", "publish")
    await shared_cluster.ready()
    yield shared_cluster
    await converged(shared_cluster)


async def die_at(cluster: Cluster, steps: Mapping[str, int], suffix: str = "") -> list[MergeRequest]:
    """Let a process die at each of *steps* (step -> passing), on a merge request of its own."""
    gitlab = cluster.cloister.gitlab
    merge_requests = []
    # The receiver dies last: what GitLab sends meanwhile would find nobody.
    for step in sorted(steps, key=lambda step: process_of(step) == "web"):
        await asyncio.to_thread(gitlab.server.drain_hooks)
        iid = max(gitlab.project.merge_requests, default=0) + 1
        cluster.arm(step, cluster.key(gitlab.project, iid), steps[step])
        merge_request = opened(cluster, f"{step}{suffix}")
        if process_of(step) == ANSWERS:
            gitlab.server.comment(merge_request, "@cloister help", user=gitlab.developer)
        merge_requests.append(merge_request)
    return merge_requests


def publish_kills(cluster: Cluster) -> int:
    """Return how often somebody who publishes was killed."""
    return sum(member.kills for name, member in cluster.members.items() if name.startswith("publish"))


def kill_publishers(cluster: Cluster) -> None:
    """Kill all who publish; one of them sends the request."""
    for name, member in cluster.members.items():
        if name.startswith("publish"):
            member.signal(signal.SIGKILL)


async def died(cluster: Cluster, steps: Sequence[str]) -> None:
    """Wait until a process has died at each of *steps*."""
    for step in steps:
        await until_it_holds(lambda step=step: cluster.sprung(step), f"nobody died at {step}")


@pytest.mark.parametrize("wave", WAVES.values(), ids=WAVES.keys())
async def test_a_kill_at_any_step_is_only_a_pause(
    cluster: Cluster, wave: Sequence[str], settled: Callable[[Verdict], None]
) -> None:
    """A process of each stage dies at the same step; each merge request has its review, and has it once."""
    merge_requests = await die_at(cluster, dict.fromkeys(wave, 1))
    await died(cluster, wave)
    await cluster.redeliver()
    verdict = await converged(cluster, merge_requests)
    assert len(wave) == verdict.reviewed
    assert THREADS * len(wave) == verdict.threads
    assert sum(process_of(step) == ANSWERS for step in wave) == verdict.answers
    settled(verdict)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_a_kill_while_gitlab_writes_is_only_a_pause(
    cluster: Cluster, write: str, settled: Callable[[Verdict], None]
) -> None:
    """The request has arrived and takes effect, and whoever sent it is dead by then."""
    kills = publish_kills(cluster)
    iid = max(cluster.cloister.gitlab.project.merge_requests, default=0) + 1
    summarised = False

    def watch(method: str, path: str) -> None:
        nonlocal summarised
        summarised = summarised or (method == "POST" and path.endswith(f"/merge_requests/{iid}/notes"))
        # A status is set by others too, before there is anything to publish.
        meant = summarised and write in path if write == WRITES["status"] else path.endswith(f"/{iid}{write}")
        if method == "POST" and meant:
            cluster.journal.watchers.remove(watch)
            kill_publishers(cluster)

    cluster.journal.watchers.append(watch)
    merge_request = opened(cluster, f"dead-while-{write.strip('/').replace('/', '-')}")
    await until_it_holds(lambda: publish_kills(cluster) > kills, f"GitLab saw no POST {write}")
    verdict = await converged(cluster, [merge_request])
    assert THREADS == verdict.threads
    settled(verdict)


async def test_a_draft_that_arrives_after_its_sender_died_is_not_published(
    cluster: Cluster, settled: Callable[[Verdict], None]
) -> None:
    """GitLab takes so long that the next process has published by then; the late draft goes with the next push."""
    server, kills = cluster.cloister.gitlab.server, publish_kills(cluster)
    cluster.journal.add("POST", r"/draft_notes$", delay_s=LATE_S)

    def watch(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/draft_notes"):
            cluster.journal.watchers.remove(watch)
            kill_publishers(cluster)

    cluster.journal.watchers.append(watch)
    merge_request = opened(cluster, "late-draft")
    await until_it_holds(lambda: publish_kills(cluster) > kills, "GitLab saw no draft")
    await until_it_holds(lambda: len(cluster.cloister.ours(merge_request)) == THREADS + 1, "nobody took over")
    await until_it_holds(lambda: bool(merge_request.drafts), "GitLab has forgotten the draft")
    server.push(merge_request, {"more.txt": DEFECTS["a.txt"]})
    verdict = await converged(cluster, [merge_request])
    assert THREADS + 1 == verdict.threads
    settled(verdict)


async def test_a_kill_in_the_middle_of_an_answer_asks_the_model_again(
    cluster: Cluster, settled: Callable[[Verdict], None]
) -> None:
    """The model is heard half when the process dies; the next one listens from the start."""
    ollama, reviewer = cluster.cloister.ollama, cluster.members["review"]
    kills, asked = reviewer.kills, len(ollama.asked())
    ollama.script = lambda request: Reply(planted_review(request).text, pieces=10, delay_s=0.2)
    merge_request = opened(cluster, "dead-in-an-answer")
    await until_it_holds(lambda: len(ollama.asked()) > asked, "the model was not asked")
    await asyncio.sleep(0.5)
    reviewer.signal(signal.SIGKILL)
    ollama.script = planted_review
    await until_it_holds(lambda: reviewer.kills > kills, "the process still lives")
    verdict = await converged(cluster, [merge_request])
    assert THREADS == verdict.threads
    assert asked + 2 == len(ollama.asked())
    settled(verdict)


@pytest.mark.parametrize("step", ["retry.sent", "retry.moved", "relay.shipped"])
async def test_a_kill_between_the_logs_is_only_a_pause(
    cluster: Cluster, step: str, settled: Callable[[Verdict], None]
) -> None:
    """Events are on their way from the outbox to Kafka, or from one delay to the stage, when the process dies."""
    if step != "retry.sent" and cluster.cloister.settings.kafka_bootstrap is None:
        pytest.skip("one transaction moves them within Postgres")
    if step.startswith("retry"):
        cluster.journal.add("GET", r"/merge_requests/\d+$", status=429, retry_after=6)
    merge_requests = await die_at(cluster, {step: 1})
    await died(cluster, [step])
    verdict = await converged(cluster, merge_requests)
    assert THREADS == verdict.threads
    settled(verdict)


@pytest.mark.timeout(0)
async def test_seeded_kills(cluster: Cluster, settled: Callable[[Verdict], None]) -> None:
    """As many merge requests as asked for, each with a kill at a step, a passing and a moment by chance."""
    chance = random.Random(SEED)
    for number in range(0, max(RUNS, 1), len(BUSY) + 1):
        chosen = [
            chance.choice([step for step in STEPS if process_of(step) == name]) for name in ("web", *BUSY)
        ]
        steps = {step: _passing(step, chance) for step in chosen}
        merge_requests = await die_at(cluster, steps, f"-run-{number}")
        await asyncio.sleep(chance.uniform(0, 3))
        for merge_request in merge_requests:
            if chance.random() < PUSHED:
                change: dict[str, Any] = {"own.txt": f"{merge_request.source_branch}, again\n"}
                cluster.cloister.gitlab.server.push(merge_request, change)
        await cluster.redeliver()
        settled(await converged(cluster, merge_requests))
        for step in steps:
            # A push may have ended the review before that step.
            cluster.sprung(step)
            cluster.disarm(step)


def _passing(step: str, chance: random.Random) -> int:
    """Return a passing that every merge request reaches: two scanners and more steps to collect than one."""
    several = {"scan.": 2, "collect.": 3, "publish.drafted": THREADS}
    return chance.randint(1, next((most for part, most in several.items() if step.startswith(part)), 1))
