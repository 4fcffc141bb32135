"""Unit tests on a merge request: asked for, written by the model, tried in the sandbox, delivered once."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.log_postgres import PostgresLog
from bot.adapters.postgres import close_pool, connect_pool
from bot.demo.gitlab import MergeRequest
from bot.demo.planted import planted_review
from bot.demo.script import Reply
from bot.domain.events import Record, TestsRequested
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.instance import instance_name
from tests.cloister import Cloister

OLD = "def total(prices):\n    return sum(prices)\n"
NEW = """def total(prices, discount=0):
    if discount >= 100:
        return 0
    return sum(prices) * (100 - discount) / 100
"""
TESTS = """import unittest

from shop import total


class TotalTest(unittest.TestCase):
    def test_the_discount_is_taken_off(self):
        self.assertEqual(total([10, 30], discount=50), 20)

    def test_a_full_discount_is_free(self):
        self.assertEqual(total([10], discount=100), 0)
"""
EXAMPLE = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_nothing(self):\n        pass\n"
SANDBOX = {"sandbox": "bubblewrap"}


@dataclass
class Model:
    """Finds nothing to review, and writes *code* as a test."""

    code: str = TESTS
    asked: int = 0

    def __call__(self, request: Mapping[str, Any]) -> Reply:
        if "tests" not in request["format"]["properties"]:
            return planted_review(request)
        self.asked += 1
        half = self.code.index("class")
        parts = [self.code[:half], self.code[half:]]
        return Reply(json.dumps({"tests": [{"code": part} for part in parts]}))


async def opened(cloister: Cloister, files: Mapping[str, str] | None = None, **options: Any) -> MergeRequest:
    """Return a reviewed merge request that changes a function."""
    server, project = cloister.gitlab.server, cloister.gitlab.project
    server.commit(project, "main", {"shop.py": OLD, "tests/test_old.py": EXAMPLE, **(files or {})})
    merge_request = server.open_merge_request(project, "feature", {"shop.py": NEW}, **options)
    await cloister.reviewed(merge_request)
    return merge_request


async def ask(
    cloister: Cloister, merge_request: MergeRequest, *, commit: bool = False, note_id: int = 7
) -> str:
    """Ask for unit tests in a new thread of the developer, as a comment would; return the discussion."""
    path = f"projects/{merge_request.project.id}/merge_requests/{merge_request.iid}/discussions"
    with cloister.gitlab.client(cloister.gitlab.server.create_token(cloister.gitlab.developer)) as client:
        discussion = str(client.post(path, json={"body": "Tests, please"}).json()["id"])
    await request(cloister, merge_request, discussion, commit=commit, note_id=note_id)
    return discussion


async def request(
    cloister: Cloister, merge_request: MergeRequest, discussion: str, *, commit: bool, note_id: int
) -> None:
    """Append the event that asks, and wait until it is handled."""
    ((run_id,),) = await cloister.fetch(
        "SELECT run_id FROM merge_request WHERE project_id = $1 AND iid = $2",
        merge_request.project.id,
        merge_request.iid,
    )
    ref = MergeRequestRef(
        instance=instance_name(cloister.gitlab.server.url),
        project_id=merge_request.project.id,
        iid=merge_request.iid,
    )
    event = TestsRequested(ref=ref, run_id=run_id, discussion_id=discussion, note_id=note_id, commit=commit)
    pool = await connect_pool(cloister.database_url, size=3)
    try:
        async with PostgresLog(pool) as log:
            await log.append([Record.of(event, id=uuid.uuid4())])
    finally:
        await close_pool(pool)
    await cloister.idle()


def answers(cloister: Cloister, merge_request: MergeRequest, discussion: str) -> list[str]:
    """Return what we said in a discussion."""
    notes = merge_request.discussions[discussion]
    return [note.body for note in notes if note.author is cloister.gitlab.bot]


def applied(body: str, at: Path) -> None:
    """Apply the patch in *body* to what is *at*."""
    patch = body.partition("```diff\n")[2].partition("```")[0]
    subprocess.run(["git", "init", "-q", str(at)], check=True)
    subprocess.run(["git", "apply", "--verbose"], cwd=at, input=patch.encode(), check=True)


@pytest.mark.parametrize("cloister", [SANDBOX], indirect=True)
async def test_tests_are_proved_and_proposed_once(cloister: Cloister, tmp_path: Path):
    """The answer says what was seen, holds a patch that applies, and leads to one merge request, asked twice or not."""
    cloister.ollama.script = model = Model()
    merge_request = await opened(cloister)
    discussion = await ask(cloister, merge_request, commit=True)
    (body,) = answers(cloister, merge_request, discussion)
    assert "2 tests passed on the head" in body
    assert "fails on the base" in body
    assert "of 5 defects put into the code on purpose" in body
    applied(body, tmp_path)
    assert (tmp_path / "tests" / "test_shop.py").read_text() == TESTS
    project = cloister.gitlab.project
    (proposed,) = [one for one in project.merge_requests.values() if one is not merge_request]
    assert (proposed.target_branch, proposed.source_branch.startswith("cloister/tests-1-")) == (
        "feature",
        True,
    )
    assert project.repository.blob(proposed.head_sha, "tests/test_shop.py") == TESTS.encode()
    assert f"/-/merge_requests/{proposed.iid}" in body
    await request(cloister, merge_request, discussion, commit=True, note_id=7)
    assert len(answers(cloister, merge_request, discussion)) == 1
    assert (len(project.merge_requests), model.asked) == (2, 1)
    assert cloister.gitlab.server.quick_actions == []
    assert cloister.gitlab.server.unknown_requests == []


async def test_nothing_is_executed_unless_that_is_switched_on(cloister: Cloister):
    """Without the sandbox the test is offered, with the words that nobody ran it; a fork gets no branch."""
    cloister.ollama.script = Model()
    server = cloister.gitlab.server
    fork = server.fork(cloister.gitlab.project, "dev/app", cloister.gitlab.developer)
    server.commit(fork, "main", {"shop.py": OLD, "tests/test_old.py": EXAMPLE})
    merge_request = server.open_merge_request(
        cloister.gitlab.project, "feature", {"shop.py": NEW}, fork=fork, author=cloister.gitlab.developer
    )
    await cloister.reviewed(merge_request)
    discussion = await ask(cloister, merge_request, commit=True)
    (body,) = answers(cloister, merge_request, discussion)
    assert "Not executed: the operator has not switched the sandbox on" in body
    assert "fork" in body
    assert "```diff" in body
    project = cloister.gitlab.project
    server.commit(project, "main", {"shop.py": OLD, "tests/test_old.py": EXAMPLE})
    within = server.open_merge_request(project, "within", {"shop.py": NEW})
    await cloister.reviewed(within)
    (body,) = answers(cloister, within, await ask(cloister, within, commit=True))
    assert "Not proposed as a merge request, because only tests that ran and passed are proposed" in body
    assert len(project.merge_requests) == 2


@pytest.mark.parametrize("cloister", [SANDBOX], indirect=True)
async def test_the_policy_may_ask_always_or_never(cloister: Cloister):
    """With `always` each review brings tests in one comment; a test that fails is shown as not working."""
    wrong = TESTS.replace("50), 20", "50), 21")
    cloister.ollama.script = Model(wrong)
    merge_request = await opened(cloister, {".cloister.yml": "review:\n  unit_tests: always\n"})
    await cloister.idle()
    delivered = [note.body for note in cloister.ours(merge_request) if "Unit tests for" in note.body]
    assert len(delivered) == 1
    assert "Does not work: 2 tests ran on the head and some failed" in delivered[0]
    server, project = cloister.gitlab.server, cloister.gitlab.project
    server.commit(project, "main", {".cloister.yml": 'review:\n  unit_tests: "off"\n'})
    server.push(merge_request, {"shop.py": NEW + "\n"})
    await cloister.reviewed(merge_request)
    discussion = await ask(cloister, merge_request, note_id=8)
    (body,) = answers(cloister, merge_request, discussion)
    assert "switched them off" in body
