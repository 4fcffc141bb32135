"""A bound on what pages and the API read, which take short forms only."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.problems import Problem

MAX_BODY_BYTES = 1024 * 1024


class BodyLimit:
    """Refuse requests with a body over `MAX_BODY_BYTES`, while it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY_BYTES:
                raise Problem(413, "too_large", f"the body is over {MAX_BODY_BYTES} bytes")
            return message

        await self._app(scope, bounded, send)
