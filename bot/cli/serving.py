"""Run the receiver and the consumers in one event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.domain.errors import CloisterError, Permanent

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from bot.adapters.model_chat import Deadlines
    from bot.adapters.telemetry import OpenTelemetry
    from bot.settings import Settings
    from bot.wiring import Base


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold how people get in besides signing in with GitLab.

    Args:
        development: whether anybody on this machine may pick a name and a role.
        show_link: gets the address that signs in as the operator, when pages are served; None makes none.
    """

    development: bool = False
    show_link: Callable[[str], None] | None = None


async def serve_until_signalled(
    settings: Settings, *, hooks: bool, stages: tuple[str, ...], listen: bool, entry: Entry
) -> None:
    """Run until SIGINT or SIGTERM, then stop in an orderly way; see `serve`."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, hooks=hooks, stages=stages, listen=listen, stop=stop, entry=entry)


async def serve(
    settings: Settings,
    *,
    hooks: bool,
    stages: tuple[str, ...],
    stop: asyncio.Event,
    listen: bool = True,
    started: asyncio.Event | None = None,
    deadlines: Deadlines | None = None,
    entry: Entry = Entry(),
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
        entry: how people get in besides signing in with GitLab.
    """
    if stages:
        from bot.adapters.git_version import require_git

        await asyncio.to_thread(require_git)
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(_bind(settings)) if listen else None
        database_url = await prepared_database(settings, stack)
        from bot.wiring import telemetry_of

        telemetry = stack.enter_context(telemetry_of(settings))
        async with _plain_errors(), asyncio.TaskGroup() as group:
            if stages:
                group.create_task(_consume(settings, database_url, telemetry, stages, stop, deadlines))
            if bound is not None:
                receiver = _Receiver(settings, database_url, telemetry, bound, hooks=hooks, entry=entry)
                group.create_task(receiver.run(stop, started))
            elif started is not None:
                started.set()


async def _consume(
    settings: Settings,
    database_url: str,
    telemetry: OpenTelemetry,
    stages: tuple[str, ...],
    stop: asyncio.Event,
    deadlines: Deadlines | None,
) -> None:
    from bot.domain.events import Stage
    from bot.wiring import CONSUMER_CONNECTIONS, base, run_consumers

    async with base(settings, database_url, telemetry, connections=CONSUMER_CONNECTIONS) as parts:
        await run_consumers(parts, [Stage(stage) for stage in stages], stop, deadlines=deadlines)


async def prepared_database(settings: Settings, stack: AsyncExitStack) -> str:
    """Return the URL of a database with the newest schema; start our own Postgres if none is configured."""
    from bot.adapters import migrations

    given = settings.database_url and settings.database_url.get_secret_value()
    log_url = settings.log_url.get_secret_value() if settings.log_url else given
    if settings.kafka_bootstrap is None and log_url != given:
        raise Permanent("CLOISTER_LOG_URL names another database: leave it unset, the log is in the database")
    if given:
        url = given
    else:
        from bot.adapters.embedded_postgres import EmbeddedPostgres

        url = await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))
    await asyncio.to_thread(migrations.upgrade, url)
    return url


class _Receiver:
    """Serve HTTP in a thread with an event loop of its own, so that running reviews do not delay the answers.

    It shares nothing with the consumers but the database, as if it were another process.
    """

    def __init__(
        self,
        settings: Settings,
        database_url: str,
        telemetry: OpenTelemetry,
        bound: socket.socket,
        *,
        hooks: bool,
        entry: Entry,
    ) -> None:
        self._settings = settings
        self._database_url = database_url
        self._telemetry = telemetry
        self._bound = bound
        self._hooks = hooks
        self._entry = entry
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event, started: asyncio.Event | None) -> None:
        """Serve until *stop* is set; set it when serving ends by itself."""
        here = asyncio.get_running_loop()

        def ready() -> None:
            if started is not None:
                here.call_soon_threadsafe(started.set)

        async def pass_on() -> None:
            await stop.wait()
            self._loop.call_soon_threadsafe(self._stop.set)

        passing_on = asyncio.create_task(pass_on())
        # Threads take turns more often than the usual 5 ms: an answer takes several turns.
        sys.setswitchinterval(0.001)
        thread = asyncio.create_task(asyncio.to_thread(self._run, ready))
        try:
            await asyncio.shield(thread)
        finally:
            # A thread cannot be cancelled: it is told to stop and waited for, whatever ended the wait.
            passing_on.cancel()
            stop.set()
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            await asyncio.wait([thread])
            # Where consumers failed first, nobody else looks at it, and asyncio prints what nobody looks at.
            if not thread.cancelled():
                thread.exception()

    def _run(self, ready: Callable[[], None]) -> None:
        try:
            self._loop.run_until_complete(self._serve(ready))
        finally:
            self._loop.close()

    async def _serve(self, ready: Callable[[], None]) -> None:
        import structlog

        from bot.wiring import RECEIVER_CONNECTIONS, base

        async with base(
            self._settings, self._database_url, self._telemetry, connections=RECEIVER_CONNECTIONS
        ) as parts:
            listening = asyncio.Event()
            server = _server(await _application(parts, hooks=self._hooks, entry=self._entry), listening)
            serving = asyncio.create_task(server.serve([self._bound]))
            await _first(serving, listening.wait())
            if listening.is_set():
                structlog.get_logger().info(
                    "ready", listen=self._settings.listen, gitlab=str(self._settings.gitlab_url)
                )
                await self._show_link(parts)
                ready()
            await _first(serving, self._stop.wait())
            server.should_exit = True
            await serving

    async def _show_link(self, parts: Base) -> None:
        if self._entry.show_link is None:
            return
        from bot.adapters.sessions_postgres import PostgresSessions
        from bot.wiring_access import link_address

        secret = await PostgresSessions(parts.pool).make_link(parts.clock.now())
        self._entry.show_link(link_address(self._settings, self._bound.getsockname()[1], secret))


async def _first(serving: asyncio.Task[None], other: Coroutine[Any, Any, Any]) -> None:
    """Wait for *other*, but not longer than *serving* lasts."""
    waiting = asyncio.create_task(other)
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _application(parts: Base, *, hooks: bool, entry: Entry) -> ASGIApp:
    from bot.web.app import application
    from bot.web.receiver import receiver
    from bot.web.site import routers

    secrets = [secret.encode() for secret in parts.settings.webhook_secrets]
    trace = parts.telemetry.trace_context
    return application(
        receiver(parts.sink, secrets, parts.instance, parts.clock, trace=trace) if hooks else None,
        routers=await routers(parts, dev_login=entry.development) if hooks else (),
        telemetry=parts.telemetry,
        exposition=parts.telemetry.exposition,
        ready=parts.ready_for_hooks if hooks else parts.ready,
    )


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
        # Numbers below zero are those of names that cannot be looked up.
        number = error.errno or -1
        reason = os.strerror(number) if number > 0 else "no such host or address"
        raise Permanent(
            f"cannot listen on {settings.listen} ({reason}): set CLOISTER_LISTEN to an address of this machine"
            " and a free port"
        ) from error
    # Connections inherit it. Only sockets that asyncio binds itself have it: without, each answer waits 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _server(app: ASGIApp, listening: asyncio.Event) -> uvicorn.Server:
    import uvicorn

    from bot.web.bounded_http import BoundedHttp

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
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    return Server(config)
