"""A server of verdicts that says what a test tells it to, over real sockets, and remembers what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.ports import free_address

SHA, PROJECT, IID = "a" * 40, 7, 5
#: What a job of GitLab's is told, as far as it matters for a verdict.
JOB: dict[str, str | None] = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_SHA": SHA,
    "CI_PROJECT_ID": str(PROJECT),
    "CI_PROJECT_PATH": "group/app",
    "CI_MERGE_REQUEST_IID": str(IID),
    "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
    "CI_JOB_TOKEN": "glcbt-64_secret",
}


def verdict(state: str = "passed", **changes: Any) -> dict[str, Any]:
    """Return a verdict as the server gives it."""
    usual: dict[str, Any] = {
        "state": state,
        "final": state != "waiting",
        "sha": SHA,
        "project_id": PROJECT,
        "iid": IID,
        "run_id": "6f1c",
        "url": "https://cloister.example/verdicts/6f1c",
        "description": "said by the server",
        "steps": [{"step": "scan:semgrep", "state": "done", "problem": ""}],
        "blocking": [],
        "exceeded": [],
        "unread": [],
        "broken": {},
        "waived": [],
        "warnings": [],
    }
    return usual | changes


def blocking(**changes: Any) -> dict[str, Any]:
    """Return a finding as a verdict names it."""
    usual = {
        "fingerprint": "f" * 32,
        "finding": "ffff",
        "rule": "weak-hash",
        "scanner": "semgrep",
        "severity": "high",
        "category": "security",
        "path": "store.py",
        "line": 5,
        "title": "Weak hash",
        "why": "MD5 can be broken.",
        "remedy": "Use scrypt.",
    }
    return usual | changes


@dataclass
class Said:
    """One answer: a verdict or another body, sent after ``after_s``; bytes are sent as they are."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    hangs: bool = False


UNKNOWN = Said({"error": {"code": "unknown_head", "message": "no such head"}}, status=404)


@dataclass
class VerdictServer:
    """Answer from ``script``, the last entry again and again; ``asked`` and ``headers`` are of each request."""

    script: list[Said] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def says(self, *answers: Said | dict[str, Any]) -> None:
        """Set the script; a mapping is a body."""
        self.script = [one if isinstance(one, Said) else Said(one) for one in answers]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        parts = urlsplit(handler.path)
        self.paths.append(parts.path)
        self.asked.append(dict(parse_qsl(parts.query)))
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if said.hangs:
            self.closing.wait(1000)
            return
        time.sleep(said.after_s)
        body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        handler.send_response(said.status)
        for name, value in {"content-type": "application/json", **said.headers}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.verdicts.answer(self)  # type: ignore[attr-defined]

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    verdicts: VerdictServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of these tests hang up, or do not trust us."""


def serving(verdicts: VerdictServer, context: ssl.SSLContext | None = None) -> Iterator[VerdictServer]:
    """Serve *verdicts* while the generator lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.verdicts = verdicts
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    verdicts.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield verdicts
    finally:
        verdicts.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def verdict_server() -> Iterator[VerdictServer]:
    """Serve verdicts; all pass until the test says otherwise."""
    verdicts = VerdictServer()
    verdicts.says(verdict())
    yield from serving(verdicts)


def nobody() -> str:
    """Return an address where nobody answers."""
    return f"http://{free_address()}"
