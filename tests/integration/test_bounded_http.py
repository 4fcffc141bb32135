"""Senders who are not known can keep neither memory nor connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.web.bounded_http import MAX_HEAD_BYTES, BoundedHttp


class _Impatient(BoundedHttp):
    arrival_limit_s = 0.3


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        body = await Request(scope, receive).body()
    except ClientDisconnect:
        return
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


@asynccontextmanager
async def _connected(
    protocol: type[BoundedHttp],
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    import uvicorn
    from uvicorn.server import ServerState

    config = uvicorn.Config(_echo, http=protocol, log_config=None, access_log=False, lifespan="off")
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1"
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


async def test_headers_end_somewhere() -> None:
    """Who sends headers without an end is told so, and the connection is closed."""
    async with _connected(BoundedHttp) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n")
        line = b"X: " + b"a" * 8_000 + b"\r\n"
        for _ in range(MAX_HEAD_BYTES // len(line) + 2):
            writer.write(line)
            await asyncio.sleep(0.01)
        answer = await reader.readline()

    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: here\r\nX: ",
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "empty lines after a request"],
)
async def test_a_request_arrives_or_the_connection_is_closed(begun: bytes) -> None:
    """Connections are few: nobody holds one by sending a byte now and then."""
    async with _connected(_Impatient) as (reader, writer):
        writer.write(begun)
        # It hangs otherwise; how the end shows depends on what was sent before.
        with suppress(ConnectionResetError):
            while await reader.read(1_000):
                pass


async def test_large_bodies_are_no_headers() -> None:
    """A webhook of a megabyte is taken, and another one after it on the same connection."""
    body = b"a" * 1_000_000
    async with _connected(BoundedHttp) as (reader, writer):
        told = []
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            told.append((head.split(b"\r\n")[0], await reader.readexactly(len(b"1000000 bytes"))))

    assert told == [(b"HTTP/1.1 200 OK", b"1000000 bytes")] * 2
