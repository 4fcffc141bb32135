"""What becomes of comments and of merged code, through GitLab's REST API."""

from __future__ import annotations

from urllib.parse import quote

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.domain.errors import Refused
from bot.domain.forge import ForgeAward, ForgeCommit
from bot.domain.merge_request import MergeRequestRef, Sha
from bot.gitlab.note_shapes import Award, Commit
from bot.gitlab.shapes import BranchTip, read


class GitLabAftermath:
    """Look on one connection; see `bot.ports.Aftermath` for the contract."""

    def __init__(self, api: GitLabApi) -> None:
        self._api = api

    async def awards(self, ref: MergeRequestRef, note_id: int) -> list[ForgeAward]:
        """Return the reactions; see the port, and https://docs.gitlab.com/api/emoji_reactions/."""
        path = f"projects/{ref.project_id}/merge_requests/{ref.iid}/notes/{note_id}/award_emoji"
        return [award.forge() async for award in self._api.every(Award, path)]

    async def tip(self, ref: MergeRequestRef, branch: str) -> Sha | None:
        """Return where a branch is; see the port."""
        path = f"projects/{ref.project_id}/repository/branches/{quote(branch, safe='')}"
        try:
            return (await self._api.one(BranchTip, path)).commit.id
        except Refused:
            return None

    async def commits(self, ref: MergeRequestRef) -> list[ForgeCommit]:
        """Return the newest commits; see the port."""
        path = f"projects/{ref.project_id}/merge_requests/{ref.iid}/commits"
        try:
            items, _ = await self._api.some(path)
        except Refused:
            return []
        return [read(Commit, item, f"GET {path}").forge() for item in items]
