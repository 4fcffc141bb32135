"""Who somebody is and what they may do, through GitLab's REST API."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Refused
from bot.domain.forge import ForgeMember, ForgeMergeRequest
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.administration import Member
from bot.gitlab.people_shapes import Account, SignedCommit
from bot.gitlab.shapes import Branch, read

#: The roles that may push: to any branch, and to one that is protected without an exception for developers.
_DEVELOPER = 30
_MAINTAINER = 40
#: Nobody reads more commits than these of one merge request.
_MOST_COMMITS = 1_000


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

    async def wrote(self, ref: MergeRequestRef, user_id: int) -> bool:
        """Say whether the account may have written a commit; see the port.

        GitLab shows of commits what stands in them and no accounts, and of accounts the public address alone:
        https://docs.gitlab.com/api/merge_requests/#get-single-merge-request-commits
        """
        path = f"projects/{ref.project_id}/merge_requests/{ref.iid}/commits"
        try:
            person = (await self._api.one(Account, f"users/{user_id}")).person()
            seen = 0
            async for commit in self._api.every(SignedCommit, path):
                seen += 1
                if seen > _MOST_COMMITS or any(map(person.signed, commit.signatures)):
                    return True
        except Refused:
            return True
        return False

    async def may_sign_in(self, user_id: int) -> bool:
        """Say whether the account can sign in; see the port."""
        try:
            return (await self._api.one(Account, f"users/{user_id}")).able
        except Refused:
            return False

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
