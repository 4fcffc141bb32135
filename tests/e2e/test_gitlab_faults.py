"""GitLab refuses, stumbles and throttles: what was found is said all the same, and only once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from bot.demo.gitlab import Level, MergeRequest
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEFECT = "for i in range(len(values) + 1):\n"

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _behaving_again(shared_cloister: Cloister) -> Iterator[None]:
    """Take all faults back after each test."""
    yield
    shared_cloister.gitlab.server.faults.clear()


def opened(cloister: Cloister, **options: Any) -> MergeRequest:
    """Open a merge request with two defects in files of its own."""
    name = f"change-{next(_numbers)}"
    changes = {f"{name}/a.txt": DEFECT, f"{name}/b.txt": "fine\n" + DEFECT}
    return cloister.gitlab.server.open_merge_request(cloister.gitlab.project, name, changes, **options)


def both(merge_request: MergeRequest) -> list[tuple[str, int]]:
    """Return where the two defects are."""
    return [(f"{merge_request.source_branch}/a.txt", 1), (f"{merge_request.source_branch}/b.txt", 2)]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, '{"message":"400 Bad request - Note {:line_code=>[\\"can\'t be blank\\"]}"}'),
        (400, '{"message":{"note":["is too long (maximum is 1000000 characters)"]}}'),
        (413, "<html>Request Entity Too Large</html>"),
        (422, '{"message":{"base":["Position is incomplete"]}}'),
    ],
)
async def test_findings_without_a_place_go_into_the_summary(
    status: int, said: str, shared_cloister: Cloister
) -> None:
    """GitLab refuses a comment, mostly its position; nothing is lost and nothing is tried for ever."""
    shared_cloister.gitlab.server.faults.add("POST", r"/draft_notes$", status=status, body=said)
    outcome = await shared_cloister.outcome(opened(shared_cloister))
    assert len(outcome.threads) == 1
    assert "Not commented in the diff (1)" in outcome.summary
    assert "GitLab has no place for a comment there" in outcome.summary
    assert outcome.status == "success"


@pytest.mark.parametrize("path", [r"/draft_notes$", r"/draft_notes/bulk_publish$", r"/notes$"])
@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 502}, {"drop": True}])
@pytest.mark.parametrize("after_commit", [False, True])
async def test_a_write_of_unknown_outcome_is_not_repeated_blindly(
    path: str, fault: dict[str, Any], after_commit: bool, shared_cloister: Cloister
) -> None:
    """Whether GitLab did it before the answer was lost or not: each finding has one thread, the review one note."""
    shared_cloister.gitlab.server.faults.add("POST", path, after_commit=after_commit, **fault)
    merge_request = opened(shared_cloister)
    outcome = await shared_cloister.outcome(merge_request)
    assert both(merge_request) == outcome.lines
    assert merge_request.drafts == []
    assert len(shared_cloister.ours(merge_request)) == 3
    assert outcome.status == "success"


async def test_a_throttled_write_waits_as_long_as_it_is_told(shared_cloister: Cloister) -> None:
    """``Retry-After`` is obeyed to the second."""
    server = shared_cloister.gitlab.server
    merge_request = opened(shared_cloister)
    path = rf"merge_requests/{merge_request.iid}/draft_notes$"
    server.faults.add("POST", path, status=429, retry_after=2)
    outcome = await shared_cloister.outcome(merge_request)
    assert both(merge_request) == outcome.lines
    assert outcome.status == "success"
    assert server.count("POST", path, 429) == 1
    ((seconds,),) = await shared_cloister.fetch(
        "SELECT extract(epoch FROM i.done_at - i.started_at)::float8 FROM inbox i JOIN event e"
        " ON e.id = i.event_id WHERE e.stage = 'publish' AND e.key LIKE '%:' || $1::text",
        str(merge_request.iid),
    )
    assert seconds >= 2


async def test_a_token_that_may_not_set_statuses_still_reviews(shared_cloister: Cloister) -> None:
    """The status is refused with 403; the threads and the summary are there."""
    shared_cloister.gitlab.server.faults.add("POST", r"/statuses/", status=403, times=None)
    merge_request = opened(shared_cloister)
    outcome = await shared_cloister.outcome(merge_request)
    assert both(merge_request) == outcome.lines
    assert outcome.status is None


async def test_a_status_behind_the_pipelines_lock_is_set_later(shared_cloister: Cloister) -> None:
    """GitLab answers 409 while it updates the pipeline of the commit."""
    shared_cloister.gitlab.server.faults.add("POST", r"/statuses/", status=409, times=3)
    merge_request = opened(shared_cloister)
    outcome = await shared_cloister.outcome(merge_request)
    assert both(merge_request) == outcome.lines
    assert outcome.status == "success"


async def test_code_comes_through_the_api_where_git_is_closed(shared_cloister: Cloister) -> None:
    """An administrator may switch git over HTTP off; the review does not need it."""
    gitlab = shared_cloister.gitlab
    closed = gitlab.server.create_project("group/closed", members={gitlab.bot: Level.developer})
    said = "Git access over HTTP is not allowed"
    fault = gitlab.server.faults.add("GET", r"/group/closed\.git/", status=403, body=said, times=None)
    merge_request = gitlab.server.open_merge_request(closed, "change", {"a.txt": DEFECT})
    outcome = await shared_cloister.outcome(merge_request)
    assert [("a.txt", 1)] == outcome.lines
    assert outcome.status == "success"
    assert fault.hits == 1


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "GitLab refused our token"), (404, "add the account to the project")]
)
async def test_code_out_of_reach_is_said_on_the_merge_request(
    status: int, reason: str, shared_cloister: Cloister
) -> None:
    """Nobody takes a review that could not happen for a clean one."""
    gitlab = shared_cloister.gitlab
    denied = gitlab.server.create_project(f"group/denied-{status}", members={gitlab.bot: Level.developer})
    denied.git_status = status
    merge_request = gitlab.server.open_merge_request(denied, "change", {"a.txt": DEFECT})
    outcome = await shared_cloister.outcome(merge_request)
    assert [] == outcome.threads
    assert "No blocking findings" not in outcome.summary
    assert reason in outcome.summary
    assert outcome.status == "failed"


async def test_reads_that_fail_are_repeated(shared_cloister: Cloister) -> None:
    """Any read may fail for a moment: the merge request, its discussions, the git fetch."""
    faults = shared_cloister.gitlab.server.faults
    faults.add("GET", r"/merge_requests/\d+$", status=502)
    faults.add("GET", r"/discussions$", drop=True)
    faults.add("GET", r"/info/refs$", status=503)
    merge_request = opened(shared_cloister)
    outcome = await shared_cloister.outcome(merge_request)
    assert both(merge_request) == outcome.lines
    assert outcome.status == "success"


async def test_a_project_that_vanishes_ends_in_a_dead_letter(shared_cloister: Cloister) -> None:
    """There is nobody left to tell; the operator finds it, and the queue moves on."""
    gitlab = shared_cloister.gitlab
    vanishing = gitlab.server.create_project("group/vanishing", members={gitlab.bot: Level.developer})
    gitlab.server.faults.add("GET", r"/merge_requests/\d+$", status=404, times=None)
    gitlab.server.open_merge_request(vanishing, "change", {"a.txt": DEFECT})
    await shared_cloister.idle()
    rows = await shared_cloister.fetch(
        "SELECT reason FROM dead_letter WHERE record->>'key' LIKE $1", f"%:{vanishing.id}:%"
    )
    assert rows
    assert all("It does not exist" in row["reason"] for row in rows)
