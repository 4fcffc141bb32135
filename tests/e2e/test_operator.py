"""The operator removes a cause, or wants a review again: it appears, and nothing appears twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.demo.gitlab import Level, MergeRequest
from tests.cloister import Cloister
from tests.unit.cli.command import ENVIRONMENT

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEFECT = "for i in range(len(values) + 1):\n"

_numbers = itertools.count(1)


async def command(cloister: Cloister, *arguments: str) -> str:
    """Run a command of the operator beside the running Cloister, and wait until its effects are there."""
    environment = {**os.environ, **ENVIRONMENT, "CLOISTER_DATABASE_URL": cloister.database_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, stdout=PIPE, env=environment, cwd=cloister.settings.data_dir
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    await cloister.idle()
    return said.decode()


def opened(cloister: Cloister, **project: Any) -> MergeRequest:
    """Open a merge request with a defect in a project of its own."""
    gitlab = cloister.gitlab
    made = gitlab.server.create_project(
        f"group/operated-{next(_numbers)}", members={gitlab.bot: Level.developer}
    )
    for name, value in project.items():
        setattr(made, name, value)
    return gitlab.server.open_merge_request(made, "change", {"a.txt": DEFECT})


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _tidy(shared_cloister: Cloister) -> AsyncIterator[None]:
    """Take all faults and letters back after each test."""
    yield
    shared_cloister.gitlab.server.faults.clear()
    await shared_cloister.fetch("DELETE FROM dead_letter")


async def given_up(cloister: Cloister, merge_request: MergeRequest, *stages: str) -> None:
    """Wait until *stages*, and no others, have given something of *merge_request* up, and told its run."""
    async with asyncio.timeout(150):
        while await letters(cloister, merge_request) != list(stages):
            await asyncio.sleep(0.05)
    await cloister.idle()
    assert list(stages) == await letters(cloister, merge_request)


async def letters(cloister: Cloister, merge_request: MergeRequest) -> list[str]:
    """Return the stages that gave something of *merge_request* up."""
    rows = await cloister.fetch(
        "SELECT consumer_group FROM dead_letter WHERE record->>'key' LIKE $1 ORDER BY consumer_group",
        f"%:{merge_request.project.id}:{merge_request.iid}",
    )
    return [row["consumer_group"] for row in rows]


async def assert_reviewed_once(cloister: Cloister, merge_request: MergeRequest) -> None:
    """Check what people see: one thread on the defect, one summary, a status, and nothing else."""
    outcome = await cloister.outcome(merge_request)
    assert [("a.txt", 1)] == outcome.lines
    assert "success" == outcome.status
    assert 2 == len(cloister.ours(merge_request))
    assert [] == merge_request.drafts


async def test_a_merge_request_that_was_refused_is_reviewed_after_a_retry(shared_cloister: Cloister) -> None:
    """GitLab denied it, so that the fetch was given up, and nobody could be told; one review makes up for it."""
    faults = shared_cloister.gitlab.server.faults
    faults.add("GET", r"/merge_requests/\d+$", status=404, times=None)
    merge_request = opened(shared_cloister)
    await given_up(shared_cloister, merge_request, "fetch")
    assert [] == shared_cloister.ours(merge_request)

    faults.clear()
    said = await command(shared_cloister, "dlq", "retry", "--all")
    assert 1 == said.count("the merge request is reviewed again")
    assert [] == await letters(shared_cloister, merge_request)
    await assert_reviewed_once(shared_cloister, merge_request)
    assert ["failed", "finished"] == [state for _, state in await shared_cloister.runs(merge_request)]


async def test_code_that_was_out_of_reach_is_reviewed_after_a_retry(shared_cloister: Cloister) -> None:
    """The note that said so becomes the summary of the review."""
    merge_request = opened(shared_cloister, git_status=403)
    assert "failed" == (await shared_cloister.outcome(merge_request)).status
    await given_up(shared_cloister, merge_request, "fetch")

    merge_request.project.git_status = 200
    await command(shared_cloister, "dlq", "retry", "--all")
    await assert_reviewed_once(shared_cloister, merge_request)


async def test_a_retry_that_fails_again_is_a_dead_letter_again(shared_cloister: Cloister) -> None:
    """Nothing is lost by retrying too early."""
    merge_request = opened(shared_cloister, git_status=403)
    await shared_cloister.outcome(merge_request)
    for _ in range(2):
        await command(shared_cloister, "dlq", "retry", "--all")
        await given_up(shared_cloister, merge_request, "fetch")
    merge_request.project.git_status = 200
    await command(shared_cloister, "dlq", "retry", "--all")
    await assert_reviewed_once(shared_cloister, merge_request)


async def test_a_replay_leaves_alone_what_was_reviewed(shared_cloister: Cloister) -> None:
    """Events of every stage are handed out again; no run starts and nobody sees a difference."""
    merge_request = opened(shared_cloister)
    await assert_reviewed_once(shared_cloister, merge_request)
    before = [note.body for note in shared_cloister.ours(merge_request)]
    stages = ("intake", "fetch", "scan", "report", "review", "collect", "verify", "publish")
    chosen = [option for stage in stages for option in ("--stage", stage)]
    for _ in range(2):
        await command(
            shared_cloister, "replay", "--from", "1h", "--project", str(merge_request.project.id), *chosen
        )
    assert ["finished"] == [state for _, state in await shared_cloister.runs(merge_request)]
    assert before == [note.body for note in shared_cloister.ours(merge_request)]
    await assert_reviewed_once(shared_cloister, merge_request)


async def test_a_replay_reviews_again_without_saying_it_twice(shared_cloister: Cloister) -> None:
    """Each replay is one more review of the newest head, whatever went before and however often."""
    merge_request = opened(shared_cloister)
    await shared_cloister.outcome(merge_request)
    shared_cloister.gitlab.server.push(merge_request, {"a.txt": DEFECT, "b.txt": "fine\n"})
    await assert_reviewed_once(shared_cloister, merge_request)
    for _ in range(2):
        await command(
            shared_cloister, "replay", "--from", "1h", "--again", "--project", str(merge_request.project.id)
        )
    await assert_reviewed_once(shared_cloister, merge_request)
    heads = [head for head, _ in await shared_cloister.runs(merge_request)]
    assert [False, True, True, True] == [head == merge_request.head_sha for head in heads]
