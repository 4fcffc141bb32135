"""Collect what a process group writes, up to a limit, and leave none of it alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal


class Watch(asyncio.SubprocessProtocol):
    """Collect capped output, and kill the whole process group on overflow and when its leader ends."""

    def __init__(self, output_bytes: int) -> None:
        self.output = {1: bytearray(), 2: bytearray()}
        self.cut = False
        self.closed = asyncio.Event()
        self._output_bytes = output_bytes
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Return the leader of the group, None once it has ended."""
        return self._pid

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self.output[fd]
        room = self._output_bytes - len(kept)
        kept += data[:room]
        if len(data) > room:
            self.cut = True
            self.kill()

    def process_exited(self) -> None:
        self.kill()
        self._pid = None  # the number may be given to another process from now on

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.closed.set()

    def kill(self) -> None:
        """Kill every process of the group; nothing happens when it is gone."""
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
