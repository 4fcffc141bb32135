"""Send webhooks from a process of its own: the orders come as JSON on standard input, the outcome leaves the same way.

It ends when its input does, or when the orders say so. Requests are put together from prepared bytes and answers are
only counted, so that the load takes as little as possible of the cores that it shares with what it measures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections import deque
from typing import Any

#: Stands in the template for a number that is another one in every webhook.
PLACE = b"%NUMBER%"


class Load:
    """Send webhooks over kept connections and time each.

    With a rate they are due at fixed times and timed from then, so that what waits for a free connection counts;
    without one each connection sends the next after its answer.

    Args:
        orders: ``host``, ``port``, ``template`` (the request with its placeholders), ``first`` number, ``connections``,
            ``rate`` per second or None, and where to end: ``seconds`` or ``count``, each may be None.
    """

    def __init__(self, orders: dict[str, Any]) -> None:
        self.stopped = asyncio.Event()
        self._orders = orders
        self._parts = orders["template"].encode().split(PLACE)
        self._next = orders["first"]
        self._last = orders["first"] + (orders["count"] or sys.maxsize)
        self._idle: list[_Connection] = []
        self._due: deque[float] = deque()
        self._connections: list[_Connection] = []
        self.accepted_s: list[float] = []
        self.refused = 0

    async def run(self) -> dict[str, Any]:
        """Send until told to stop; then wait for the answers that are due."""
        loop = asyncio.get_running_loop()
        for _ in range(self._orders["connections"]):
            _, connection = await loop.create_connection(
                lambda: _Connection(self), self._orders["host"], self._orders["port"]
            )
            self._connections.append(connection)
        gc.disable()
        began = time.perf_counter()
        if self._orders["seconds"]:
            loop.call_later(self._orders["seconds"], self.stopped.set)
        if self._orders["rate"]:
            self._idle = list(self._connections)
            await self._pace(began, 1 / self._orders["rate"])
        else:
            for connection in self._connections:
                self.free(connection)
            await self.stopped.wait()
        while len(self._idle) < len(self._connections) or self._due:
            await asyncio.sleep(0.001)
        return {
            "accepted_s": self.accepted_s,
            "elapsed_s": time.perf_counter() - began,
            "refused": self.refused,
            "cpu_s": time.process_time(),
        }

    def answered(self, connection: _Connection, status: bytes) -> None:
        """Count an answer."""
        if status == b"202":
            self.accepted_s.append(time.perf_counter() - connection.began)
        else:
            self.refused += 1
        self.free(connection)

    def free(self, connection: _Connection) -> None:
        """Let *connection* take the next webhook, if there is one to send."""
        if self._orders["rate"]:
            if self._due:
                self._send(connection, self._due.popleft())
            else:
                self._idle.append(connection)
        elif self.stopped.is_set() or self._next >= self._last:
            self.stopped.set()
            self._idle.append(connection)
        else:
            self._send(connection, time.perf_counter())

    def _send(self, connection: _Connection, began: float) -> None:
        connection.send(str(self._next).encode().join(self._parts), began)
        self._next += 1

    async def _pace(self, began: float, apart_s: float) -> None:
        count = 0
        while not self.stopped.is_set() and self._next + len(self._due) < self._last:
            while began + count * apart_s <= time.perf_counter():
                due = began + count * apart_s
                count += 1
                if self._idle:
                    self._send(self._idle.pop(), due)
                else:
                    self._due.append(due)
            await asyncio.sleep(max(0.0, began + count * apart_s - time.perf_counter()))


class _Connection(asyncio.Protocol):
    """Send requests one after the other and look at no more of an answer than its status and its length."""

    def __init__(self, load: Load) -> None:
        self.began = 0.0
        self._load = load
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def send(self, request: bytes, began: float) -> None:
        """Send *request*, which was due at *began*."""
        self.began = began
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0]):
            self._received = b""
            self._load.answered(self, head[9:12])

    def connection_lost(self, exc: Exception | None) -> None:
        print(f"the load lost a connection: {exc}", file=sys.stderr)
        os._exit(1)


async def _main() -> None:
    load = Load(json.loads(sys.stdin.readline()))
    asyncio.get_running_loop().add_reader(sys.stdin, load.stopped.set)
    sys.stdout.write(json.dumps(await load.run()))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(_main())
