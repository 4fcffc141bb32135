"""What changed lately on a whole GitLab, through its REST API."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.domain.errors import Permanent
from bot.domain.forge import UpdatedPage
from bot.gitlab.shapes import Membership, Updated, read

#: The least role that a review works with: Developer.
LEAST_ACCESS_LEVEL = 30


class GitLabUpdates:
    """List on one connection; see `bot.ports.ForgeUpdates` for the contract.

    Args:
        api: the connection.
        instance: name of the GitLab instance.
    """

    def __init__(self, api: GitLabApi, instance: str) -> None:
        self._api = api
        self._instance = instance

    async def updated_since(self, since: datetime, *, page: int = 1) -> UpdatedPage:
        """Return a page of the list; see the port. GitLab counts milliseconds, and *since* is inclusive.

        See https://docs.gitlab.com/api/merge_requests/#list-merge-requests
        """
        moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        items, more = await self._api.some(
            "merge_requests",
            scope="all",
            state="all",
            order_by="updated_at",
            sort="asc",
            updated_after=moment,
            page=str(page),
        )
        found, problems = [], []
        for item in items:
            try:
                found.append(read(Updated, item, "GET merge_requests").forge(self._instance))
            except Permanent as error:
                problems.append(str(error))
        return UpdatedPage(tuple(found), tuple(problems), more, self._api.answered_at)

    async def our_projects(self) -> frozenset[int]:
        """Return where we are at least Developer; see the port.

        Keyset pages, which no other change of the list disturbs, see
        https://docs.gitlab.com/api/projects/#list-all-projects
        """
        pages = self._api.every(
            Membership,
            "projects",
            membership="true",
            min_access_level=str(LEAST_ACCESS_LEVEL),
            archived="false",
            simple="true",
            pagination="keyset",
            order_by="id",
            sort="asc",
        )
        return frozenset([project.id async for project in pages])
