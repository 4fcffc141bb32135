"""HTTP around the scripted model servers: requests, streams and refusals."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, ClassVar, Self

from bot.demo.script import Script, ScriptedModel, silent

#: In the lines of an answer: close the connection here.
HANG_UP = b""


class Refused(Exception):
    """Refuse a request with a status and the server's error; under 307 it is where to go."""

    def __init__(self, status: int, error: Any, **headers: str) -> None:
        super().__init__(str(error))
        self.status = status
        self.error = error
        self.headers = headers


@dataclass
class ScriptedApi(ABC):
    """Serve on a free port of 127.0.0.1 while the context is open, and answer from a script.

    What answers a request may raise ``Refused`` and is called from any thread.

    Args:
        script: answers a chat request; called once per request, from any thread.
        models: what the server has.
    """

    script: Script = silent
    models: tuple[ScriptedModel, ...] = (ScriptedModel(),)
    #: Every chat request, in order of arrival.
    requests: list[dict[str, Any]] = field(default_factory=list, kw_only=True)
    #: Every request as (method and path, headers).
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list, kw_only=True)
    #: Answers whose client went away before the end.
    abandoned: int = field(default=0, kw_only=True)
    chat_path: ClassVar[str]
    stream_type: ClassVar[str]
    _closing: threading.Event = field(default_factory=threading.Event, kw_only=True)
    _server: _Server | None = field(default=None, kw_only=True)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), self)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return the server's address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def pause(self, seconds: float | None = None) -> None:
        """Wait, but not beyond the end of the server."""
        self._closing.wait(seconds)

    @abstractmethod
    def frame(self, line: dict[str, Any]) -> bytes:
        """Return the bytes of one line of a stream."""

    @abstractmethod
    def whole(self, lines: Iterator[dict[str, Any] | bytes]) -> dict[str, Any]:
        """Return the one object that an answer is when it is not streamed."""

    @abstractmethod
    def get(self, path: str) -> dict[str, Any]:
        """Answer a GET."""

    @abstractmethod
    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a POST that is not a chat."""

    @abstractmethod
    def chat(self, body: dict[str, Any]) -> Iterator[dict[str, Any] | bytes]:
        """Return the lines of a chat's answer."""


class _Server(ThreadingMixIn, TCPServer):
    """Listen, and serve each connection in a thread of its own."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], api: ScriptedApi) -> None:
        super().__init__(address, _Handler)
        self.api = api

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Keep quiet."""

    def do_GET(self) -> None:
        """Serve a GET."""
        self._note()
        try:
            self._send(200, self.server.api.get(self.path))
        except Refused as refusal:
            self._refuse(refusal)

    def do_POST(self) -> None:
        """Serve a POST."""
        self._note()
        try:
            body = self._body()
            if self.path == self.server.api.chat_path:
                self._chat(body)
            else:
                self._send(200, self.server.api.post(self.path, body))
        except Refused as refusal:
            self._refuse(refusal)

    def _note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.api.calls.append((f"{self.command} {self.path}", headers))

    def _body(self) -> dict[str, Any]:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body: object = json.loads(text)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        if not isinstance(body, dict):
            raise Refused(400, "json: cannot unmarshal into Go value of type api.ChatRequest")
        return body

    def _refuse(self, refusal: Refused) -> None:
        if refusal.status == 307:
            self._send(307, {}, Location=str(refusal.error))
        else:
            self._send(refusal.status, {"error": refusal.error}, **refusal.headers)

    def _chat(self, body: dict[str, Any]) -> None:
        lines = self.server.api.chat(body)
        if body.get("stream") is False:
            self._send(200, self.server.api.whole(lines))
            return
        # The servers send their headers with the first token, not before.
        lines = itertools.chain([next(lines)], lines)
        self._head(200, self.server.api.stream_type, {"Transfer-Encoding": "chunked"})
        try:
            for line in lines:
                if line == HANG_UP:
                    self.close_connection = True
                    return
                data = line if isinstance(line, bytes) else self.server.api.frame(line)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            self.close_connection = True
            self.server.api.abandoned += 1

    def _send(self, status: int, value: object, **headers: str) -> None:
        data = json.dumps(value).encode()
        self._head(status, "application/json; charset=utf-8", {"Content-Length": str(len(data)), **headers})
        with contextlib.suppress(ConnectionError):
            self.wfile.write(data)

    def _head(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self.send_header(name, value)
        with contextlib.suppress(ConnectionError):
            self.end_headers()
