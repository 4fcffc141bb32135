"""A newer head makes running work pointless: it stops soon, posts nothing, and a burst is reviewed once."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import GitLab

DEFECT = "for i in range(len(values) + 1):\n"


@pytest_asyncio.fixture
async def debounced(
    gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path
) -> AsyncIterator[Cloister]:
    """Run Cloister with a debounce that ends when a test says so, not when the clock does."""
    settings = settings_for(gitlab, ollama_server.url, database_url, tmp_path / "data", debounce_s=600)
    async with running(settings, gitlab, ollama_server) as cloister:
        gitlab.server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
        yield cloister


def opened(gitlab: GitLab) -> MergeRequest:
    """Open a merge request with a defect."""
    return gitlab.server.open_merge_request(gitlab.project, "feature", {"a.txt": DEFECT})


def heads_asked_about(ollama: ScriptedOllama) -> set[str]:
    """Return the numbers of the pushes whose file the model was shown, ``first`` where it has none."""
    shown = [str(request["messages"]) for request in ollama.requests]
    return {found[0] if (found := re.findall(r"# push \d+", text)) else "first" for text in shown}


class Slow:
    """Answer the first prompt longer than anybody waits, and all later ones at once."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def __call__(self, request: Mapping[str, Any]) -> Reply:
        if self.asked.is_set():
            return planted_review(request)
        self.asked.set()
        return Reply(pieces=300, delay_s=2)


async def test_a_push_cancels_the_running_model_call(cloister: Cloister, gitlab: GitLab) -> None:
    """Soon after the push the model is no longer busy with the old head, of which nothing is posted."""
    cloister.ollama.script = Slow()
    merge_request = opened(gitlab)
    await cloister.until(cloister.ollama.script.asked.is_set)
    old_head = merge_request.head_sha
    gitlab.server.push(merge_request, {"a.txt": "fine\n" + DEFECT})
    await cloister.until(lambda: cloister.ollama.abandoned == 1)
    outcome = await cloister.outcome(merge_request)
    assert [("a.txt", 2)] == outcome.lines
    assert [(old_head, "superseded"), (merge_request.head_sha, "finished")] == await cloister.runs(
        merge_request
    )


async def test_closing_cancels_the_running_model_call(cloister: Cloister, gitlab: GitLab) -> None:
    """Nobody reads a review of a merge request that was closed or merged."""
    cloister.ollama.script = Slow()
    merge_request = opened(gitlab)
    await cloister.until(cloister.ollama.script.asked.is_set)
    gitlab.server.close_merge_request(merge_request)
    await cloister.until(lambda: cloister.ollama.abandoned == 1)
    await cloister.idle()
    assert [] == cloister.ours(merge_request)
    assert ["superseded"] == [state for _, state in await cloister.runs(merge_request)]


async def test_a_burst_of_pushes_is_reviewed_once_at_its_end(debounced: Cloister, gitlab: GitLab) -> None:
    """Ten pushes in a few seconds, each delivered three times, cost one finished review: that of the last head.

    Until then the gate is shut for it, and afterwards no head before it is left pending.
    """
    debounced.ollama.script = Slow()
    merge_request = opened(gitlab)
    await debounced.until(debounced.ollama.script.asked.is_set)
    for number in range(10):
        gitlab.server.push(merge_request, {"a.txt": f"# push {number}\n{DEFECT}"})
        await asyncio.sleep(0.3)
    hooks = gitlab.server.instance.core.hooks
    for delivery in list(gitlab.server.deliveries):
        hooks.resend(delivery)
        hooks.resend(delivery)
    await debounced.idle()
    assert "pending" == debounced.status(merge_request)
    gitlab.server.add_pipeline(merge_request)
    await debounced.idle()
    await debounced.fetch("UPDATE delayed_event SET due_at = now()")
    outcome = await debounced.outcome(merge_request)
    assert [("a.txt", 2)] == outcome.lines
    await debounced.idle()
    head = merge_request.head_sha
    said = [(one.pipeline.sha == head, one.state) for one in gitlab.project.statuses if not one.retried]
    assert ({(True, "success"), (False, "canceled")}, 2) == ({*said}, said.count((True, "success")))
    runs = await debounced.runs(merge_request)
    assert [merge_request.head_sha] == [head for head, state in runs if state == "finished"]
    assert heads_asked_about(debounced.ollama) == {"first", "# push 9"}


@pytest.mark.parametrize("cloister", [{"debounce_s": 600}], indirect=True)
async def test_a_single_push_does_not_wait(cloister: Cloister, gitlab: GitLab) -> None:
    """Only a push that follows another closely waits for more."""
    cloister.ollama.script = planted_review
    outcome = await cloister.outcome(opened(gitlab))
    assert [("a.txt", 1)] == outcome.lines
