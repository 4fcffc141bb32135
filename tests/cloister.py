"""A whole Cloister for tests: receiver and all consumers in this process, on a fresh database."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from bot.cli.serve import STAGES, serve
from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.settings import Settings
from tests.gitlab import GitLab

WEBHOOK_SECRET = "a webhook secret for tests"

_MARKER = re.compile(r"<!-- cloister:v1:([0-9a-f]+):[0-9a-f]+ -->\s*$")


def free_address() -> str:
    """Return a loopback address that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


@dataclass
class Cloister:
    """A running Cloister, and the merge requests as people see them."""

    settings: Settings
    gitlab: GitLab
    database_url: str

    @property
    def webhook_url(self) -> str:
        """Return where GitLab sends its hooks."""
        return f"http://{self.settings.listen}/webhooks/gitlab"

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Return rows of the database."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    async def until(self, done: Callable[[], bool], *, within_s: float = 30.0) -> None:
        """Wait until *done* says so."""
        deadline = time.monotonic() + within_s
        while not await asyncio.to_thread(done):
            assert time.monotonic() < deadline, f"not done within {within_s} s"
            await asyncio.sleep(0.05)

    async def reviewed(self, merge_request: MergeRequest, *, within_s: float = 30.0) -> None:
        """Wait until the run on the newest head of *merge_request* has ended."""
        deadline = time.monotonic() + within_s
        while True:
            rows = await self.fetch(
                "SELECT r.state FROM merge_request m JOIN review_run r ON r.id = m.run_id"
                " WHERE m.project_id = $1 AND m.iid = $2 AND r.head_sha = $3"
                " AND (r.state = 'finished' OR (r.state = 'failed' AND (r.body->>'published')::int > 0))",
                merge_request.project.id,
                merge_request.iid,
                merge_request.head_sha,
            )
            if rows:
                return
            assert time.monotonic() < deadline, f"not reviewed within {within_s} s"
            await asyncio.sleep(0.05)

    def discussions(self, merge_request: MergeRequest) -> list[dict[str, Any]]:
        """Return all discussions, as the API shows them."""
        path = (
            f"projects/{merge_request.project.id}/merge_requests/{merge_request.iid}/discussions?per_page=100"
        )
        with self.gitlab.client() as client:
            found: list[dict[str, Any]] = client.get(path).json()
        return found

    def threads(self, merge_request: MergeRequest) -> list[dict[str, Any]]:
        """Return the first notes of our resolvable threads, in order."""
        opening = [discussion["notes"][0] for discussion in self.discussions(merge_request)]
        return [note for note in opening if note["resolvable"] and _MARKER.search(note["body"])]

    def summary(self, merge_request: MergeRequest) -> str:
        """Return the body of our summary note; there is exactly one."""
        (body,) = [
            discussion["notes"][0]["body"]
            for discussion in self.discussions(merge_request)
            if "<!-- cloister:v1:summary:" in discussion["notes"][0]["body"]
        ]
        return str(body)

    def markers(self, merge_request: MergeRequest) -> list[str]:
        """Return the fingerprints of our threads; a duplicate is a comment posted twice."""
        bodies = [note["body"] for note in self.threads(merge_request)]
        return [match[1] for body in bodies if (match := _MARKER.search(body))]

    def status(self, merge_request: MergeRequest) -> str:
        """Return the state of our commit status on the head."""
        project = merge_request.project.id
        with self.gitlab.client() as client:
            found = client.get(
                f"projects/{project}/repository/commits/{merge_request.head_sha}/statuses"
            ).json()
        (state,) = [status["status"] for status in found if status["name"] == "cloister"]
        return str(state)


@pytest_asyncio.fixture
async def cloister(
    gitlab: GitLab,
    ollama_server: ScriptedOllama,
    database_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Cloister]:
    """Run Cloister on the fixture GitLab, with the scripted model; an indirect parameter changes settings."""
    changes: dict[str, Any] = getattr(request, "param", {})
    settings = Settings(
        **{
            "gitlab_url": gitlab.server.url,
            "gitlab_token": gitlab.token,
            "webhook_secret": WEBHOOK_SECRET,
            "model_url": ollama_server.url,
            "model": "deepseek-coder:6.7b",
            "model_context_tokens": 8192,
            "database_url": database_url,
            "data_dir": tmp_path / "data",
            "listen": free_address(),
        }
        | changes
    )
    running = Cloister(settings, gitlab, database_url)
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(settings, web=True, stages=STAGES, stop=stop, started=started))
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()
    gitlab.server.add_hook(gitlab.project, running.webhook_url, WEBHOOK_SECRET)
    yield running
    stop.set()
    await serving
