"""Webhooks by the hundred over kept connections, each a delivery of its own, sent by another process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.bench.load import PLACE
from tests.cloister import WEBHOOK_SECRET

#: Each load takes numbers of its own; all have as many digits, so that one length fits all requests.
_blocks = itertools.count(1_000_000_000, 10_000_000)

#: https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events; with people and labels a hook
#: has the usual 6 kB.
_LABEL = {
    "title": "workflow::in review",
    "color": "#ffffff",
    "project_id": 14,
    "created_at": "2026-12-03T17:15:43Z",
    "updated_at": "2026-12-03T17:15:43Z",
    "template": False,
    "description": "Somebody looks at it at the moment, and nobody else has to",
    "type": "ProjectLabel",
    "group_id": 41,
}


@dataclass(frozen=True, slots=True)
class Load:
    """Hold what came of a load: seconds of each accepted webhook, how long all took, the sender's processor time."""

    accepted_s: Sequence[float]
    elapsed_s: float
    refused: int
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Return accepted webhooks per second."""
        return len(self.accepted_s) / self.elapsed_s


class Sending:
    """A load that is on its way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def outcome(self, *, stop: bool = False) -> Load:
        """Wait for its end, which *stop* brings about now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if stop:
            self._process.stdin.close()
        return Load(**json.loads(await self._process.stdout.read()))


@asynccontextmanager
async def sending(
    url: str,
    example: bytes,
    *,
    connections: int,
    rate: float | None = None,
    seconds: float | None = None,
    count: int | None = None,
) -> AsyncIterator[Sending]:
    """Send webhooks made from *example*: at *rate* a second, or the next one on each connection after its answer.

    It ends after *seconds*, after *count* webhooks, or when told to.
    """
    target = urlsplit(url)
    orders = {
        "host": target.hostname,
        "port": target.port,
        "template": _request(target.path, target.netloc, closing(example)),
        "first": next(_blocks),
        "connections": connections,
        "rate": rate,
        "seconds": seconds,
        "count": count,
    }
    command = (sys.executable, "-m", "tests.bench.load")
    pipes: dict[str, Any] = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, **pipes, limit=2**24)
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(orders).encode() + b"\n")
        yield Sending(process)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def send(url: str, example: bytes, **orders: Any) -> Load:
    """Send webhooks as `sending` does, and wait for what comes of it."""
    async with sending(url, example, **orders) as load:
        return await load.outcome()


def closing(delivery: bytes) -> str:
    """Return a hook that closes a merge request nobody has seen: it is stored and handled, and starts no review."""
    payload: dict[str, Any] = json.loads(delivery)
    payload["object_attributes"] |= {"iid": PLACE.decode(), "action": "close", "state": "closed"}
    payload |= {role: [payload["user"]] * 3 for role in ("assignees", "reviewers")}
    payload["labels"] = [_LABEL | {"id": number} for number in range(8)]
    return json.dumps(payload).replace(f'"{PLACE.decode()}"', PLACE.decode())


def _request(path: str, host: str, body: str) -> str:
    length = len(body) - len(PLACE) + len(str(next(_blocks)))
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"X-Gitlab-Event: Merge Request Hook\r\nX-Gitlab-Token: {WEBHOOK_SECRET}\r\n"
        f"Idempotency-Key: bench-{PLACE.decode()}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
