"""The ASGI application: authentication, faults, routing, and the log of requests."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.demo.gitlab import (
    git_http,
    oauth,
    routes_accounts,
    routes_approvals,
    routes_commits,
    routes_diffs,
    routes_drafts,
    routes_hooks,
    routes_jobs,
    routes_merge_requests,
    routes_notes,
    routes_statuses,
)
from bot.demo.gitlab.calls import Call, Reply, Routes, read_parameters
from bot.demo.gitlab.errors import ApiError
from bot.demo.gitlab.faults import Fault, Faults, Throttle
from bot.demo.gitlab.instance import Instance
from bot.demo.gitlab.routes_jobs import job_of_token

_API = "/api/v4/"
_TRANSPORT = "bot.demo.transport"

ROUTES = Routes().add(
    routes_accounts.routes,
    routes_approvals.routes,
    routes_commits.routes,
    routes_diffs.routes,
    routes_drafts.routes,
    routes_hooks.routes,
    routes_jobs.routes,
    routes_merge_requests.routes,
    routes_notes.routes,
    routes_statuses.routes,
)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it was answered; ``path`` is raw, ``status`` 0 means that the connection was reset."""

    method: str
    path: str
    query: str
    status: int
    duration_s: float


class Protocol(HttpToolsProtocol):
    """Lets the application reach its connection, to reset it on demand."""

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}


class App:
    """Answer requests of one instance."""

    def __init__(self, instance: Instance, faults: Faults, throttle: Throttle) -> None:
        self._instance = instance
        self._faults = faults
        self._throttle = throttle
        self.requests: list[RequestRecord] = []
        self.unknown_requests: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        start = time.perf_counter()
        request = Request(scope, receive)
        path = scope["raw_path"].decode("latin-1")
        body = await request.body()
        fault = self._faults.take(request.method, path)
        reply = await self._faulty(fault, request, path, body)
        status = reply.status if reply is not None else 0
        took = time.perf_counter() - start
        self.requests.append(RequestRecord(request.method, path, request.url.query, status, took))
        if reply is None:
            _reset(scope["extensions"][_TRANSPORT]["transport"])
            # Until the loss is noticed, uvicorn would complain about the missing answer.
            await receive()
        else:
            answer = _response(reply)
            answer.headers["date"] = format_datetime(self._instance.state.clock(), usegmt=True)
            await answer(scope, receive, send)

    async def _faulty(self, fault: Fault | None, request: Request, path: str, body: bytes) -> Reply | None:
        if fault is None:
            return await to_thread.run_sync(self._answer, request, path, body)
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        refused = fault.drop or fault.status is not None
        reply = None
        if fault.after_commit or not refused:
            reply = await to_thread.run_sync(self._answer, request, path, body)
        if fault.drop:
            return None
        return reply if fault.status is None else _fault_reply(fault)

    def _answer(self, request: Request, path: str, body: bytes) -> Reply:
        try:
            if git_http.is_git(path):
                return git_http.serve(
                    self._instance, request.method, path, request.url.query, request.headers, body
                )
            if oauth.is_oauth(path):
                return oauth.serve(
                    self._instance, request.method, path, request.url.query, request.headers, body
                )
            return self._api(request, path, body)
        except ApiError as error:
            return Reply(error.status, error.body, error.headers)

    def _api(self, request: Request, path: str, body: bytes) -> Reply:
        found = ROUTES.find(request.method, path.removeprefix(_API)) if path.startswith(_API) else None
        if found is None:
            self.unknown_requests.append(f"{request.method} {path}")
            return Reply(404, {"error": "404 Not Found"})
        handler, segments = found
        if "job-token" in request.headers:
            with self._instance.state.lock:
                return job_of_token(self._instance, request.method, path, request.headers["job-token"])
        token = self._instance.tokens.authenticate(request.method, request.headers)
        headers, too_many = self._throttle.check(token.user.username)
        if too_many:
            return Reply(429, b"Retry later\n", headers | {"Content-Type": "text/plain"})
        params = read_parameters(request.url.query, request.headers.get("content-type", ""), body)
        call = Call(self._instance, token.user, token, request.method, path, segments, params)
        with self._instance.state.lock:
            return handler(call)


def _response(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers)
    if reply.body is None:
        return Response(b"", reply.status, headers)
    # Lone surrogates cannot occur here: what comes from git is decoded with replacement.
    content = json.dumps(reply.body, ensure_ascii=True, separators=(",", ":")).encode()
    return Response(content, reply.status, headers | {"Content-Type": "application/json"})


def _fault_reply(fault: Fault) -> Reply:
    assert fault.status is not None
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    if fault.body is None and fault.status != 429:
        return Reply(fault.status, {"message": f"{fault.status} Error"}, headers)
    text = "Retry later\n" if fault.body is None else fault.body
    kind = "application/json" if text.startswith(("{", "[")) else "text/plain"
    return Reply(fault.status, text.encode(), headers | {"Content-Type": kind})


def _reset(transport: Any) -> None:
    raw: socket.socket = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
