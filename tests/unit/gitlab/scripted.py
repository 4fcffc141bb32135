"""A GitLab that answers from a script."""

from __future__ import annotations

import json
from typing import Any

import httpx


class Script:
    """Answer requests in turn and remember them."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.requests: list[httpx.Request] = []

    def plan(self, status: int, body: object = None, **headers: str) -> None:
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        self.answers.append(httpx.Response(status, headers=headers, **(content if body is not None else {})))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def sent(self) -> tuple[str, str, Any]:
        """Return method, address and body of the last request."""
        last = self.requests[-1]
        return last.method, str(last.url), json.loads(last.content) if last.content else None
