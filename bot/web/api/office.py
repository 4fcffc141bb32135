"""What all parts of the API are made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.viewer import Viewer
from bot.ports import Clock
from bot.ports.dashboard import Dashboard
from bot.ports.listings import Listings
from bot.ports.muting import Muting
from bot.web.dashboard.desk import nobody
from bot.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Office:
    """Hold where answers come from; without ``muting`` no mutes are offered.

    ``may_decide`` asks whether somebody is a tech lead of a project as of now, ``may_decide_group`` of a group.
    """

    dashboard: Dashboard
    listings: Listings
    clock: Clock
    may_decide: Callable[[Viewer, int], Awaitable[bool]]
    muting: Muting | None = None
    may_decide_group: Callable[[Viewer, str], Awaitable[bool]] = nobody


def all_seeing(viewer: Viewer) -> None:
    """Let through who may see every project.

    Raises:
        Problem: *viewer* may not.
    """
    if not viewer.reads_all:
        raise Problem(
            403, "not_an_auditor", "this is for administrators, auditors and tokens of all projects"
        )
