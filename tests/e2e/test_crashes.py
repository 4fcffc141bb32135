"""Processes, connections and tokens end at the worst moment: nothing is lost, nothing is said twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from bot.demo.script import Reply
from bot.settings import Settings
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import GitLab

DEFECT = "for i in range(len(values) + 1):\n"
SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n"
_END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
CHANGES = {"a.txt": DEFECT, "b.txt": SECRET}


@pytest.fixture
def settings(gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path) -> Settings:
    """Return the settings that every process of a test shares."""
    ollama_server.script = planted_review
    made = settings_for(gitlab, ollama_server.url, database_url, tmp_path / "data")
    gitlab.server.add_hook(gitlab.project, f"http://{made.listen}/webhooks/gitlab", WEBHOOK_SECRET)
    return made


def opened(gitlab: GitLab, name: str = "feature") -> MergeRequest:
    """Open a merge request with two defects, and something of its own: equal commits would share their status."""
    return gitlab.server.open_merge_request(gitlab.project, name, {**CHANGES, "c.txt": f"{name}\n"})


async def check(cloister: Cloister, merge_request: MergeRequest) -> None:
    """Check that the review is whole and nothing stands there twice."""
    outcome = await cloister.outcome(merge_request)
    assert [("a.txt", 1), ("b.txt", 1)] == outcome.lines
    assert outcome.status == "failed"
    assert len(cloister.ours(merge_request)) == 3
    assert merge_request.drafts == []


async def test_a_review_that_a_stop_broke_off_is_finished_by_the_next_process(
    gitlab: GitLab, ollama_server: ScriptedOllama, settings: Settings
) -> None:
    """An orderly stop leaves what is not done for later."""
    ollama_server.script = lambda _: Reply(pieces=8, delay_s=0.2)
    async with running(settings, gitlab, ollama_server) as cloister:
        merge_request = opened(gitlab)
        await cloister.until(lambda: bool(ollama_server.requests))
    ollama_server.script = planted_review
    async with running(settings, gitlab, ollama_server) as cloister:
        await cloister.idle()
        outcome = await cloister.outcome(merge_request)
    assert ("b.txt", 1) in outcome.lines
    assert outcome.status == "failed"


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `cloister up` as a process of its own, until it is killed or the block ends."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(settings.data_dir)}
    for name, value in settings.model_dump(exclude_none=True).items():
        shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        environment[f"CLOISTER_{name.upper()}"] = str(shown)
    command = [sys.executable, "-m", "bot", "up"]
    up = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield up
    finally:
        if up.returncode is None:
            up.send_signal(signal.SIGKILL)
        await up.wait()


async def listening(settings: Settings) -> None:
    """Wait until the receiver takes connections."""
    for _ in range(3000):
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    pytest.fail("the process does not listen")


async def test_killed_processes_lose_nothing_and_repeat_nothing(
    gitlab: GitLab, ollama_server: ScriptedOllama, settings: Settings
) -> None:
    """Wherever the kill hits, the last process ends with each finding said once."""
    chance = random.Random(20)
    assert settings.database_url is not None
    cloister = Cloister(settings, gitlab, settings.database_url.get_secret_value(), ollama_server)
    merge_requests = []
    # Twice only: an event that is in the hands of three processes that die is taken for the cause, and parked.
    for number in range(2):
        async with process(settings):
            await listening(settings)
            merge_requests.append(opened(gitlab, f"feature-{number}"))
            await asyncio.to_thread(gitlab.server.drain_hooks)
            await asyncio.sleep(chance.uniform(0, 1.2))
    async with process(settings):
        for merge_request in merge_requests:
            await check(cloister, merge_request)


async def test_lost_database_connections_are_only_a_pause(
    gitlab: GitLab, ollama_server: ScriptedOllama, settings: Settings
) -> None:
    """All sessions are ended again and again; the work goes on, and so do deadlines and deliveries."""
    async with running(settings, gitlab, ollama_server) as cloister:
        merge_requests = [opened(gitlab, "before")]
        await check(cloister, merge_requests[0])
        for number in range(4):
            merge_requests.append(opened(gitlab, f"feature-{number}"))
            await asyncio.to_thread(gitlab.server.drain_hooks)
            await asyncio.sleep(0.2 * number)
            await cloister.fetch(_END_SESSIONS)
        for delivery in [one for one in gitlab.server.deliveries if one.status == 503]:
            gitlab.server.instance.core.hooks.resend(delivery)
        for merge_request in merge_requests:
            await check(cloister, merge_request)
        go_on = threading.Event()
        ollama_server.script = lambda request: planted_review(request) if go_on.wait(100) else Reply()
        slow = opened(gitlab, "slow")
        await cloister.until(lambda: len(cloister.ours(slow)) == 2)
        assert "Not finished yet" in cloister.summary(slow)
        go_on.set()


async def test_work_waits_for_a_new_token(
    gitlab: GitLab, ollama_server: ScriptedOllama, settings: Settings
) -> None:
    """A revoked token stops everything and loses nothing; the log says what to do."""
    gitlab.server.revoke(gitlab.token)
    with structlog.testing.capture_logs() as logged:
        async with running(settings, gitlab, ollama_server) as cloister:
            merge_request = opened(gitlab)
            await cloister.until(lambda: any("token" in str(entry.get("error")) for entry in logged))
    assert any("set CLOISTER_GITLAB_TOKEN" in str(entry.get("error")) for entry in logged)
    assert await cloister.fetch("SELECT 1 FROM dead_letter") == []
    again = replace(gitlab, token=gitlab.server.create_token(gitlab.bot))
    renewed = settings.model_copy(update={"gitlab_token": SecretStr(again.token)})
    async with running(renewed, again, ollama_server) as cloister:
        await cloister.hurry()
        await check(cloister, merge_request)


async def test_a_token_revoked_in_the_middle_of_publishing_loses_nothing(
    gitlab: GitLab, ollama_server: ScriptedOllama, settings: Settings
) -> None:
    """The drafts that exist already are used, not repeated."""
    gitlab.server.faults.add("POST", r"/bulk_publish$", status=401)
    async with running(settings, gitlab, ollama_server) as cloister:
        merge_request = opened(gitlab)
        await cloister.until(lambda: gitlab.server.count("POST", "/bulk_publish$", 401) == 1)
        for _ in range(20):
            await cloister.hurry()
            await asyncio.sleep(0.1)
        await check(cloister, merge_request)
