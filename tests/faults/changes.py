"""Merge requests that are easy to judge, and waiting for what follows from them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bot.demo.gitlab import MergeRequest
from tests.faults.cluster import Cluster

#: One for each scanner, and one for the model: three threads.
DEFECTS = {
    "a.txt": "for i in range(len(values) + 1):\n",
    "b.txt": f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n",
    "c.py": "def add(item, items=[]):\n    items.append(item)\n",
}
THREADS = len(DEFECTS)


def opened(cluster: Cluster, name: str) -> MergeRequest:
    """Open a merge request with three defects, and something of its own: equal commits would share their status."""
    gitlab = cluster.cloister.gitlab
    return gitlab.server.open_merge_request(gitlab.project, name, {**DEFECTS, "own.txt": f"{name}\n"})


async def until(done: Callable[[], bool], otherwise: str, *, within_s: float = 180.0) -> None:
    """Wait until *done* says so."""
    deadline = time.monotonic() + within_s
    while not await asyncio.to_thread(done):
        assert time.monotonic() < deadline, f"{otherwise} within {within_s:g} s"
        await asyncio.sleep(0.05)
