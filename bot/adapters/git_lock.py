"""One writer to a mirror at a time, among all processes of the machine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bot.domain.errors import Transient

_POLL_S = 0.05


@contextlib.asynccontextmanager
async def file_lock(path: Path, *, limit_s: float) -> AsyncIterator[None]:
    """Hold an exclusive lock on *path*, which the system releases when the process dies.

    Raises:
        Transient: another process kept it for longer than *limit_s*.
    """
    deadline = time.monotonic() + limit_s
    with path.open("ab") as file:
        while not _locked(file.fileno()):
            if time.monotonic() > deadline:
                raise Transient(f"another process has been using {path.name} for over {limit_s:.0f} s")
            # A blocking wait in a thread could not be cancelled.
            await asyncio.sleep(_POLL_S)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
