"""Webhooks by the hundred over kept connections, each a delivery of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tests.cloister import WEBHOOK_SECRET

_numbers = itertools.count(1_000_000)


@dataclass(frozen=True, slots=True)
class Load:
    """Hold what came of a load: seconds of each accepted webhook, and how long all of them took."""

    accepted_s: Sequence[float]
    elapsed_s: float
    refused: int

    @property
    def per_second(self) -> float:
        """Return accepted webhooks per second."""
        return len(self.accepted_s) / self.elapsed_s


def closing(delivery: bytes) -> Iterator[bytes]:
    """Return hooks that close merge requests nobody has seen: each is stored and handled, none is reviewed."""
    payload: dict[str, Any] = json.loads(delivery)
    while True:
        payload["object_attributes"] |= {"iid": next(_numbers), "action": "close", "state": "closed"}
        yield json.dumps(payload).encode()


async def send(
    url: str, bodies: Iterator[bytes], *, connections: int, enough: Callable[[int], bool], pause_s: float = 0
) -> Load:
    """Send *bodies*, the next one on each connection after its answer, until *enough* says so of their number."""
    target = urlsplit(url)
    latencies: list[float] = []
    refused = 0

    async def work() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        while not enough(len(latencies)):
            request = _request(target, next(bodies))
            began = time.perf_counter()
            writer.write(request)
            status = await _answer(reader)
            if status == 202:
                latencies.append(time.perf_counter() - began)
            else:
                refused += 1
            await asyncio.sleep(pause_s)
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return Load(latencies, time.perf_counter() - began, refused)


def _request(target: SplitResult, body: bytes) -> bytes:
    head = (
        f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: application/json\r\n"
        f"X-Gitlab-Event: Merge Request Hook\r\nX-Gitlab-Token: {WEBHOOK_SECRET}\r\n"
        f"Idempotency-Key: {uuid.uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
    await reader.readexactly(length)
    return int(lines[0].split(" ")[1])
