"""`cloister gate --wait` in a job, against the server that reviews its merge request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.pipelines import Job
from tests.cloister import Cloister
from tests.unit.cli.command import run

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may themselves run in a job of GitLab's, whose variables would count."""
    for name in ("CI_OPEN_MERGE_REQUESTS", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CLOISTER_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def job_of(cloister: Cloister, merge_request: MergeRequest, *, merged: bool = False) -> Job:
    """Start a pipeline of the merge request, and a job in it."""
    server = cloister.gitlab.server
    return server.add_job(server.add_pipeline(merge_request, merged=merged), "cloister-gate")


async def gate(
    cloister: Cloister, merge_request: MergeRequest, job: Job, *arguments: str, **environ: str
) -> Any:
    """Run the gate with the variables of *job*, and return what came of it."""
    variables: dict[str, str | None] = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_COMMIT_SHA": job.pipeline.sha,
        "CI_PROJECT_ID": str(merge_request.project.id),
        "CI_MERGE_REQUEST_PROJECT_ID": str(merge_request.project.id),
        "CI_MERGE_REQUEST_IID": str(merge_request.iid),
        "CI_JOB_TOKEN": job.token,
        **environ,
    }
    server = f"http://{cloister.settings.listen}"
    return await asyncio.to_thread(run, "gate", "--wait", "--server", server, *arguments, **variables)


async def test_a_job_waits_for_its_verdict_and_a_train_need_not(shared_cloister: Cloister) -> None:
    """From before the webhook was worked off to a head that passes; then at once, for a commit that GitLab made."""
    gitlab = shared_cloister.gitlab
    merge_request = gitlab.server.open_merge_request(gitlab.project, "waiting", {"app.py": FLAW})
    blocked = await gate(shared_cloister, merge_request, job_of(shared_cloister, merge_request))
    assert 1 == blocked.exit_code, blocked.output
    assert "app.py:2" in blocked.stdout
    head = gitlab.server.push(merge_request, {"app.py": "x = 1\n"})
    passed = await gate(shared_cloister, merge_request, job_of(shared_cloister, merge_request))
    assert 0 == passed.exit_code, passed.output
    assert f"cloister gate: passed (commit {head[:8]} of merge request !{merge_request.iid}" in passed.stdout
    train = job_of(shared_cloister, merge_request, merged=True)
    assert head != train.pipeline.sha
    boarded = await gate(
        shared_cloister, merge_request, train, "--timeout", "5", CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=head
    )
    # Nothing was to be waited for, so nothing was said about it.
    assert (0, "") == (boarded.exit_code, boarded.stderr)


async def test_a_job_of_somebody_else_learns_nothing(shared_cloister: Cloister) -> None:
    """One of another project hears of no such head, one that has ended is not accepted."""
    gitlab = shared_cloister.gitlab
    merge_request = gitlab.server.open_merge_request(gitlab.project, "private", {"b.py": "x = 1\n"})
    await shared_cloister.outcome(merge_request)
    other = gitlab.server.create_project("group/elsewhere", {"a": ""}, members={gitlab.developer: 30})
    theirs = job_of(
        shared_cloister, gitlab.server.open_merge_request(other, "c", {"c": "c"}, author=gitlab.developer)
    )
    ours = job_of(shared_cloister, merge_request)
    sha = {"CI_COMMIT_SHA": merge_request.head_sha}
    unheard = await gate(shared_cloister, merge_request, theirs, "--timeout", "1", **sha)
    assert (3, True) == (unheard.exit_code, "has no review of it" in unheard.stdout)
    gitlab.server.finish_job(ours, {})
    refused = await gate(shared_cloister, merge_request, ours)
    assert (2, True) == (refused.exit_code, "CLOISTER_API_TOKEN" in refused.stderr)
