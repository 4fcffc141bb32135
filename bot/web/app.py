"""The web application: webhooks, health, metrics, pages and the API."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import __version__
from bot.ports import Telemetry
from bot.web.body_limit import BodyLimit
from bot.web.count_limit import CountLimit
from bot.web.pages import Guarded, static_files
from bot.web.problems import explain_problems

_WEBHOOKS = "/webhooks/gitlab"


def application(
    hooks: ASGIApp | None,
    *,
    routers: Iterable[APIRouter] = (),
    telemetry: Telemetry,
    exposition: Callable[[], bytes],
    ready: Callable[[], Awaitable[list[str]]],
) -> ASGIApp:
    """Return the application.

    Args:
        hooks: the webhook receiver, None for health and metrics alone.
        routers: pages and parts of the API.
        telemetry: where requests are counted and traces begin.
        exposition: returns all metrics in Prometheus' text format.
        ready: returns what is wrong, nothing when requests can be served.
    """
    app = FastAPI(
        title="Cloister",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # Starlette names scheme and host, and behind a proxy it knows neither: `bot.web.problems` does without.
        redirect_slashes=False,
    )

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "alive", "version": __version__}

    @app.get("/readyz")
    async def readyz(response: Response) -> dict[str, Any]:
        """Say whether webhooks can be stored and worked on."""
        problems = await ready()
        response.status_code = 503 if problems else 200
        return {"status": "unready" if problems else "ready", "problems": problems}

    @app.get("/metrics")
    async def metrics() -> Response:
        """Return the metrics for Prometheus."""
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    explain_problems(app)
    app.router.routes.append(static_files())
    for router in routers:
        app.include_router(router)
    others = _Headed(Guarded(GZipMiddleware(CountLimit(BodyLimit(app)))))
    return others if hooks is None else _Observed(hooks, others, telemetry)


class _Headed:
    """Answer who asks for the headers of a page alone, as monitors and `curl -I` do; the server sends no body then."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["method"] == "HEAD"
        await self._app({**scope, "method": "GET"} if asked else scope, receive, send)


class _Observed:
    """Start a trace with each webhook and count it by the status of its answer."""

    def __init__(self, hooks: ASGIApp, others: ASGIApp, telemetry: Telemetry) -> None:
        self._hooks = hooks
        self._others = others
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != _WEBHOOKS:
            await self._others(scope, receive, send)
            return
        began = time.monotonic()
        status = 500

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._telemetry.span("receive webhook"):
            try:
                await self._hooks(scope, receive, observe)
            finally:
                self._telemetry.count("cloister_webhooks", status=str(status))
                self._telemetry.observe("cloister_webhook_duration", time.monotonic() - began)
