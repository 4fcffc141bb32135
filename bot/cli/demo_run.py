"""Play the demo: open a merge request, show its review, push the fix, show what became of it."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.domain.errors import CloisterError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from bot.demo.gitlab import GitLabServer, MergeRequest, Project, User
    from bot.settings import Settings

_SECRET = secrets.token_urlsafe(24)
_LIMIT_S = 120.0


@dataclass
class _Stage:
    """Hold what the demo runs on."""

    console: Console
    server: GitLabServer
    token: str
    project: Project
    developer: User
    database_url: str = ""
    head: dict[str, str] = field(default_factory=dict)
    #: Addresses that sign in to the pages, once.
    links: list[str] = field(default_factory=list)

    def get(self, path: str) -> Any:
        """Return what GitLab's API says at *path* of the project."""
        import httpx

        url = f"{self.server.url}/api/v4/projects/{self.project.id}/{path}"
        return httpx.get(url, headers={"PRIVATE-TOKEN": self.token}, trust_env=False).json()

    def discussions(self, merge_request: MergeRequest) -> list[dict[str, Any]]:
        """Return the discussions of *merge_request*."""
        found: list[dict[str, Any]] = self.get(f"merge_requests/{merge_request.iid}/discussions?per_page=100")
        return found


async def run(*, keep: bool) -> None:
    """Play the demo; with *keep* leave everything running until Ctrl-C."""
    from rich.console import Console

    from bot.adapters.embedded_postgres import EmbeddedPostgres
    from bot.cli.serve import STAGES
    from bot.cli.serving import Entry, serve
    from bot.demo.gitlab import GitLabServer, Level
    from bot.demo.showcase import BASE

    console = Console(highlight=False)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cloister-demo-")))
        with console.status("Starting Postgres, a GitLab-compatible server and Cloister"):
            server = stack.enter_context(GitLabServer(directory=directory / "gitlab"))
            bot, developer = (
                server.create_user("cloister-bot", "Cloister", bot=True),
                server.create_user("dora", "Dora"),
            )
            members = {bot: Level.developer, developer: Level.developer}
            project = server.create_project("shop/backend", BASE, members=members)
            stage = _Stage(console, server, server.create_token(developer), project, developer)
            stage.database_url = await stack.enter_async_context(EmbeddedPostgres(directory / "data"))
            settings = await _settings(stage, server.create_token(bot), directory, stack)
            stop, started = asyncio.Event(), asyncio.Event()
            entry = Entry(show_link=stage.links.append)
            serving = asyncio.create_task(
                serve(settings, hooks=True, stages=STAGES, stop=stop, started=started, entry=entry)
            )
            stack.push_async_callback(_finish, serving, stop)
            await _first(serving, started)
        hook_url = f"http://{settings.listen}/webhooks/gitlab"
        server.add_hook(project, hook_url, _SECRET)
        console.print(
            f"[green]Ready[/green] after {time.monotonic() - began:.1f} s: webhooks at {hook_url}\n"
        )
        await _play(stage, serving)
        if keep:
            await _keep(stage, settings, serving, stop)
        else:
            console.print("\n`cloister demo --keep` leaves all of it running, with pages to look at.")


async def _settings(stage: _Stage, token: str, directory: Path, stack: AsyncExitStack) -> Settings:
    from bot.settings import Settings

    models = await _models(stage.console, stack)
    return Settings(
        gitlab_url=stage.server.url,
        gitlab_token=token,
        webhook_secret=_SECRET,
        database_url=stage.database_url,
        data_dir=directory / "data",
        listen=_free_address(),
        # The fix is pushed as soon as the review is there; nobody watches to see it wait.
        debounce_s=0,
        **models,
    )


async def _models(console: Console, stack: AsyncExitStack) -> dict[str, Any]:
    """Return the settings of the model: the configured one if it answers, a scripted one otherwise."""
    from bot.demo.answers import answering
    from bot.demo.ollama import ScriptedOllama
    from bot.demo.planted import mended, planted_review
    from bot.domain.errors import CloisterError
    from bot.domain.records import Task
    from bot.settings import load
    from bot.wiring_models import models_of

    settings = load().settings
    models = models_of(settings)
    try:
        if models.by_task:
            await models.by_task[Task.review].identity()
            console.print(f"Model: {settings.model} at {settings.model_url}")
            return {name: value for name, value in settings if name.startswith("model")}
    except CloisterError as error:
        console.print(str(error), style="yellow", markup=False)
    finally:
        await models.close()
    console.print(
        "Model: [yellow]a scripted stand-in[/yellow] that speaks Ollama's API; its answers are canned."
    )
    scripted = stack.enter_context(ScriptedOllama(answering(planted_review, mended)))
    return {"model_url": scripted.url, "model": scripted.models[0].name}


async def _play(stage: _Stage, serving: asyncio.Task[None]) -> None:
    """Open the merge request, show its review; push the fix, show what became of it."""
    from bot.demo.show import show_discussions, show_status, show_threads_in_brief
    from bot.demo.showcase import DESCRIPTION, TITLE, access_key, fixed, planted

    console, server = stage.console, stage.server
    stage.head = planted(*access_key())
    console.rule("[bold]1. Dora opens a merge request")
    merge_request = await asyncio.to_thread(
        server.open_merge_request,
        stage.project,
        "receipts",
        stage.head,
        title=TITLE,
        description=DESCRIPTION,
        author=stage.developer,
    )
    await _watch(stage, merge_request, serving)
    first = await asyncio.to_thread(stage.discussions, merge_request)
    show_discussions(console, first, stage.head)
    show_status(console, await asyncio.to_thread(_status, stage, merge_request))

    console.print()
    console.rule("[bold]2. Dora mends it all, and the history too")
    await asyncio.to_thread(server.force_push, merge_request, fixed(), "Mend what the review found")
    await _watch(stage, merge_request, serving)
    second = await asyncio.to_thread(stage.discussions, merge_request)
    show_threads_in_brief(console, second)
    show_status(console, await asyncio.to_thread(_status, stage, merge_request))
    new = sum("<!-- cloister:" in found["notes"][0]["body"] for found in second[len(first) :])
    console.print(
        f"Posted by the second review: {new or 'nothing'} new; the summary note was edited in place."
    )


async def _watch(stage: _Stage, merge_request: MergeRequest, serving: asyncio.Task[None]) -> None:
    """Show how far the review of the newest head is, until it is published."""
    import asyncpg

    began = time.monotonic()
    connection = await asyncpg.connect(stage.database_url)
    try:
        with stage.console.status("webhook sent") as status:
            while not await _progress(connection, merge_request, status):
                if serving.done():
                    serving.result()
                if time.monotonic() - began > _LIMIT_S:
                    raise CloisterError(f"the review did not finish within {_LIMIT_S:.0f} s")
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
    calls = sum("/api/v4/" in request.path for request in stage.server.requests)
    stage.console.print(
        f"Reviewed in [bold]{time.monotonic() - began:.1f} s[/bold] after the webhook; {calls} API calls so far.\n"
    )


async def _progress(connection: Any, merge_request: MergeRequest, status: Status) -> bool:
    import json

    row = await connection.fetchrow(
        "SELECT r.state, r.body FROM merge_request m JOIN review_run r ON r.id = m.run_id"
        " WHERE m.iid = $1 AND r.head_sha = $2",
        merge_request.iid,
        merge_request.head_sha,
    )
    if row is None:
        return False
    steps = json.loads(row["body"])["steps"]
    marks = "  ".join(f"{name.removeprefix('scan:')}: {step['outcome']}" for name, step in steps.items())
    status.update(f"review {row['state']}  {marks}")
    return row["state"] in {"finished", "failed"}


def _status(stage: _Stage, merge_request: MergeRequest) -> dict[str, Any]:
    found = stage.get(f"repository/commits/{merge_request.head_sha}/statuses")
    return next(status for status in found if status["name"] == "cloister")


async def _first(serving: asyncio.Task[None], started: asyncio.Event) -> None:
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()


async def _finish(serving: asyncio.Task[None], stop: asyncio.Event) -> None:
    stop.set()
    await asyncio.gather(serving, return_exceptions=True)


async def _keep(stage: _Stage, settings: Settings, serving: asyncio.Task[None], stop: asyncio.Event) -> None:
    console = stage.console
    console.print()
    console.rule("[bold]Still running")
    places = {
        "Pages": f"{', '.join(stage.links)}\n(signs in as the operator: once, and within ten minutes)",
        "Cloister": f"http://{settings.listen}/readyz, /metrics",
        "GitLab API": f"{stage.server.url}/api/v4 (PRIVATE-TOKEN: {stage.token})\n(it has no pages: links to it lead nowhere)",
        "git": f"git clone http://dora:{stage.token}@{stage.server.url.split('//')[1]}/shop/backend.git",
        "Postgres": stage.database_url,
    }
    for name, place in places.items():
        # Whoever copies a line wants it whole, however narrow the terminal is.
        console.print(f"{name:<12} " + place.replace("\n", f"\n{'':<12} "), soft_wrap=True)
    console.print(
        "Push to the branch [bold]receipts[/bold] and it is reviewed again. Ctrl-C ends everything."
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await asyncio.wait([serving])


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"
