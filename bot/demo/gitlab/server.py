"""The server: started in its own thread, driven from Python."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from bot.demo.gitlab.app import App, Protocol, RequestRecord
from bot.demo.gitlab.bodies import QuickAction, SideEffect
from bot.demo.gitlab.diffs import DiffLimits
from bot.demo.gitlab.faults import Faults, RateLimit, Throttle
from bot.demo.gitlab.hooks import Delivery
from bot.demo.gitlab.instance import build
from bot.demo.gitlab.scenario import Scenario

_START_LIMIT_S = 10.0


class _Uvicorn(uvicorn.Server):
    """Stops at once: tests start and stop many servers."""

    _loop: asyncio.AbstractEventLoop
    _stop: asyncio.Event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        """Run until told to stop."""
        counter = 0
        while not self._stop.is_set():
            await self.on_tick(counter := counter + 10)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        """Close what listens and drop every connection."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        # One turn of the loop lets the transports close.
        await asyncio.sleep(0)

    def stop(self) -> None:
        """End the main loop, from any thread."""
        if self.started:
            self._loop.call_soon_threadsafe(self._stop.set)


class GitLabServer(Scenario):
    """Serve a GitLab on 127.0.0.1 for as long as the ``with`` block lasts.

    Oddities that only some instances have are switches below ``instance``: ``drafts_check_positions``,
    ``notes_per_minute``, ``core.positions.old_path_of_added_file_breaks``, ``core.hooks.silent`` and
    ``core.hooks.template``.

    Args:
        version: the release to behave like, such as ``16.11``, ``17.5``, ``18.10`` or ``19.0``.
        directory: where repositories go; a temporary directory when left out.
        port: 0 takes a free one.
        webhook_timeout_s: how long a receiver may take.
        hook_workers: above one, deliveries overtake each other as they do in GitLab.
    """

    def __init__(
        self,
        *,
        version: str = "18.10",
        directory: Path | None = None,
        port: int = 0,
        webhook_timeout_s: float = 10.0,
        hook_workers: int = 1,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="gitlab-") if directory is None else None
        root = Path(self._temporary.name) if self._temporary else directory
        assert root is not None
        major, minor = version.split(".")[:2]
        super().__init__(build((int(major), int(minor)), webhook_timeout_s, hook_workers), root)
        self.faults = Faults()
        self._throttle = Throttle()
        self._app = App(self.instance, self.faults, self._throttle)
        self._socket = socket.create_server(("127.0.0.1", port), backlog=512)
        # Connections inherit it. Only sockets that asyncio binds itself have it: without, answers may wait 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = self.instance.state.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            self._app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )
        self._uvicorn = _Uvicorn(config)
        self._thread = threading.Thread(target=self._uvicorn.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        deadline = time.monotonic() + _START_LIMIT_S
        while not self._uvicorn.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError(f"the server did not start within {_START_LIMIT_S} s")
            time.sleep(0.001)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving and delete the repositories."""
        self.close()

    def close(self) -> None:
        """Stop serving, and end every thread and process."""
        self._uvicorn.stop()
        self._thread.join(_START_LIMIT_S)
        self._socket.close()
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def requests(self) -> list[RequestRecord]:
        """Return every request so far, git and API, in the order of their answers."""
        return self._app.requests

    @property
    def unknown_requests(self) -> list[str]:
        """Return method and path of requests for endpoints that this server does not know."""
        return self._app.unknown_requests

    @property
    def quick_actions(self) -> list[QuickAction]:
        """Return the quick actions found in bodies; the known ones were carried out."""
        return self.instance.core.quick_actions

    @property
    def side_effects(self) -> list[SideEffect]:
        """Return the mentions, references, images, links and HTML found in bodies."""
        return self.instance.core.side_effects

    @property
    def deliveries(self) -> list[Delivery]:
        """Return every webhook delivery so far."""
        return self.instance.core.hooks.deliveries

    @property
    def rate_limit(self) -> RateLimit | None:
        """Return the throttle per user; None, GitLab's default, is off."""
        return self._throttle.limit

    @rate_limit.setter
    def rate_limit(self, limit: RateLimit | None) -> None:
        self._throttle.limit = limit

    @property
    def diff_limits(self) -> DiffLimits:
        """Return the limits of the diff endpoints."""
        return self.instance.state.limits

    @diff_limits.setter
    def diff_limits(self, limits: DiffLimits) -> None:
        self.instance.state.limits = limits

    def count(self, method: str | None = None, path_regex: str = "", status: int | None = None) -> int:
        """Return how many requests match."""
        pattern = re.compile(path_regex)
        return sum(
            method in (None, request.method)
            and status in (None, request.status)
            and pattern.search(request.path) is not None
            for request in self.requests
        )

    def drain_hooks(self, timeout_s: float = 60.0) -> None:
        """Wait until every webhook was delivered."""
        self.instance.core.hooks.drain(timeout_s)
