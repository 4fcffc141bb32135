"""A whole Cloister for tests: receiver and all consumers in this process, on a fresh database."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from bot.adapters.model_chat import Deadlines
from bot.cli.serve import STAGES
from bot.cli.serving import serve
from bot.demo.answers import answering
from bot.demo.gitlab import GitLabServer, MergeRequest
from bot.demo.gitlab.state import Note
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import mended, planted_review
from bot.settings import Settings
from tests.gitlab import GitLab, start_with_accounts
from tests.ports import free_address
from tests.postgres import create_database
from tests.waiting import PATIENCE_S, until, until_it_holds

WEBHOOK_SECRET = "a webhook secret for tests"

#: Longer than any retry in place takes, shorter than any deadline of a run.
_SOON_S = 30

_MARKER = re.compile(r"<!-- cloister:v1:([0-9a-f]+):[0-9a-f]+ -->\s*$")


def _none(answer: object) -> bool:
    return not answer


@dataclass(frozen=True)
class Outcome:
    """What people see of a review: the summary note, our threads and the commit status."""

    summary: str
    threads: list[dict[str, Any]]
    status: str | None

    @property
    def lines(self) -> list[tuple[str, int]]:
        """Return where the threads stand."""
        places = (thread["position"] for thread in self.threads)
        return sorted((place["new_path"], place["new_line"]) for place in places)


@dataclass
class Cloister:
    """A running Cloister, and the merge requests as people see them."""

    settings: Settings
    gitlab: GitLab
    database_url: str
    ollama: ScriptedOllama

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

    async def until(self, done: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
        """Wait until *done* says so."""
        await until_it_holds(done, "not done", within_s=within_s)

    async def reviewed(self, merge_request: MergeRequest, *, within_s: float = PATIENCE_S) -> None:
        """Wait until the run on the newest head of *merge_request* has ended."""
        await until(
            lambda: self.fetch(
                "SELECT r.state FROM merge_request m JOIN review_run r ON r.id = m.run_id"
                " WHERE m.project_id = $1 AND m.iid = $2 AND r.head_sha = $3"
                " AND (r.state = 'finished' OR (r.state = 'failed' AND (r.body->>'published')::int > 0))",
                merge_request.project.id,
                merge_request.iid,
                merge_request.head_sha,
            ),
            "not reviewed",
            within_s=within_s,
        )

    async def idle(self, *, within_s: float = PATIENCE_S) -> None:
        """Wait until every event is handled, those that come back soon included."""
        await asyncio.to_thread(self.gitlab.server.drain_hooks)
        await until(self._open_events, "not all events handled", wanted=_none, within_s=within_s)

    async def counted(self) -> None:
        """Wait until everything is handled, labelled and in the figures."""
        await self.idle()
        due = "SELECT FROM label_due UNION ALL SELECT FROM rollup_due LIMIT 1"
        await until(lambda: self.fetch(due), "not counted", wanted=_none)

    async def _open_events(self) -> int:
        ((count,),) = await self.fetch(
            "SELECT (SELECT count(*) FROM event e LEFT JOIN inbox i"
            " ON i.event_id = e.id AND i.consumer_group = e.stage WHERE i.done_at IS NULL)"
            " + (SELECT count(*) FROM delayed_event WHERE due_at < now() + make_interval(secs => $1))",
            _SOON_S,
        )
        return int(count)

    async def hurry(self) -> None:
        """Let everything that waits for another try have it now."""
        await self.fetch("UPDATE delayed_event SET due_at = now() WHERE attempt > 0")

    async def runs(self, merge_request: MergeRequest) -> list[tuple[str, str]]:
        """Return head and state of all runs, oldest first."""
        rows = await self.fetch(
            "SELECT head_sha, state FROM review_run WHERE project_id = $1 AND iid = $2 ORDER BY created_at",
            merge_request.project.id,
            merge_request.iid,
        )
        return [(row["head_sha"], row["state"]) for row in rows]

    def ours(self, merge_request: MergeRequest) -> list[Note]:
        """Return all notes that we wrote."""
        return [note for note in merge_request.notes if note.author is self.gitlab.bot and not note.system]

    async def outcome(self, merge_request: MergeRequest, *, within_s: float = PATIENCE_S) -> Outcome:
        """Wait for the review of the newest head and return what people see; nothing may have gone wrong."""
        await self.reviewed(merge_request, within_s=within_s)
        assert self.gitlab.server.unknown_requests == []
        assert self.gitlab.server.quick_actions == []
        markers = self.markers(merge_request)
        assert sorted(set(markers)) == sorted(markers)
        return Outcome(
            self.summary(merge_request), self.threads(merge_request), self.status_of(merge_request)
        )

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
            if discussion["notes"][0]["body"].splitlines()[-1].startswith("<!-- cloister:v1:summary:")
        ]
        return str(body)

    def markers(self, merge_request: MergeRequest) -> list[str]:
        """Return the fingerprints of our threads; a duplicate is a comment posted twice."""
        bodies = [note["body"] for note in self.threads(merge_request)]
        return [match[1] for body in bodies if (match := _MARKER.search(body))]

    def status(self, merge_request: MergeRequest) -> str:
        """Return the state of our commit status on the head."""
        state = self.status_of(merge_request)
        assert state is not None
        return state

    def status_of(self, merge_request: MergeRequest) -> str | None:
        """Return the state of our commit status on the head, None if there is none."""
        home = merge_request.source_project or merge_request.project
        return next(
            (
                status.state
                for status in reversed(home.statuses)
                if status.name == "cloister"
                and status.pipeline.sha == merge_request.head_sha
                and not status.retried
            ),
            None,
        )


def settings_for(
    gitlab: GitLab, model_url: str | None, database_url: str, data_dir: Path, **changes: Any
) -> Settings:
    """Return settings for Cloister on *gitlab*, each of *changes* instead of the usual value."""
    usual = {
        "gitlab_url": gitlab.server.url,
        "gitlab_token": gitlab.token,
        "webhook_secret": WEBHOOK_SECRET,
        "model_url": model_url,
        "model": "deepseek-coder:6.7b",
        "model_context_tokens": 8192,
        "model_parallel": 8,
        "database_url": database_url,
        "data_dir": data_dir,
        "listen": free_address(),
        "debounce_s": 0,
    }
    return Settings(**usual | changes)


@asynccontextmanager
async def running(
    settings: Settings, gitlab: GitLab, ollama: ScriptedOllama, *, deadlines: Deadlines | None = None
) -> AsyncIterator[Cloister]:
    """Run Cloister while the block lasts, and stop it in an orderly way."""
    assert settings.database_url is not None
    cloister = Cloister(settings, gitlab, settings.database_url.get_secret_value(), ollama)
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        serve(settings, hooks=True, stages=STAGES, stop=stop, started=started, deadlines=deadlines)
    )
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()
    try:
        yield cloister
    finally:
        stop.set()
        await serving


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
    settings = settings_for(gitlab, ollama_server.url, database_url, tmp_path / "data", **changes)
    async with running(settings, gitlab, ollama_server) as cloister:
        gitlab.server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
        yield cloister


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_cloister(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cloister]:
    """Run one Cloister for all tests of a module, each on merge requests of its own; the model sees planted defects.

    Such a module runs on one event loop: ``pytestmark = pytest.mark.asyncio(loop_scope="module")``.
    """
    url = await create_database(postgres_server, f"test_{uuid.uuid4().hex[:12]}", migrated_template)
    data_dir = tmp_path_factory.mktemp("cloister")
    with GitLabServer() as server, ScriptedOllama(script=answering(planted_review, mended)) as ollama:
        gitlab = start_with_accounts(server)
        settings = settings_for(gitlab, ollama.url, url, data_dir, concurrency=8)
        async with running(settings, gitlab, ollama) as cloister:
            server.add_hook(gitlab.project.group, cloister.webhook_url, WEBHOOK_SECRET)
            yield cloister
