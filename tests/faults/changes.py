"""Merge requests that are easy to judge, and waiting for what follows from them."""

from __future__ import annotations

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
