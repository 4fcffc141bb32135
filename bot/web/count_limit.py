"""A bound on how many parameters and headers a request may have.

The framework compares each with all others before any of our checks: ten thousand keep the whole process from
everything else for many seconds, and nobody has to sign in for that.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.web.problems import Problem, explained

#: Our own pages send fifteen; proxies and browsers need no more headers than that either.
MOST_PARAMETERS = MOST_HEADERS = 100


class CountLimit:
    """Refuse requests with over `MOST_PARAMETERS` in the address, or over `MOST_HEADERS`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = _problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
            return
        # The answer repeats nothing of what was too much.
        answer = await explained(Request({**scope, "query_string": b"", "headers": []}), problem)
        await answer(scope, receive, send)


def _problem(scope: Scope) -> Problem | None:
    if scope["query_string"].count(b"&") >= MOST_PARAMETERS:
        return Problem(
            414, "too_many_parameters", f"the address has over {MOST_PARAMETERS} parameters: leave some out"
        )
    if len(scope["headers"]) > MOST_HEADERS:
        return Problem(
            431, "too_many_headers", f"the request has over {MOST_HEADERS} headers: leave some out"
        )
    return None
