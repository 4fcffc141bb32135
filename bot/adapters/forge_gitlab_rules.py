"""What a project asks of merge requests before they can be merged, through GitLab's REST API."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.gitlab.administration import Project

#: A change of the settings counts after so long; each publication would cost a request more otherwise.
_FRESH_S = 60.0
_REMEMBERED = 10_000


class GitLabMergeRules:
    """Ask on one connection, at most once a minute for a project; see `bot.ports.MergeRules` for the contract."""

    def __init__(self, api: GitLabApi, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._monotonic = monotonic
        self._known: dict[int, tuple[float, bool]] = {}

    async def needs_resolved_threads(self, project_id: int) -> bool:
        """Say whether open threads keep merge requests from being merged; see the port."""
        if known := self._known.get(project_id):
            asked_at, needed = known
            if self._monotonic() - asked_at < _FRESH_S:
                return needed
        project = await self._api.one(Project, f"projects/{project_id}")
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        needed = bool(project.only_allow_merge_if_all_discussions_are_resolved)
        self._known[project_id] = self._monotonic(), needed
        return needed
