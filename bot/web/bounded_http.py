"""HTTP as uvicorn speaks it, with a bound on what somebody who is not known yet can make us keep, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Browsers and proxies bound the line and the headers of a request to less. The parser bounds the line alone.
MAX_HEAD_BYTES = 64 * 1024
#: A request has arrived by then. The longest, a webhook, is given ten seconds by its receiver.
ARRIVAL_LIMIT_S = 30.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
)

_log = structlog.get_logger(__name__)


class BoundedHttp(HttpToolsProtocol):
    """Close connections whose headers are too large, or whose request does not arrive."""

    arrival_limit_s = ARRIVAL_LIMIT_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = True
        self._due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self._await_arrival()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what came, and count it as long as it is all headers."""
        counting = self._in_head
        if self._due is None and (self.cycle is None or self.cycle.response_complete):
            # Empty lines before a request begin none, and end the server's own wait for one.
            self._await_arrival()
        super().data_received(data)
        if not (counting and self._in_head) or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            _log.warning("request.refused", reason=f"the headers are over {MAX_HEAD_BYTES} bytes")
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._await_arrival()

    def on_headers_complete(self) -> None:
        """Count no more."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more, until the next request begins."""
        self._arrived()
        super().on_message_complete()

    def _await_arrival(self) -> None:
        self._arrived()
        self._due = self.loop.call_later(self.arrival_limit_s, self._give_up)

    def _arrived(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _give_up(self) -> None:
        if self._head_bytes or not self._in_head:
            _log.warning("request.refused", reason=f"it took more than {self.arrival_limit_s} s to arrive")
        # A sender that reads nothing would keep a connection that is merely closed.
        self.transport.abort()
