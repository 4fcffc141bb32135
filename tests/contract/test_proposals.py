"""What every way to propose changes keeps to, shown on a GitLab-compatible server over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import pytest

from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_proposals import GitLabProposals
from bot.demo.gitlab import GitLabServer, Level, MergeRequest, Project
from bot.domain.errors import Refused, Transient
from bot.domain.forge import Proposal
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.instance import instance_name


@dataclass
class World:
    """One merge request, and what proposes changes to it."""

    server: GitLabServer
    project: Project
    opened: MergeRequest
    proposals: GitLabProposals
    proposal: Proposal

    @property
    def ref(self) -> MergeRequestRef:
        return MergeRequestRef(
            instance=instance_name(self.server.url), project_id=self.project.id, iid=self.opened.iid
        )


@pytest.fixture(scope="module")
def gitlab() -> Iterator[GitLabServer]:
    with GitLabServer() as server:
        yield server


@pytest.fixture
async def world(gitlab: GitLabServer) -> AsyncIterator[World]:
    gitlab.faults.clear()
    project = gitlab.create_project(f"team/app{len(gitlab.instance.state.projects)}", {"app.py": "x = 1\n"})
    opened = gitlab.open_merge_request(project, changes={"app.py": "x = 2\n"})
    _, token = gitlab.create_project_token(project)
    forge = GitLabForge(gitlab.url, token, timeout_s=5.0)
    proposal = Proposal(
        branch="cloister/tests-1-abc",
        start_sha=opened.head_sha,
        target_branch=opened.source_branch,
        files={"tests/test_app.py": "from app import x\n\n\ndef test_x():\n    assert x == 'é'\n"},
        title="Test x",
        description="Tests for !1.",
    )
    yield World(gitlab, project, opened, GitLabProposals(forge.api), proposal)
    await forge.aclose()
    assert gitlab.unknown_requests == []


async def test_a_proposal_is_a_branch_and_a_merge_request(world: World):
    """The branch begins at the named commit, holds the files, and is to be merged into the source branch."""
    proposed = await world.proposals.propose(world.ref, world.proposal)
    made = world.project.merge_requests[proposed.iid]
    repository = world.project.repository
    content = repository.blob("cloister/tests-1-abc", "tests/test_app.py")
    assert content == world.proposal.files["tests/test_app.py"].encode()
    assert (made.source_branch, made.target_branch) == ("cloister/tests-1-abc", "feature")
    assert proposed.web_url.endswith(f"/-/merge_requests/{proposed.iid}")
    parents = repository.commit_info(made.head_sha)
    assert parents is not None
    assert parents["parents"] == world.opened.head_sha


async def test_proposing_twice_makes_nothing_new(world: World):
    """The second time leads to the same merge request, also if its text differs or it was closed."""
    first = await world.proposals.propose(world.ref, world.proposal)
    world.server.close_merge_request(world.project.merge_requests[first.iid])
    other = replace(world.proposal, files={"tests/test_other.py": "pass\n"})
    assert await world.proposals.propose(world.ref, other) == first
    assert len(world.project.merge_requests) == 2


@pytest.mark.parametrize("path", ["repository/commits", "merge_requests"])
@pytest.mark.parametrize("after_commit", [True, False], ids=["answer lost", "request lost"])
async def test_a_broken_off_proposal_is_finished(world: World, path: str, after_commit: bool):
    """Whatever request breaks, and on whichever way, a repeat completes it."""
    world.server.faults.add("POST", rf".*/{path}", drop=True, after_commit=after_commit)
    with pytest.raises(Transient):
        await world.proposals.propose(world.ref, world.proposal)
    proposed = await world.proposals.propose(world.ref, world.proposal)
    assert sorted(world.project.merge_requests) == [1, proposed.iid] == [1, 2]


async def test_a_file_that_exists_is_refused(world: World):
    """No file of the project is replaced."""
    with pytest.raises(Refused, match="already exists"):
        await world.proposals.propose(world.ref, replace(world.proposal, files={"app.py": "x = 3\n"}))
    assert len(world.project.merge_requests) == 1


async def test_a_low_role_is_refused(world: World):
    """Reporters cannot push, and are told which role it takes."""
    user = world.server.create_user(f"reporter{world.project.id}")
    world.server.add_member(world.project, user, Level.reporter)
    forge = GitLabForge(world.server.url, world.server.create_token(user))
    with pytest.raises(Refused, match="Developer"):
        await GitLabProposals(forge.api).propose(world.ref, world.proposal)
    await forge.aclose()


async def test_a_branch_of_the_same_name_in_a_fork_is_not_ours(world: World):
    """Its merge request does not pass for the proposal."""
    stranger = world.server.create_user(f"stranger{world.project.id}")
    fork = world.server.fork(world.project, f"strangers/app{world.project.id}", stranger)
    theirs = world.server.open_merge_request(
        world.project, "cloister/tests-1-abc", {"evil.py": "1\n"}, fork=fork, author=stranger
    )
    assert (await world.proposals.propose(world.ref, world.proposal)).iid != theirs.iid
