"""The verdict wherever people and jobs meet it: status, page, API, approval, status check."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from bot.demo.gitlab import GitLabServer, MergeRequest, Project
from bot.demo.gitlab.pipelines import Pipeline, Status, StatusCheck
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import start_with_accounts
from tests.postgres import create_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n"
POLICY = "review: {model: false}\ngate: {approve: true, status_check: Cloister}\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cloister]:
    """Run Cloister for a project whose policy has it approve and answer a status check."""
    url = await create_database(postgres_server, f"test_{uuid.uuid4().hex[:12]}", migrated_template)
    with GitLabServer() as server, ScriptedOllama(script=planted_review) as ollama:
        gitlab = start_with_accounts(server)
        gitlab.project.status_checks.append(StatusCheck(server.instance.state.next_id(), "Cloister"))
        server.commit(gitlab.project, "main", {".cloister.yml": POLICY})
        data_dir = tmp_path_factory.mktemp("verdicts")
        settings = settings_for(gitlab, None, url, data_dir, public_url="https://cloister.example/")
        async with running(settings, gitlab, ollama) as cloister:
            server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
            yield cloister


def opened(world: Cloister, name: str, content: str, fork: Project | None = None) -> MergeRequest:
    """Open a merge request with one file."""
    server, gitlab = world.gitlab.server, world.gitlab
    return server.open_merge_request(
        gitlab.project, name, {f"{name}.txt": content}, title=name, author=gitlab.developer, fork=fork
    )


def status_in(project: Project, pipeline: Pipeline) -> Status | None:
    """Return our status in a pipeline."""
    found = (one for one in reversed(project.statuses) if one.pipeline is pipeline and not one.retried)
    return next((one for one in found if one.name == "cloister"), None)


def local(world: Cloister, address: str) -> str:
    """Return where the server really listens for what has a public *address*."""
    parts = urlsplit(address)
    assert ("https", "cloister.example") == (parts.scheme, parts.netloc)
    return f"http://{world.settings.listen}{parts.path}?{parts.query}"


async def test_a_verdict_is_told_everywhere_and_follows_each_push(world: Cloister) -> None:
    """It blocks, passes when the secret is gone, and blocks again: for people, for jobs, for the merge."""
    server, project = world.gitlab.server, world.gitlab.project
    merge_request = opened(world, "verdict", SECRET)
    pipeline = server.add_pipeline(merge_request)
    job = server.add_job(pipeline, "gate")
    assert "failed" == (await world.outcome(merge_request)).status
    status = status_in(project, pipeline)
    assert status is not None
    async with httpx.AsyncClient() as client:
        shown = await client.get(local(world, status.target_url or ""))
        told = (await client.get(_address(world, merge_request), headers={"JOB-TOKEN": job.token})).json()
    assert (200, True) == (shown.status_code, "<bdi>verdict.txt</bdi>:1<" in shown.text)
    assert SECRET.split()[1] not in shown.text
    assert ("blocked", True, status.target_url) == (told["state"], told["final"], told["url"])
    assert ["verdict.txt"] == [one["path"] for one in told["blocking"]]
    assert ([], ["failed"]) == (merge_request.approved_by, _answers(project, merge_request))

    for content, state, approved in (("clean\n", "success", True), (SECRET, "failed", False)):
        server.force_push(merge_request, {"verdict.txt": content})
        assert state == (await world.outcome(merge_request)).status
        assert approved == (world.gitlab.bot in merge_request.approved_by)
        assert ["passed" if approved else "failed"] == _answers(project, merge_request)


def _address(world: Cloister, merge_request: MergeRequest) -> str:
    query = f"project_id={merge_request.project.id}&iid={merge_request.iid}&sha={merge_request.head_sha}"
    return f"http://{world.settings.listen}/api/v1/verdict?{query}"


def _answers(project: Project, merge_request: MergeRequest) -> list[str | None]:
    return [one.answers.get((merge_request.id, merge_request.head_sha)) for one in project.status_checks]


async def test_a_pipeline_that_begins_later_has_the_status_too(world: Cloister) -> None:
    """It would pass without, and open the gate; where the status stood first it does not stay pending."""
    server, project = world.gitlab.server, world.gitlab.project
    merge_request = opened(world, "later", SECRET)
    assert "failed" == (await world.outcome(merge_request)).status
    first = next(one for one in project.pipelines if one.sha == merge_request.head_sha)
    merged = server.add_pipeline(merge_request, merged=True)
    await world.until(lambda: status_in(project, merged) is not None)
    await world.idle()
    states: list[Any] = [status_in(project, one) for one in (first, merged)]
    assert ["failed", "failed"] == [one.state for one in states]
    assert 1 == sum(one.pipeline is merged for one in project.statuses)


async def test_a_verdict_by_the_policy_of_another_target_is_not_said_again(world: Cloister) -> None:
    """GitLab starts a pipeline for a new target branch: it waits for the policy of that, though no hook told of it."""
    server, project = world.gitlab.server, world.gitlab.project
    server.commit(project, "lenient", {".cloister.yml": "gate: {block_at: never}\n"}, start="main")
    merge_request = server.open_merge_request(
        project, "moved", {"moved.txt": SECRET}, target="lenient", author=world.gitlab.developer
    )
    assert "success" == (await world.outcome(merge_request)).status
    server.instance.core.hooks.silent = True
    server.edit(merge_request, target="main")
    server.instance.core.hooks.silent = False
    pipeline = server.add_pipeline(merge_request)
    await world.until(lambda: status_in(project, pipeline) is not None)
    assert "failed" == (await world.outcome(merge_request)).status
    await world.idle()
    said = [one.state for one in project.statuses if one.pipeline is pipeline]
    assert ("failed", False) == (said[-1], "success" in said)


async def test_a_pipeline_tells_of_a_head_whose_hook_was_lost(world: Cloister) -> None:
    """It would pass without a status; the head is reviewed, and the pipeline fails with it."""
    server, project = world.gitlab.server, world.gitlab.project
    merge_request = opened(world, "unheard", "clean\n")
    assert "success" == (await world.outcome(merge_request)).status
    server.instance.core.hooks.silent = True
    server.push(merge_request, {"unheard.txt": SECRET})
    server.instance.core.hooks.silent = False
    pipeline = server.add_pipeline(merge_request)
    assert "failed" == (await world.outcome(merge_request)).status
    await world.idle()
    status = status_in(project, pipeline)
    assert status is not None
    assert ("failed", 2) == (status.state, len(await world.runs(merge_request)))


async def test_a_second_merge_request_of_a_head_opens_nothing(world: Cloister) -> None:
    """Its target has a mild policy and its verdict passes; the pipeline that both share stays failed.

    So does one of the branch that somebody starts by hand, until the stricter merge request is closed.
    """
    server, project = world.gitlab.server, world.gitlab.project
    first = opened(world, "shared", SECRET)
    assert "failed" == (await world.outcome(first)).status
    mild = {".cloister.yml": "review: {model: false}\ngate: {block_at: never, approve: true}\n"}
    server.commit(project, "mild", mild, "Be mild", start="main")
    second = server.open_merge_request(
        project, "shared", title="around", target="mild", author=world.gitlab.developer
    )
    assert first.head_sha == second.head_sha
    await world.outcome(second)
    await world.idle()
    (pipeline,) = (one for one in project.pipelines if one.sha == first.head_sha)
    status = status_in(project, pipeline)
    assert status is not None
    assert (True, "failed") == (world.gitlab.bot in second.approved_by, status.state)
    again = server.add_pipeline(first, merge_request_pipeline=False)
    await world.until(lambda: status_in(project, again) is not None)
    await world.idle()
    status = status_in(project, again)
    assert status is not None
    assert "failed" == status.state
    server.close_merge_request(first)
    await world.until(lambda: (one := status_in(project, again)) is not None and one.state == "success")


async def test_a_draft_that_became_ready_unheard_is_reviewed(world: Cloister) -> None:
    """Its hook was lost, or came while the review decided to leave it out; whatever happens next brings that to light."""
    server, project = world.gitlab.server, world.gitlab.project
    policy = {".cloister.yml": "review: {model: false, drafts: false}\n"}
    server.commit(project, "patient", policy, "Be patient", start="main")
    merge_request = server.open_merge_request(
        project, "ripe", {"ripe.txt": SECRET}, title="Draft: ripe", target="patient"
    )
    assert "running" == (await world.outcome(merge_request)).status
    server.instance.core.hooks.silent = True
    server.edit(merge_request, title="ripe")
    server.instance.core.hooks.silent = False
    server.add_pipeline(merge_request)
    await world.until(lambda: "failed" == world.status_of(merge_request))


async def test_a_push_to_two_merge_requests_at_once_opens_neither(world: Cloister) -> None:
    """Both set the status of the pipeline that they share before either has a verdict; the stricter one counts."""
    server, project = world.gitlab.server, world.gitlab.project
    server.commit(project, "lax", {".cloister.yml": "gate: {block_at: never}\n"}, "Be lax", start="main")
    strict = opened(world, "twice", "clean\n")
    lax = server.open_merge_request(
        project, "twice", title="twice", target="lax", author=world.gitlab.developer
    )
    for one in (strict, lax):
        await world.outcome(one)
    for number in range(3):
        server.push(strict, {"twice.txt": f"{SECRET}{number}\n"})
        for one in (strict, lax):
            await world.outcome(one)
        await world.idle()
        assert "failed" == world.status(strict)


async def test_a_fork_that_is_closed_to_us_is_reviewed_all_the_same(world: Cloister) -> None:
    """The summary says that the status is missing; a pipeline here gets it."""
    server, gitlab = world.gitlab.server, world.gitlab
    fork = server.fork(gitlab.project, "dev/app", gitlab.developer)
    fork.repository.set_ref("refs/heads/main", fork.repository.branch("main"))
    merge_request = opened(world, "forked", SECRET, fork)
    outcome = await world.outcome(merge_request)
    assert (None, True) == (outcome.status, "commit status could not be set" in outcome.summary)
    gitlab.project.repository.fetch_from(fork.repository, merge_request.head_sha)
    pipeline = server.add_pipeline(merge_request)
    await world.until(lambda: status_in(gitlab.project, pipeline) is not None)
    server.label(merge_request, "again")
    await world.until(lambda: "commit status could not be set" not in world.summary(merge_request))


async def test_a_secret_in_a_file_without_lines_blocks(world: Cloister) -> None:
    """GitLab has no place for a comment in what git calls binary, so the summary has it."""
    merge_request = opened(world, "hidden", f"\0\n{SECRET}")
    outcome = await world.outcome(merge_request)
    assert ("failed", True) == (outcome.status, "hidden.txt" in outcome.summary)
    assert SECRET.split()[1] not in outcome.summary
