"""What happens to a merge request before, during and after its review."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.demo.gitlab import GitLabServer, Level, MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import start_with_accounts

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEFECT = "for i in range(len(values) + 1):\n"
SHOP = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"


@dataclass
class Gate:
    """Keep the model from answering until the gate is opened."""

    asked: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, request: Mapping[str, Any]) -> Reply:
        """Answer like the planted review, but not before the gate is open."""
        self.asked.set()
        self.opened.wait(100)
        return planted_review(request)


@pytest.fixture
def gate(shared_cloister: Cloister) -> Iterator[Gate]:
    """Hold the model back."""
    gate = Gate()
    shared_cloister.ollama.script = gate
    yield gate
    gate.opened.set()
    shared_cloister.ollama.script = planted_review


@pytest.fixture
def template(shared_cloister: Cloister) -> Iterator[Callable[..., None]]:
    """Return a way to change webhook payloads; they are as usual again afterwards."""
    hooks = shared_cloister.gitlab.server.instance.core.hooks

    def use(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        hooks.template = change

    yield use
    hooks.template = None


def opened(cloister: Cloister, name: str, **options: Any) -> MergeRequest:
    """Open a merge request with one defect."""
    changes = options.pop("changes", {f"{name}.txt": DEFECT})
    return cloister.gitlab.server.open_merge_request(
        cloister.gitlab.project, name, changes, title=name, **options
    )


async def test_a_null_head_in_the_hook_is_looked_up(
    shared_cloister: Cloister, template: Callable[..., None]
) -> None:
    """GitLab sends ``last_commit: null`` when it cannot read the head; the API knows it."""

    def forget_head(payload: dict[str, Any]) -> dict[str, Any]:
        payload.get("object_attributes", {})["last_commit"] = None
        return payload

    template(forget_head)
    outcome = await shared_cloister.outcome(opened(shared_cloister, "null-head"))
    assert [("null-head.txt", 1)] == outcome.lines
    assert outcome.status == "success"


async def test_a_private_fork_is_reviewed_although_its_status_is_out_of_reach(
    shared_cloister: Cloister,
) -> None:
    """The code comes from the target project; a status on the fork is refused, and that is all."""
    gitlab = shared_cloister.gitlab
    fork = gitlab.server.fork(gitlab.project, "dev/private", gitlab.developer)
    outcome = await shared_cloister.outcome(
        opened(shared_cloister, "private-fork", fork=fork, author=gitlab.developer)
    )
    assert [("private-fork.txt", 1)] == outcome.lines
    assert outcome.status is None


async def test_a_fork_that_we_may_write_to_gets_its_status(shared_cloister: Cloister) -> None:
    """GitLab shows the status of a fork's pipeline only when it was set in the fork."""
    gitlab = shared_cloister.gitlab
    fork = gitlab.server.fork(gitlab.project, "dev/shared", gitlab.developer)
    gitlab.server.add_member(fork, gitlab.bot, Level.developer)
    outcome = await shared_cloister.outcome(
        opened(shared_cloister, "shared-fork", fork=fork, author=gitlab.developer)
    )
    assert [("shared-fork.txt", 1)] == outcome.lines
    assert outcome.status == "success"


async def test_a_deleted_fork_is_reviewed(shared_cloister: Cloister) -> None:
    """A merge request outlives its fork; its hooks then name no source."""
    gitlab = shared_cloister.gitlab
    hooks = gitlab.server.instance.core.hooks
    fork = gitlab.server.fork(gitlab.project, "dev/deleted", gitlab.developer)
    hooks.silent = True
    merge_request = opened(shared_cloister, "deleted-fork", fork=fork, author=gitlab.developer)
    gitlab.server.delete_project(fork)
    gitlab.server.close_merge_request(merge_request)
    hooks.silent = False
    gitlab.server.reopen(merge_request)
    outcome = await shared_cloister.outcome(merge_request)
    assert [("deleted-fork.txt", 1)] == outcome.lines


@pytest.mark.parametrize("end", ["close", "merge"])
async def test_nothing_is_posted_once_it_is_closed_or_merged(
    end: str, shared_cloister: Cloister, gate: Gate
) -> None:
    """What was found in the meantime concerns nobody any more."""
    server = shared_cloister.gitlab.server
    merge_request = opened(shared_cloister, f"ended-{end}")
    await shared_cloister.until(gate.asked.is_set)
    act = server.close_merge_request if end == "close" else server.merge
    act(merge_request)
    gate.opened.set()
    await shared_cloister.idle()
    assert [] == shared_cloister.ours(merge_request)
    assert [] == merge_request.drafts
    assert [(merge_request.head_sha, "superseded")] == await shared_cloister.runs(merge_request)


async def test_a_reopened_merge_request_is_reviewed_after_all(shared_cloister: Cloister, gate: Gate) -> None:
    """The review that the close broke off starts anew."""
    server = shared_cloister.gitlab.server
    merge_request = opened(shared_cloister, "reopened")
    await shared_cloister.until(gate.asked.is_set)
    server.close_merge_request(merge_request)
    gate.opened.set()
    await shared_cloister.idle()
    server.reopen(merge_request)
    outcome = await shared_cloister.outcome(merge_request)
    assert [("reopened.txt", 1)] == outcome.lines
    assert outcome.status == "success"


async def test_a_push_during_the_review_leaves_nothing_of_the_old_head(
    shared_cloister: Cloister, gate: Gate
) -> None:
    """Only the newest head is commented on, and its summary is the only one."""
    server = shared_cloister.gitlab.server
    merge_request = opened(shared_cloister, "pushed")
    await shared_cloister.until(gate.asked.is_set)
    head = server.push(merge_request, {"pushed.txt": "fine\n" + DEFECT})
    gate.opened.set()
    outcome = await shared_cloister.outcome(merge_request)
    await shared_cloister.idle()
    assert [("pushed.txt", 2)] == outcome.lines
    assert head[:8] in outcome.summary
    notes = [note for note in shared_cloister.ours(merge_request) if note.original_position]
    assert {head} == {note.original_position["head_sha"] for note in notes if note.original_position}
    assert ["superseded", "finished"] == [state for _, state in await shared_cloister.runs(merge_request)]


async def test_an_edited_title_is_no_reason_to_review_again(shared_cloister: Cloister) -> None:
    """The code is the same, and so is what can be said about it."""
    merge_request = opened(shared_cloister, "retitled")
    await shared_cloister.outcome(merge_request)
    shared_cloister.gitlab.server.edit(merge_request, title="Another title", description="More words")
    await shared_cloister.idle()
    assert [(merge_request.head_sha, "finished")] == await shared_cloister.runs(merge_request)


async def test_a_draft_is_left_alone_until_it_is_ready(shared_cloister: Cloister) -> None:
    """A policy may leave drafts out; the summary says so, and the review follows once it is ready."""
    gitlab = shared_cloister.gitlab
    gitlab.server.commit(gitlab.project, "no-drafts", {".cloister.yml": "review:\n  drafts: false\n"})
    merge_request = opened(shared_cloister, "drafted", target="no-drafts", draft=True)
    outcome = await shared_cloister.outcome(merge_request)
    assert [] == outcome.threads
    assert outcome.summary.startswith("**Not reviewed yet.** The policy leaves drafts out")
    assert "`drafted.txt`: the policy leaves drafts out until they are ready" in outcome.summary
    assert "running" == outcome.status
    gitlab.server.set_draft(merge_request, False)
    await shared_cloister.idle()
    outcome = await shared_cloister.outcome(merge_request)
    assert [("drafted.txt", 1)] == outcome.lines


async def test_a_new_target_branch_is_a_new_diff(shared_cloister: Cloister) -> None:
    """What the new target lacks is part of the change now, and is reviewed with it."""
    gitlab = shared_cloister.gitlab
    gitlab.server.commit(gitlab.project, "release", {"more.txt": DEFECT})
    merge_request = opened(shared_cloister, "retargeted", target="release")
    assert [("retargeted.txt", 1)] == (await shared_cloister.outcome(merge_request)).lines
    gitlab.server.edit(merge_request, target="main")
    await shared_cloister.idle()
    outcome = await shared_cloister.outcome(merge_request)
    assert [("more.txt", 1), ("retargeted.txt", 1)] == outcome.lines


async def test_a_broken_policy_is_reported_and_the_default_applies(shared_cloister: Cloister) -> None:
    """A misspelt key must not open the gate in silence."""
    gitlab = shared_cloister.gitlab
    gitlab.server.commit(gitlab.project, "misspelt", {".cloister.yml": "gate:\n  blok_at: never\n"})
    merge_request = opened(shared_cloister, "broken-policy", target="misspelt", changes={"shop.py": SHOP})
    outcome = await shared_cloister.outcome(merge_request)
    assert "`.cloister.yml`, line 2" in outcome.summary
    assert "blok" in outcome.summary
    assert "The default policy applies" in outcome.summary
    assert outcome.status == "failed"


async def test_rules_are_switched_by_the_policy(shared_cloister: Cloister) -> None:
    """A rule that is made mild does not block, and one that nobody has is named."""
    gitlab = shared_cloister.gitlab
    policy = 'rules:\n  disable: [python-sql-injecton]\n  severity: {"python-sql-*": info}\n'
    gitlab.server.commit(gitlab.project, "milder", {".cloister.yml": policy})
    merge_request = opened(shared_cloister, "milder-policy", target="milder", changes={"shop.py": SHOP})
    outcome = await shared_cloister.outcome(merge_request)
    assert "python-sql-injecton" in outcome.summary
    assert "which is no rule here" in outcome.summary
    assert outcome.status == "success"
    assert "info" in outcome.summary


async def test_a_secret_in_the_policy_is_not_repeated(shared_cloister: Cloister) -> None:
    """A complaint quotes the key that is wrong, and anything may have been pasted there."""
    gitlab, secret = shared_cloister.gitlab, f"glpat-{'q7Zt4LwX9bNc2RfK8vYd'}"
    gitlab.server.commit(gitlab.project, "pasted", {".cloister.yml": f"gate:\n  {secret}: never\n"})
    merge_request = opened(shared_cloister, "pasted-policy", target="pasted", changes={"shop.py": SHOP})
    outcome = await shared_cloister.outcome(merge_request)
    assert "`.cloister.yml`, line 2" in outcome.summary
    assert secret not in outcome.summary
    rows = await shared_cloister.fetch("SELECT body::text FROM review_run")
    assert not [row for row in rows if secret in row[0]]


async def test_the_policy_of_the_change_itself_is_ignored(shared_cloister: Cloister) -> None:
    """Nobody switches off the gate in the change that the gate is for."""
    lax = {".cloister.yml": "gate:\n  block_at: never\nreview:\n  model: false\n", "shop.py": SHOP}
    outcome = await shared_cloister.outcome(opened(shared_cloister, "own-policy", changes=lax))
    assert ("shop.py", 2) in outcome.lines
    assert outcome.status == "failed"


async def test_ten_pushes_in_any_order_are_one_review(database_url: str, tmp_path: Path) -> None:
    """Deliveries overtake each other and come twice; the newest head is reviewed, and said once."""
    with GitLabServer(hook_workers=4) as server, ScriptedOllama(script=planted_review) as ollama:
        gitlab = start_with_accounts(server)
        settings = settings_for(gitlab, ollama.url, database_url, tmp_path / "data")
        async with running(settings, gitlab, ollama) as cloister:
            server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
            merge_request = opened(cloister, "busy")
            chance = random.Random(7)
            for number in range(10):
                server.push(merge_request, {"busy.txt": "fine\n" * number + DEFECT})
                server.instance.core.hooks.resend(chance.choice(server.deliveries))
                await asyncio.sleep(chance.uniform(0, 0.3))
            for delivery in chance.sample(server.deliveries, 5):
                server.instance.core.hooks.resend(delivery)
            outcome = await cloister.outcome(merge_request)
            await cloister.idle()
            outcome = await cloister.outcome(merge_request)
            runs = await cloister.runs(merge_request)
    assert [("busy.txt", 10)] == outcome.lines
    assert merge_request.head_sha[:8] in outcome.summary
    assert outcome.status == "success"
    assert runs.count((merge_request.head_sha, "finished")) == 1
    assert server.count("POST", "/merge_requests/1/notes") == 1


@pytest.mark.parametrize("version", ["16.11"])
async def test_a_diff_that_is_still_prepared_is_waited_for(
    version: str, database_url: str, tmp_path: Path
) -> None:
    """Older releases announce a merge request before its diff is there."""
    with GitLabServer(version=version) as server, ScriptedOllama(script=planted_review) as ollama:
        gitlab = start_with_accounts(server)
        settings = settings_for(gitlab, ollama.url, database_url, tmp_path / "data")
        async with running(settings, gitlab, ollama) as cloister:
            server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
            server.prepare_delay_s = 0.4
            outcome = await cloister.outcome(opened(cloister, "unprepared"))
    assert [("unprepared.txt", 1)] == outcome.lines
