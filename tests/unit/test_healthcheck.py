"""The health check of the image: healthy is who answers with 200."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "healthcheck.py"


class Health(HTTPServer):
    """Answer on every path but /healthz with 404, there with ``status``."""

    status = 200


class Answer(BaseHTTPRequestHandler):
    """Answer one request."""

    def do_GET(self) -> None:
        """Answer."""
        assert isinstance(self.server, Health)
        self.send_response(self.server.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def health() -> Iterator[Health]:
    """Run a server that answers health checks."""
    server = Health(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def checked(port: int) -> subprocess.CompletedProcess[str]:
    """Run the health check of the image."""
    assert os.access(SCRIPT, os.X_OK)
    return subprocess.run([sys.executable, SCRIPT, str(port)], capture_output=True, text=True, timeout=150)


@pytest.mark.parametrize(("status", "expected"), [(200, 0), (503, 1)])
def test_the_health_check_follows_the_answer(health: Health, status: int, expected: int):
    """Only 200 is healthy."""
    health.status = status
    assert expected == checked(health.server_port).returncode


def test_nobody_at_home_is_unhealthy():
    """With a word on why, which `docker inspect` shows."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = checked(port)
    assert 1 == result.returncode
    assert f"no answer on port {port}" in result.stderr
