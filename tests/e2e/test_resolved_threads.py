"""Where a project merges only with all threads resolved, ours keep nothing from merging that the gate lets pass."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from bot.demo.gitlab import Level, MergeRequest
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
ADVICE = "gate: {block_at: never}\n"

_numbers = itertools.count(1)


def merging_with_all_resolved(cloister: Cloister, *, policy: str = "", resolved: bool = True) -> Any:
    """Make a project that has this policy and asks for resolved threads and a pipeline that passed."""
    gitlab = cloister.gitlab
    files = {"README.md": "# App\n"} | ({".cloister.yml": policy} if policy else {})
    members = {gitlab.bot: 30, gitlab.developer: 30}
    project = gitlab.server.create_project(f"group/threads-{next(_numbers)}", files, members=members)
    project.only_allow_merge_if_all_discussions_are_resolved = resolved
    project.only_allow_merge_if_pipeline_succeeds = True
    return project


async def reviewed(cloister: Cloister, project: Any) -> MergeRequest:
    """Open a merge request with one flaw and return it when it is reviewed, with one thread on the line."""
    merge_request = cloister.gitlab.server.open_merge_request(project, "change", {"app.py": FLAW})
    outcome = await cloister.outcome(merge_request)
    assert [("app.py", 2)] == outcome.lines
    return merge_request


def state(cloister: Cloister, merge_request: MergeRequest) -> tuple[str, list[bool]]:
    """Return whether it can be merged, and for each of our threads whether it is resolved."""
    path = f"projects/{merge_request.project.id}/merge_requests/{merge_request.iid}"
    with cloister.gitlab.client() as client:
        shown = client.get(path).json()
    return shown["detailed_merge_status"], [thread["resolved"] for thread in cloister.threads(merge_request)]


async def test_advice_keeps_nothing_from_merging(shared_cloister: Cloister) -> None:
    """Its thread is at the line, resolved; the summary and the status are nothing to resolve."""
    merge_request = await reviewed(shared_cloister, merging_with_all_resolved(shared_cloister, policy=ADVICE))
    assert ("mergeable", [True]) == state(shared_cloister, merge_request)
    assert "are resolved at once" in shared_cloister.summary(merge_request)
    notes = len(merge_request.notes)
    shared_cloister.gitlab.server.push(merge_request, {"other.py": "x = 1\n"})
    await shared_cloister.outcome(merge_request)
    assert ("mergeable", [True], notes) == (*state(shared_cloister, merge_request), len(merge_request.notes))


async def test_who_opens_such_a_thread_again_keeps_it_open(shared_cloister: Cloister) -> None:
    """People decide about threads that they touched."""
    gitlab = shared_cloister.gitlab
    merge_request = await reviewed(shared_cloister, merging_with_all_resolved(shared_cloister, policy=ADVICE))
    (note,) = [note for note in shared_cloister.ours(merge_request) if note.resolvable]
    gitlab.server.resolve(merge_request, note.discussion_id, user=gitlab.developer, resolved=False)
    gitlab.server.push(merge_request, {"other.py": "x = 1\n"})
    await shared_cloister.outcome(merge_request)
    assert ("discussions_not_resolved", [False]) == state(shared_cloister, merge_request)


async def test_what_blocks_stays_open_until_it_is_mended(shared_cloister: Cloister) -> None:
    """With the gate that fails; when the policy lets it pass, the next review resolves the thread without a word."""
    gitlab = shared_cloister.gitlab
    project = merging_with_all_resolved(shared_cloister)
    merge_request = await reviewed(shared_cloister, project)
    assert ("ci_must_pass", [False]) == state(shared_cloister, merge_request)
    project.only_allow_merge_if_pipeline_succeeds = False
    assert ("discussions_not_resolved", [False]) == state(shared_cloister, merge_request)
    gitlab.server.commit(project, "main", {".cloister.yml": ADVICE})
    gitlab.server.push(merge_request, {"other.py": "x = 1\n"})
    await shared_cloister.outcome(merge_request)
    assert ("mergeable", [True]) == state(shared_cloister, merge_request)
    gitlab.server.commit(project, "main", {".cloister.yml": "gate: {block_at: high}\n"})
    gitlab.server.push(merge_request, {"third.py": "x = 1\n"})
    await shared_cloister.outcome(merge_request)
    assert ("discussions_not_resolved", [False]) == state(shared_cloister, merge_request)
    (thread,) = [note for note in shared_cloister.ours(merge_request) if note.resolvable]
    assert thread.resolved_at is None


async def test_the_thread_of_a_waived_finding_is_resolved_until_the_waiver_ends(
    shared_cloister: Cloister,
) -> None:
    """Though somebody has answered there, since that is where a waiver is granted."""
    server, project = shared_cloister.gitlab.server, merging_with_all_resolved(shared_cloister)
    lead = server.create_user(f"threads-lead{next(_numbers)}")
    server.add_member(project, lead, Level.maintainer)
    merge_request = await reviewed(shared_cloister, project)
    (note,) = [note for note in shared_cloister.ours(merge_request) if note.resolvable]
    for words, status, open_ in (
        ("waive for 2 weeks because the table is read-only", "mergeable", False),
        ("unwaive", "ci_must_pass", True),
    ):
        server.reply(merge_request, note.discussion_id, f"@cloister {words}", user=lead)
        await shared_cloister.idle()
        assert (status, [not open_]) == state(shared_cloister, merge_request)


async def test_auto_merge_waits_for_what_blocks_and_not_for_advice(shared_cloister: Cloister) -> None:
    """A person has set it before the review ended: the failed status holds it, the mended head goes in."""
    server, project = shared_cloister.gitlab.server, merging_with_all_resolved(shared_cloister)
    merge_request = server.open_merge_request(project, "change", {"app.py": FLAW})
    for text, state, ends in ((FLAW, "opened", "failed"), ("x = 1\n", "merged", "success")):
        if text != FLAW:
            server.push(merge_request, {"app.py": text})
        job = server.add_job(server.add_pipeline(merge_request), "tests")
        server.auto_merge(merge_request)
        outcome = await shared_cloister.outcome(merge_request)
        assert (ends, "opened") == (outcome.status, merge_request.state)
        server.finish_job(job, {})
        assert state == merge_request.state


@pytest.mark.parametrize(
    ("policy", "resolved", "expected"),
    [
        (
            "gate: {block_at: never}\ncomments: {block_merge: always}\n",
            True,
            ("discussions_not_resolved", [False]),
        ),
        ("comments: {block_merge: never}\n", True, ("ci_must_pass", [True])),
        (ADVICE, False, ("mergeable", [False])),
    ],
    ids=["always", "never", "a project that does not mind"],
)
async def test_the_policy_says_which_threads_stay_open(
    shared_cloister: Cloister, policy: str, resolved: bool, expected: tuple[str, list[bool]]
) -> None:
    """All, or none; and nothing is resolved where nobody asks for it."""
    project = merging_with_all_resolved(shared_cloister, policy=policy, resolved=resolved)
    merge_request = await reviewed(shared_cloister, project)
    assert expected == state(shared_cloister, merge_request)
