"""A bound on what pages and the API read, which take short forms only."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.problems import Problem, explained

#: A form has a sentence at most. What has many fields takes long to take apart, and nobody else is served meanwhile.
MAX_BODY_BYTES = 64 * 1024


class BodyLimit:
    """Refuse requests with a body over `MAX_BODY_BYTES`, while it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size, begun = 0, False
        problem = Problem(413, "too_large", f"the body is over {MAX_BODY_BYTES} bytes")

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY_BYTES:
                raise problem
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            # Whoever reads the body takes our refusal for a form that cannot be read, and says so.
            if begun or size <= MAX_BODY_BYTES:
                begun = True
                await send(message)

        await self._app(scope, bounded, watched)
        if not begun and size > MAX_BODY_BYTES:
            answer = await explained(Request(scope), problem)
            await answer(scope, receive, send)
