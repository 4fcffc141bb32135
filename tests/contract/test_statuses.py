"""Where a commit status goes, by the kind of pipeline: people must see it, and auto-merge must wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import pytest

from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_approvals import GitLabApprovals
from bot.demo.gitlab import GitLabServer, Level, MergeRequest, Project, User
from bot.demo.gitlab.pipelines import Pipeline, StatusCheck
from bot.domain.errors import Obsolete, Refused
from bot.domain.forge import ForgeMergeRequest, StatusPlace
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.instance import instance_name


@dataclass
class World:
    """A project with a merge request of its own and one of a fork, and the bot that has no rights in the fork."""

    server: GitLabServer
    project: Project
    fork: Project
    own: MergeRequest
    forked: MergeRequest
    bot: User
    forge: GitLabForge

    def ref(self, opened: MergeRequest) -> MergeRequestRef:
        """Return how we call it."""
        instance = instance_name(self.server.url)
        return MergeRequestRef(instance=instance, project_id=self.project.id, iid=opened.iid)

    async def read(self, opened: MergeRequest) -> ForgeMergeRequest:
        """Return it as the forge shows it."""
        return await self.forge.merge_request(self.ref(opened))

    async def set(self, opened: MergeRequest, state: str = "failed", **more: object) -> StatusPlace:
        """Set the status on the head."""
        found = await self.read(opened)
        return await self.forge.set_status(found, opened.head_sha, state, "d", **more)  # type: ignore[arg-type]

    def statuses(self, project: Project | None = None) -> list[tuple[str, str, str]]:
        """Return ref, source of the pipeline, and state of all statuses that count."""
        return [
            (one.pipeline.ref, one.pipeline.source, one.state)
            for one in (project or self.project).statuses
            if not one.retried
        ]


@pytest.fixture(scope="module")
def gitlab() -> Iterator[GitLabServer]:
    with GitLabServer() as server:
        yield server


@pytest.fixture
async def world(gitlab: GitLabServer) -> AsyncIterator[World]:
    gitlab.faults.clear()
    number = len(gitlab.instance.state.projects)
    project = gitlab.create_project(f"team/app{number}", {"a.py": "1\n"})
    owner = gitlab.create_user(f"owner{number}")
    fork = gitlab.fork(project, f"owner/app{number}", owner)
    own = gitlab.open_merge_request(project, changes={"a.py": "2\n"})
    forked = gitlab.open_merge_request(project, "patch", {"a.py": "3\n"}, author=owner, fork=fork)
    project.repository.fetch_from(fork.repository, forked.head_sha)
    bot, token = gitlab.create_project_token(project)
    forge = GitLabForge(gitlab.url, token, timeout_s=5.0)
    yield World(gitlab, project, fork, own, forked, bot, forge)
    await forge.aclose()
    assert gitlab.unknown_requests == []


def _of_merge_request(world: World, opened: MergeRequest) -> Pipeline:
    return world.server.add_pipeline(opened)


def _of_branch(world: World, opened: MergeRequest) -> Pipeline:
    return world.server.add_pipeline(opened, merge_request_pipeline=False)


def _merged(world: World, opened: MergeRequest) -> Pipeline:
    return world.server.add_pipeline(opened, merged=True)


def _train(world: World, opened: MergeRequest) -> Pipeline:
    pipeline = world.server.add_pipeline(opened, merged=True)
    pipeline.ref = f"refs/merge-requests/{opened.iid}/train"
    return pipeline


def _both(world: World, opened: MergeRequest) -> Pipeline:
    _of_branch(world, opened)
    return _of_merge_request(world, opened)


KINDS = [_of_merge_request, _of_branch, _merged, _train, _both]


@pytest.mark.parametrize("start", KINDS)
async def test_the_status_joins_the_shown_pipeline(
    world: World, start: Callable[[World, MergeRequest], Pipeline]
):
    """Of whatever kind it is: no pipeline appears beside it, and none but it decides."""
    pipeline = start(world, world.own)
    before = list(world.project.pipelines)
    for state in ("pending", "running", "running", "success"):
        place = await world.set(world.own, state, target_url="https://cloister.example/verdicts/1")
    assert before == world.project.pipelines
    assert [(pipeline.ref, pipeline.source, "success")] == world.statuses()
    assert StatusPlace(world.project.id, pipeline.sha, pipeline.id) == place
    assert {"https://cloister.example/verdicts/1"} == {one.target_url for one in world.project.statuses}


async def test_a_merge_of_another_head_is_not_ours(world: World):
    """A pipeline of merged results that ran on an older head says nothing about this one."""
    world.server.add_pipeline(world.own, merged=True)
    world.server.push(world.own, {"a.py": "4\n"})
    await world.set(world.own)
    assert [("feature", "external", "failed")] == world.statuses()


async def test_without_any_pipeline_the_branch_gets_one(world: World):
    """GitLab makes it, and tells where the status stands."""
    place = await world.set(world.own, "pending")
    (pipeline,) = world.project.pipelines
    assert StatusPlace(world.project.id, world.own.head_sha, pipeline.id) == place
    assert [("feature", "external", "pending")] == world.statuses()


async def test_a_status_that_was_there_tells_where_it_stands(world: World):
    """GitLab refuses to write it once more; two merge requests of one head that do not know of the pipeline share it."""
    found = await world.read(world.own)
    assert found.pipeline is None
    places = [await world.forge.set_status(found, world.own.head_sha, "pending", "d") for _ in range(2)]
    (pipeline,) = world.project.pipelines
    assert [StatusPlace(world.project.id, world.own.head_sha, pipeline.id)] * 2 == places


async def test_a_pipeline_that_comes_later_is_joined_by_name(world: World):
    """The status that stands elsewhere can be repeated there, too."""
    first = await world.set(world.own, "pending")
    late = world.server.add_pipeline(world.own, merged=True)
    place = await world.set(world.own, "failed", pipeline_id=late.id)
    await world.forge.repeat_status(first, "failed", "d")
    assert late.id == place.pipeline_id
    assert [("feature", "external", "failed"), (late.ref, late.source, "failed")] == world.statuses()
    with pytest.raises(Refused, match="not one of the head"):
        await world.set(world.own, "failed", pipeline_id=first.pipeline_id + 9999)  # type: ignore[operator]


async def test_the_status_of_a_fork_goes_to_the_fork(world: World):
    """That is where its commit and its pipelines are, if we may write there."""
    world.server.add_member(world.fork, world.bot, Level.developer)
    _of_branch(world, world.forked)
    await world.set(world.forked)
    assert [("patch", "push", "failed")] == world.statuses(world.fork)
    assert [] == world.statuses()


@pytest.mark.parametrize("branch_too", [False, True])
async def test_a_fork_that_is_closed_to_us_gets_it_in_our_own_project(world: World, branch_too: bool):
    """A pipeline of its merge request can run there; without one the status is refused, which names the reason."""
    if branch_too:
        _of_branch(world, world.forked)
    with pytest.raises(Refused, match="404"):
        await world.set(world.forked)
    pipeline = _of_merge_request(world, world.forked)
    await world.set(world.forked)
    assert [(pipeline.ref, "merge_request_event", "failed")] == world.statuses()
    assert [] == world.statuses(world.fork)


async def test_a_full_pipeline_refuses(world: World):
    """GitLab's limit of jobs is no reason to hide the status in another pipeline."""
    _of_merge_request(world, world.own)
    world.project.most_jobs = 0
    with pytest.raises(Refused, match="exceeded the limit"):
        await world.set(world.own)
    assert [] == world.statuses()


async def test_a_protected_branch_refuses(world: World):
    """With the reason, so that people can be told."""
    world.project.protected["feature"] = Level.maintainer
    _of_branch(world, world.own)
    with pytest.raises(Refused, match="403"):
        await world.set(world.own)


async def test_an_address_that_gitlab_cannot_store_is_left_out(world: World):
    """The status counts more than its link."""
    await world.set(world.own, "pending", target_url="https://cloister.example/" + "x" * 300)
    assert [None] == [one.target_url for one in world.project.statuses]


async def test_the_approval_is_given_and_taken_back_once(world: World):
    """However often it is asked for; and only for the head that was looked at."""
    approvals = GitLabApprovals(world.forge.api)
    ref = world.ref(world.own)
    await approvals.unapprove(ref)
    for _ in range(2):
        await approvals.approve(ref, world.own.head_sha)
    assert [world.bot] == world.own.approved_by
    for _ in range(2):
        await approvals.unapprove(ref)
    assert [] == world.own.approved_by
    with pytest.raises(Obsolete):
        await approvals.approve(ref, "0" * 40)


async def test_who_wrote_commits_may_not_approve(world: World):
    """That is no fault of the token, so nothing waits for another one."""
    world.server.push(world.own, {"b.py": "1\n"}, user=world.bot)
    with pytest.raises(Refused, match="commits"):
        await GitLabApprovals(world.forge.api).approve(world.ref(world.own), world.own.head_sha)


@pytest.mark.parametrize("version", [(16, 4), (18, 10)])
async def test_a_status_check_is_answered_by_name(world: World, version: tuple[int, int]):
    """A release without pending answers keeps what it has; a head that moved makes the answer pointless."""
    check = StatusCheck(41, "cloister")
    world.project.status_checks += [StatusCheck(40, "other"), check]
    world.server.instance.state.version, usual = version, world.server.instance.state.version
    try:
        approvals, ref, sha = GitLabApprovals(world.forge.api), world.ref(world.own), world.own.head_sha
        await approvals.answer_check(ref, sha, "cloister", "pending")
        assert ({} if version == (16, 4) else {(world.own.id, sha): "pending"}) == check.answers
        await approvals.answer_check(ref, sha, "cloister", "failed")
        assert {(world.own.id, sha): "failed"} == check.answers
        with pytest.raises(Refused, match="no external status check"):
            await approvals.answer_check(ref, sha, "nobody's", "passed")
        with pytest.raises(Obsolete):
            await approvals.answer_check(ref, "0" * 40, "cloister", "passed")
    finally:
        world.server.instance.state.version = usual
