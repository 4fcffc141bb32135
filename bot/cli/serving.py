"""Run the receiver and the consumers in one event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from bot.domain.errors import CloisterError, Permanent

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from bot.adapters.model_ollama import Deadlines
    from bot.settings import Settings
    from bot.wiring import Base


async def serve_until_signalled(
    settings: Settings, *, hooks: bool, stages: tuple[str, ...], listen: bool
) -> None:
    """Run until SIGINT or SIGTERM, then stop in an orderly way; see `serve`."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, hooks=hooks, stages=stages, listen=listen, stop=stop)


async def serve(
    settings: Settings,
    *,
    hooks: bool,
    stages: tuple[str, ...],
    stop: asyncio.Event,
    listen: bool = True,
    started: asyncio.Event | None = None,
    deadlines: Deadlines | None = None,
) -> None:
    """Run the receiver and consumers in this event loop until *stop* is set.

    Args:
        settings: complete for what is to run.
        hooks: whether to take webhooks.
        stages: names of the stages to consume.
        stop: ends everything in an orderly way.
        listen: whether to serve HTTP at all: webhooks, health and metrics.
        started: set when webhooks are accepted and consumers read.
        deadlines: how long the model may take for an answer; None for the usual.
    """
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(_bind(settings)) if listen else None
        database_url = await _database(settings, stack)
        from bot.domain.events import Stage
        from bot.wiring import base, run_consumers

        parts = await stack.enter_async_context(base(settings, database_url))
        async with _plain_errors(), asyncio.TaskGroup() as group:
            if stages:
                wanted = [Stage(stage) for stage in stages]
                group.create_task(run_consumers(parts, wanted, stop, deadlines=deadlines))
            if bound is not None:
                group.create_task(_listen(parts, bound, stop, started, hooks=hooks))
            elif started is not None:
                started.set()


async def _database(settings: Settings, stack: AsyncExitStack) -> str:
    """Return the URL of a database with the newest schema; start our own Postgres if none is configured."""
    from bot.adapters import migrations

    given = settings.database_url and settings.database_url.get_secret_value()
    if settings.log_url and settings.log_url.get_secret_value() != given:
        raise Permanent("CLOISTER_LOG_URL names another database: leave it unset, the log is in the database")
    if given:
        url = given
    else:
        from bot.adapters.embedded_postgres import EmbeddedPostgres

        url = await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))
    await asyncio.to_thread(migrations.upgrade, url)
    return url


async def _listen(
    parts: Base,
    bound: socket.socket,
    stop: asyncio.Event,
    started: asyncio.Event | None,
    *,
    hooks: bool,
) -> None:
    import structlog

    from bot.web.app import application
    from bot.web.receiver import receiver

    settings = parts.settings
    app = application(
        receiver(
            parts.log,
            [secret.encode() for secret in settings.webhook_secrets],
            parts.instance,
            parts.clock,
            trace=parts.telemetry.trace_context,
        )
        if hooks
        else None,
        telemetry=parts.telemetry,
        exposition=parts.telemetry.exposition,
        ready=parts.ready,
    )
    listening = asyncio.Event()
    server = _server(app, listening)
    serving = asyncio.create_task(server.serve([bound]))
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


@asynccontextmanager
async def _plain_errors() -> AsyncIterator[None]:
    """Raise the first error of ours in a group by itself: it is made to be read."""
    try:
        yield
    except ExceptionGroup as group:
        ours = group.subgroup(CloisterError)
        if ours is None:
            raise
        error: BaseException = ours
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        bound = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Permanent(f"cannot listen on {settings.listen} ({reason}): set CLOISTER_LISTEN") from error
    # Connections inherit it. Only sockets that asyncio binds itself have it: without, each answer waits 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _server(app: ASGIApp, listening: asyncio.Event) -> uvicorn.Server:
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
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    return Server(config)
