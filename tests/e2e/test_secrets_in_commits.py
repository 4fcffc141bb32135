"""A secret that a branch has taken back is still in its commits, and nobody is told otherwise."""

from __future__ import annotations

import pytest

from bot.demo.gitlab import Level, MergeRequest
from bot.demo.gitlab.state import Project
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n"
OTHER = f"token: glpat-{'Wm3Kp8RtY6vQz1HsJ5dA'}\n"
TITLE = "GitLab personal access token committed"


def in_commit(sha: str) -> str:
    return f"in commit `{sha[:8]}` of this branch, no longer at the head"


def branch_with_a_past(cloister: Cloister, project: Project, name: str) -> tuple[MergeRequest, str]:
    """Open a merge request whose first commit adds a secret that its second one takes back."""
    server = cloister.gitlab.server
    sha = server.commit(
        project, name, {"settings.yml": f"a: 1\n{SECRET}", "more.txt": "more\n"}, start="main"
    )
    server.commit(project, name, {"settings.yml": "a: 1\nb: 2\n"})
    return server.open_merge_request(project, name), sha


@pytest.mark.parametrize("closed", [False, True], ids=["git", "api"])
async def test_a_secret_that_came_and_went_is_found(shared_cloister: Cloister, closed: bool) -> None:
    """It blocks, the summary names the commit and links there, and there is no thread on a line that is not there."""
    gitlab = shared_cloister.gitlab
    path = f"group/past-{'closed' if closed else 'open'}"
    project = gitlab.server.create_project(path, {"README.md": "x\n"}, members={gitlab.bot: Level.developer})
    if closed:
        said = "Git access over HTTP is not allowed"
        gitlab.server.faults.add("GET", rf"/{path}\.git/", status=403, body=said, times=None)
    merge_request, sha = branch_with_a_past(shared_cloister, project, "past")
    outcome = await shared_cloister.outcome(merge_request)
    assert [] == outcome.threads
    assert "failed" == outcome.status
    for text in (TITLE, in_commit(sha), "settings.yml:2", f"/-/blob/{sha}/settings.yml#L2", "Blocked by"):
        assert text in outcome.summary
    assert SECRET.split()[1] not in outcome.summary


async def test_nothing_at_all_at_the_head_hides_nothing(shared_cloister: Cloister) -> None:
    """The diff of the merge request may be empty, its commits are looked at all the same."""
    gitlab = shared_cloister.gitlab
    sha = gitlab.server.commit(gitlab.project, "undone", {"new.txt": SECRET}, start="main")
    gitlab.server.commit(gitlab.project, "undone", {"new.txt": None})
    outcome = await shared_cloister.outcome(gitlab.server.open_merge_request(gitlab.project, "undone"))
    assert in_commit(sha) in outcome.summary
    assert "failed" == outcome.status


async def test_a_thread_stays_open_while_the_secret_is_in_the_branch(shared_cloister: Cloister) -> None:
    """Taking the secret out of the file mends nothing; a branch without the commit does."""
    gitlab = shared_cloister.gitlab
    merge_request = gitlab.server.open_merge_request(gitlab.project, "thread", {"settings.yml": SECRET})
    sha = merge_request.head_sha
    assert [("settings.yml", 1)] == (await shared_cloister.outcome(merge_request)).lines
    for changes in ({"settings.yml": "a: 1\n"}, {"settings.yml": None, "other.txt": "x\n"}):
        gitlab.server.push(merge_request, changes)
        outcome = await shared_cloister.outcome(merge_request)
        assert [False] == [thread["resolved"] for thread in outcome.threads]
        assert in_commit(sha) in outcome.summary
        assert "failed" == outcome.status
    gitlab.server.force_push(merge_request, {"settings.yml": "a: 1\n"})
    outcome = await shared_cloister.outcome(merge_request)
    assert [True] == [thread["resolved"] for thread in outcome.threads]
    assert TITLE not in outcome.summary
    assert "success" == outcome.status


async def test_a_rebase_keeps_the_thread(shared_cloister: Cloister) -> None:
    """Other commits, the same secret: it is known again, at the head and in the past."""
    gitlab = shared_cloister.gitlab
    gitlab.server.commit(gitlab.project, "base-one", {"x.txt": "1\n"}, start="main")
    merge_request = gitlab.server.open_merge_request(
        gitlab.project, "rebased", {"settings.yml": SECRET}, target="base-one"
    )
    first = await shared_cloister.outcome(merge_request)
    gitlab.server.force_push(merge_request, {"settings.yml": f"# moved\n\n{SECRET}"})
    second = await shared_cloister.outcome(merge_request)
    assert [thread["id"] for thread in first.threads] == [thread["id"] for thread in second.threads]
    gitlab.server.push(merge_request, {"settings.yml": "# gone\n"})
    third = await shared_cloister.outcome(merge_request)
    assert [(thread["id"], False) for thread in first.threads] == [
        (thread["id"], thread["resolved"]) for thread in third.threads
    ]


async def test_what_the_target_branch_has_is_not_the_branchs_doing(shared_cloister: Cloister) -> None:
    """A secret that was there before may be moved, taken out and put back; merging the target adds nothing."""
    gitlab = shared_cloister.gitlab
    server, project = gitlab.server, gitlab.project
    server.commit(project, "leaky", {"old.yml": f"a: 1\n{SECRET}b: 2\n"}, start="main")
    server.commit(project, "innocent", {"x.txt": "1\n"}, start="leaky")
    for changes in (
        {"old.yml": "a: 1\nb: 2\n", "moved.yml": SECRET},
        {"moved.yml": None},
        {"old.yml": f"a: 1\nb: 2\n{SECRET}"},
        {"old.yml": "a: 1\nb: 2\n"},
    ):
        server.commit(project, "innocent", changes)
    tip = server.commit(project, "leaky", {"new.yml": OTHER})
    own = project.repository.branch("innocent")
    assert own is not None
    merged = server.merge_into(project, "innocent", tip, {"new.yml": OTHER})
    server.commit(project, "innocent", {"new.yml": "clean: 1\n"})
    assert merged != own
    outcome = await shared_cloister.outcome(server.open_merge_request(project, "innocent", target="leaky"))
    assert "No blocking findings" in outcome.summary
    assert TITLE not in outcome.summary


async def test_a_secret_that_a_merge_slips_in_is_found(shared_cloister: Cloister) -> None:
    """A merge is looked at for what neither side has."""
    gitlab = shared_cloister.gitlab
    server, project = gitlab.server, gitlab.project
    server.commit(project, "slippery", {"x.txt": "1\n"}, start="main")
    tip = server.commit(project, "trunk", {"y.txt": "1\n"}, start="main")
    merged = server.merge_into(project, "slippery", tip, {"y.txt": "1\n", "x.txt": f"1\n{SECRET}"})
    server.commit(project, "slippery", {"x.txt": "1\n"})
    outcome = await shared_cloister.outcome(server.open_merge_request(project, "slippery", target="trunk"))
    assert in_commit(merged) in outcome.summary
    assert "failed" == outcome.status
