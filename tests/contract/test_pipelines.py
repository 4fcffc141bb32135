"""What every adapter that reads a project's pipelines keeps to, shown on a GitLab-compatible server over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_pipelines import GitLabPipelines
from bot.demo.gitlab import GitLabServer, Level, MergeRequest
from bot.demo.gitlab.pipelines import Pipeline
from bot.domain.errors import Permanent, Transient
from bot.domain.forge import ForgeReports
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.instance import instance_name
from tests.gitlab import GitLab

SARIF = b'{"version": "2.1.0", "runs": []}'


@dataclass
class World:
    """One merge request, and the bot that looks at its pipelines."""

    server: GitLabServer
    opened: MergeRequest
    pipelines: GitLabPipelines

    def start(self, **kind: bool) -> Pipeline:
        return self.server.add_pipeline(self.opened, **kind)

    async def reports(self, *paths: str, job: str = "lint", max_bytes: int = 1_000) -> ForgeReports:
        ref = MergeRequestRef(
            instance=instance_name(self.server.url), project_id=self.opened.project.id, iid=self.opened.iid
        )
        wanted = paths or ("lint.sarif",)
        return await self.pipelines.reports(
            ref, self.opened.head_sha, job=job, paths=wanted, max_bytes=max_bytes
        )


@pytest.fixture
async def world(gitlab: GitLab) -> AsyncIterator[World]:
    opened = gitlab.server.open_merge_request(gitlab.project, changes={"app.py": "x = 1\n"})
    forge = GitLabForge(gitlab.server.url, gitlab.token, timeout_s=5.0)
    yield World(gitlab.server, opened, GitLabPipelines(forge.api))
    await forge.aclose()
    assert gitlab.server.unknown_requests == []


async def test_without_a_pipeline_there_is_something_to_wait_for(world: World):
    """A pipeline of another commit is not it."""
    world.start()
    world.server.push(world.opened, {"app.py": "x = 2\n"})
    found = await world.reports()
    assert (found.files, found.over) == ((), False)
    assert "no pipeline" in found.problem


@pytest.mark.parametrize("kind", ["merge request", "merged result", "branch"])
async def test_the_files_of_a_finished_job(world: World, kind: str):
    """Whatever kind of pipeline it was, the files come as they are, with the project of the job."""
    pipeline = world.start(merge_request_pipeline=kind != "branch", merged=kind == "merged result")
    job = world.server.add_job(pipeline, "lint")
    waiting = await world.reports()
    assert (waiting.over, waiting.problem) == (False, "the job lint is running")
    world.server.finish_job(job, {"lint.sarif": SARIF, "out dir/a[1].sarif": b"\0\xff"})
    found = await world.reports("lint.sarif", "out dir/a[1].sarif")
    assert found == ForgeReports((SARIF, b"\0\xff"), project="group/app")


async def test_the_pipeline_of_a_fork(gitlab: GitLab):
    """A fork's branch pipeline runs in the fork; without access to it that is said."""
    server = gitlab.server
    fork = server.fork(gitlab.project, "forker/app", server.create_user("forker", "Forker"))
    opened = server.open_merge_request(gitlab.project, changes={"a.py": "x\n"}, fork=fork)
    forge = GitLabForge(server.url, gitlab.token)
    world = World(server, opened, GitLabPipelines(forge.api))
    server.finish_job(
        server.add_job(world.start(merge_request_pipeline=False), "lint"), {"lint.sarif": SARIF}
    )
    refused = await world.reports()
    assert (refused.files, refused.over) == ((), True)
    assert f"project {fork.id}" in refused.problem
    fork.members[gitlab.bot.id] = Level.reporter
    assert (await world.reports()).files == (SARIF,)
    await forge.aclose()


async def test_the_jobs_of_a_parallel_one_all_count(world: World):
    """GitLab numbers them, or names their variables; others whose names begin alike are no part of it."""
    pipeline = world.start()
    for number, name in enumerate(["lint 1/2", "lint 2/2", "lint: [a, b]", "lint-docs", "eslint"]):
        world.server.finish_job(world.server.add_job(pipeline, name), {"lint.sarif": b"%d" % number})
    assert sorted((await world.reports()).files) == [b"0", b"1", b"2"]


async def test_a_repeated_job_counts_once(world: World):
    """The newest try is the one that counts."""
    pipeline = world.start()
    for content in (b"old", b"new"):
        world.server.finish_job(world.server.add_job(pipeline, "lint"), {"lint.sarif": content})
    assert (await world.reports()).files == (b"new",)


async def test_a_failed_job_may_have_kept_its_report(world: World):
    """Linters fail on findings; what they kept counts."""
    job = world.server.add_job(world.start(), "lint")
    world.server.finish_job(job, {"lint.sarif": SARIF}, "failed")
    assert (await world.reports()).files == (SARIF,)


async def test_missing_and_large_files_are_named(world: World):
    """What is not there is a problem, and hides nothing else."""
    job = world.server.add_job(world.start(), "lint")
    world.server.finish_job(job, {"lint.sarif": SARIF, "big.sarif": b"x" * 2_000}, "failed")
    found = await world.reports("gone.sarif", "big.sarif", "lint.sarif")
    assert found.files == (SARIF,)
    assert "the job lint (failed) has kept no gone.sarif" in found.problem
    assert "big.sarif of the job lint is larger" in found.problem


async def test_a_pipeline_without_the_job(world: World):
    """While it runs the job may still come, e.g. from a later stage; afterwards it does not."""
    other = world.server.add_job(world.start(), "test")
    assert (await world.reports()).over is False
    world.server.finish_job(other, {})
    found = await world.reports()
    assert (found.over, found.problem) == (True, "the pipeline of this head has no job lint")


async def test_an_outage_is_one(world: World):
    """A server error is another try, not a missing file."""
    world.server.finish_job(world.server.add_job(world.start(), "lint"), {"lint.sarif": SARIF})
    world.server.faults.add("GET", "/artifacts/", status=502)
    with pytest.raises(Transient):
        await world.reports()


async def test_redirects_are_not_followed(world: World):
    """No answer leads us to another host."""
    world.server.finish_job(world.server.add_job(world.start(), "lint"), {"lint.sarif": SARIF})
    world.server.faults.add("GET", "/artifacts/", status=302)
    with pytest.raises(Permanent, match="redirects are not followed"):
        await world.reports()
