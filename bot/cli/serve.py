"""`cloister up`, `web` and `consume`: the long-running commands."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import settings_of

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from bot.adapters.model_ollama import Deadlines
    from bot.settings import Settings
    from bot.wiring import Base

STAGES = ("intake", "fetch", "scan", "review", "collect", "publish")


def up(
    ctx: typer.Context,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Overrides CLOISTER_LISTEN.")
    ] = None,
) -> None:
    """Run everything in one process: receiver, consumers and, unless a database is configured, Postgres.

    Example: CLOISTER_GITLAB_URL=https://gitlab.example CLOISTER_GITLAB_TOKEN=... CLOISTER_WEBHOOK_SECRET=...
    cloister up
    """
    settings = settings_of(ctx, listen=listen)
    settings.require("gitlab_url", "gitlab_token", "webhook_secret")
    _run(settings, web=True, stages=STAGES)


def web(
    ctx: typer.Context,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Overrides CLOISTER_LISTEN.")
    ] = None,
) -> None:
    """Run the webhook receiver alone, on a shared database.

    Example: CLOISTER_DATABASE_URL=postgresql://cloister@db.example/cloister cloister web
    """
    settings = settings_of(ctx, listen=listen)
    settings.require("gitlab_url", "webhook_secret", "database_url")
    _run(settings, web=True, stages=())


def consume(
    ctx: typer.Context,
    stages: Annotated[
        list[str], typer.Argument(metavar="STAGE...", help=f"Of: {', '.join(STAGES)}, or all.")
    ],
) -> None:
    """Run the consumers of some stages, on a shared database; more processes share the work.

    Example: cloister consume scan review
    """
    wanted = tuple(STAGES) if stages == ["all"] else tuple(dict.fromkeys(stages))
    if unknown := sorted(set(wanted) - set(STAGES)):
        raise typer.BadParameter(
            f"no such stage: {', '.join(unknown)}; there are {', '.join(STAGES)} and all"
        )
    settings = settings_of(ctx)
    settings.require("gitlab_url", "gitlab_token", "database_url")
    _run(settings, web=False, stages=wanted)


def _run(settings: Settings, *, web: bool, stages: tuple[str, ...]) -> None:
    from bot.adapters.telemetry import configure_logging

    configure_logging(level=settings.log_level, json=settings.log_format == "json")
    asyncio.run(_serve(settings, web=web, stages=stages))


async def _serve(settings: Settings, *, web: bool, stages: tuple[str, ...]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, web=web, stages=stages, stop=stop)


async def serve(
    settings: Settings,
    *,
    web: bool,
    stages: tuple[str, ...],
    stop: asyncio.Event,
    started: asyncio.Event | None = None,
    deadlines: Deadlines | None = None,
) -> None:
    """Run the receiver and consumers in this event loop until *stop* is set.

    Args:
        settings: complete for what is to run.
        web: whether to listen for webhooks.
        stages: names of the stages to consume.
        stop: ends everything in an orderly way.
        started: set when webhooks are accepted and consumers read.
        deadlines: how long the model may take for an answer; None for the usual.
    """
    async with AsyncExitStack() as stack:
        database_url = await _database(settings, stack)
        from bot.domain.events import Stage
        from bot.wiring import base, run_consumers

        parts = await stack.enter_async_context(base(settings, database_url))
        async with asyncio.TaskGroup() as group:
            if stages:
                wanted = [Stage(stage) for stage in stages]
                group.create_task(run_consumers(parts, wanted, stop, deadlines=deadlines))
            if web:
                group.create_task(_listen(parts, stop, started))
            elif started is not None:
                started.set()


async def _database(settings: Settings, stack: AsyncExitStack) -> str:
    """Return the URL of a database with the newest schema; start our own Postgres if none is configured."""
    from bot.adapters import migrations

    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
    else:
        from bot.adapters.embedded_postgres import EmbeddedPostgres

        url = await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))
    await asyncio.to_thread(migrations.upgrade, url)
    return url


async def _listen(parts: Base, stop: asyncio.Event, started: asyncio.Event | None) -> None:
    import structlog

    from bot.web.app import application
    from bot.web.receiver import receiver

    settings = parts.settings
    hooks = receiver(
        parts.log,
        [secret.encode() for secret in settings.webhook_secrets],
        parts.instance,
        parts.clock,
        trace=parts.telemetry.trace_context,
    )
    app = application(
        hooks, telemetry=parts.telemetry, exposition=parts.telemetry.exposition, ready=parts.ready
    )
    listening = asyncio.Event()
    server = _server(app, settings.host, settings.port, listening)
    serving = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(listening.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if listening.is_set():
        structlog.get_logger().info("ready", listen=settings.listen, gitlab=str(settings.gitlab_url))
        if started is not None:
            started.set()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
    stop.set()


def _server(app: ASGIApp, host: str, port: int, listening: asyncio.Event) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Say when connections are accepted."""
            await super().startup(sockets)
            listening.set()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave the signals to the command, which has more than the server to stop."""
            yield

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    return Server(config)
