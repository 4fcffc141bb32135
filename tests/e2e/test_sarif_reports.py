"""Findings of the project's own tools join the review."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from bot.demo.gitlab import MergeRequest
from tests.cloister import Cloister

POLICY = """
gate:
  scanners: [semgrep, secrets, "sarif:lint"]
review:
  model: false
reports:
  sarif:
    - job: lint
      paths: [lint.sarif]
"""
CODE = "def total(items):\n    count = 0\n    return count\n"


def lint(*results: tuple[str, int, str]) -> dict[str, bytes]:
    """Return the artifacts of a linter that found those (path, line, level)."""
    found: list[dict[str, Any]] = [
        {
            "ruleId": "unused",
            "level": level,
            "message": {"text": "The value is never used"},
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}
            ],
        }
        for path, line, level in results
    ]
    run = {"tool": {"driver": {"name": "lint"}}, "results": found}
    return {"lint.sarif": json.dumps({"version": "2.1.0", "runs": [run]}).encode()}


def opened(cloister: Cloister, policy: str = POLICY) -> MergeRequest:
    """Return a merge request of a project with that policy."""
    server, project = cloister.gitlab.server, cloister.gitlab.project
    server.commit(project, "main", {".cloister.yml": policy, "old.py": "a = 1\nb = 2\n"})
    return server.open_merge_request(project, changes={"src/total.py": CODE, "old.py": "a = 1\nb = 3\n"})


def said(cloister: Cloister, merge_request: MergeRequest) -> str:
    """Return the summary without the marks of code."""
    return cloister.summary(merge_request).replace("`", "")


async def hurried(cloister: Cloister) -> None:
    """Let the next look at the pipeline come now, until the report is in."""
    for _ in range(1000):
        await cloister.fetch("UPDATE delayed_event SET due_at = now() WHERE kind = 'report.requested'")
        rows = await cloister.fetch("SELECT state FROM review_run ORDER BY created_at DESC LIMIT 1")
        if rows and rows[0]["state"] == "finished":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the report never came in")


async def test_a_report_joins_the_review_when_its_job_ends(cloister: Cloister):
    """The static result is visible first; the report's findings on changed lines become threads and block."""
    server = cloister.gitlab.server
    merge_request = opened(cloister)
    job = server.add_job(server.add_pipeline(merge_request), "lint")
    await cloister.until(lambda: bool(cloister.ours(merge_request)))
    assert "Not finished yet: sarif:lint" in said(cloister, merge_request)
    await cloister.until(lambda: cloister.status(merge_request) == "running")
    results = [("src/total.py", 2, "error"), ("old.py", 1, "error"), ("README.md", 1, "error")]
    server.finish_job(job, lint(*results), "failed")
    await hurried(cloister)
    outcome = await cloister.outcome(merge_request)
    assert outcome.lines == [("src/total.py", 2)]
    assert "sarif:lint" in outcome.threads[0]["body"]
    assert outcome.status == "failed"
    assert "Blocked by 1 finding" in said(cloister, merge_request)


async def test_a_mended_finding_is_resolved_by_the_next_report(cloister: Cloister):
    """A later report without the finding resolves its thread, and one with it raises it no second time."""
    server = cloister.gitlab.server
    merge_request = opened(cloister)
    server.finish_job(
        server.add_job(server.add_pipeline(merge_request), "lint"), lint(("src/total.py", 2, "note"))
    )
    await hurried(cloister)
    before = cloister.markers(merge_request)
    for artifacts in (lint(("src/total.py", 3, "note")), lint()):
        change = f"# {len(artifacts['lint.sarif'])}\n{CODE}"
        server.push(merge_request, {"src/total.py": change})
        server.finish_job(server.add_job(server.add_pipeline(merge_request), "lint"), artifacts)
        await hurried(cloister)
        await cloister.reviewed(merge_request)
        assert cloister.markers(merge_request) == before
    assert all(thread["resolved"] for thread in cloister.threads(merge_request))
    assert cloister.status(merge_request) == "success"


async def test_a_report_that_is_not_there_leaves_the_gate_shut(cloister: Cloister):
    """A job that kept nothing, and a file that is not SARIF, are named; neither counts as clean."""
    server = cloister.gitlab.server
    merge_request = opened(cloister)
    server.finish_job(server.add_job(server.add_pipeline(merge_request), "lint"), {})
    await hurried(cloister)
    outcome = await cloister.outcome(merge_request)
    assert outcome.status == "failed"
    assert "the job lint (success) has kept no lint.sarif" in said(cloister, merge_request)
    server.push(merge_request, {"src/total.py": f"#\n{CODE}"})
    pipeline = server.add_pipeline(merge_request)
    server.finish_job(server.add_job(pipeline, "lint"), {"lint.sarif": b"<html>"})
    await hurried(cloister)
    outcome = await cloister.outcome(merge_request)
    assert "not JSON" in said(cloister, merge_request)
    assert outcome.status == "failed"


async def test_a_report_outside_the_gate_decides_nothing(cloister: Cloister):
    """Unless the policy names it in the gate, a missing report does not block."""
    server = cloister.gitlab.server
    merge_request = opened(cloister, POLICY.replace(', "sarif:lint"', ""))
    server.finish_job(server.add_job(server.add_pipeline(merge_request), "lint"), {})
    await hurried(cloister)
    outcome = await cloister.outcome(merge_request)
    assert outcome.status == "success"
    assert "has kept no lint.sarif" in said(cloister, merge_request)
