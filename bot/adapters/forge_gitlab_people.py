"""Who somebody is and what they may do, through GitLab's REST API."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Refused
from bot.domain.forge import ForgeMember, ForgeMergeRequest
from bot.gitlab.administration import Member
from bot.gitlab.people_shapes import Account
from bot.gitlab.shapes import Branch, read

#: The roles that may push: to any branch, and to one that is protected without an exception for developers.
_DEVELOPER = 30
_MAINTAINER = 40


class GitLabPeople:
    """Ask on one connection, anew each time; see `bot.ports.People` for the contract."""

    def __init__(self, api: GitLabApi) -> None:
        self._api = api

    async def member(self, project_id: int, user_id: int) -> ForgeMember:
        """Return the account with its access; see the port."""
        account = await self._api.one(Account, f"users/{user_id}")
        return account.forge(await self._level(f"projects/{project_id}", user_id))

    async def level_in_group(self, group: str, user_id: int) -> int:
        """Return the access to a group; see the port."""
        account = await self._api.one(Account, f"users/{user_id}")
        unseen = {httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN}
        level = await self._level(f"groups/{quote(group, safe='')}", user_id, unseen=unseen)
        return account.forge(level).access_level

    async def _level(
        self, where: str, user_id: int, *, unseen: Collection[int] = (httpx.codes.NOT_FOUND,)
    ) -> int:
        # Administrators who are no members are strangers here too: what they may do, they may do in GitLab.
        path = f"{where}/members/all/{user_id}"
        try:
            found = await self._api.ask_once("GET", path)
        except AnswerProblem as trouble:
            if trouble.answer.status in unseen:
                return 0
            raise explained(trouble) from None
        return read(Member, found, f"GET {path}").level_on(datetime.now(UTC).date())

    async def may_push(self, merge_request: ForgeMergeRequest, user_id: int) -> bool:
        """Say whether the account may push; see the port.

        GitLab does not tell this of others. A protected branch counts as closed to all below Maintainer unless it
        is open to all developers.
        """
        project = merge_request.source_project_id
        if project is None:
            return False
        path = f"projects/{project}/repository/branches/{quote(merge_request.source_branch, safe='')}"
        try:
            branch = await self._api.one(Branch, path)
            access_level = (await self.member(project, user_id)).access_level
        except Refused:
            return False
        closed = branch.protected and not branch.developers_can_push
        return access_level >= (_MAINTAINER if closed else _DEVELOPER)
