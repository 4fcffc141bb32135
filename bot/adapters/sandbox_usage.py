"""How much the processes in a sandbox use together, which no limit of one process bounds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int, most: int) -> list[int]:
    """Return the processes below *pid*, stopping once there are more than *most*."""
    found: list[int] = []
    waiting = [pid]
    while waiting and len(found) <= most:
        children = list(_children(waiting.pop()))
        found += children
        waiting += children
    return found


def memory_bytes(pids: list[int]) -> int:
    """Return the memory that *pids* have to themselves, without what they share."""
    return sum(_own_pages(pid) for pid in pids) * _PAGE_BYTES


def entries(pids: list[int]) -> int:
    """Return how many files the newest of *pids* sees in its scratch space, 0 when it is not to be known."""
    with contextlib.suppress(OSError, IndexError):
        place = f"/proc/{pids[-1]}/root/tmp"
        # Until its own root is in place a process still sees ours.
        if os.stat(place).st_dev != os.stat("/tmp").st_dev:  # noqa: PTH116, S108 - what is there is all that counts
            room = os.statvfs(place)
            return room.f_files - room.f_ffree
    return 0


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names are all that is wanted
            with contextlib.suppress(OSError):
                yield from map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())


def _own_pages(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        return max(0, int(resident) - int(shared))
    return 0
