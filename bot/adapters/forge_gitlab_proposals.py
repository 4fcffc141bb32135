"""Branches and merge requests of our own on GitLab."""

from __future__ import annotations

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Transient
from bot.domain.forge import Proposal, Proposed
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.errors import is_taken_branch
from bot.gitlab.shapes import MergeRequest, read_written


class GitLabProposals:
    """Implement `bot.ports.Proposals` on the requests of *api*."""

    def __init__(self, api: GitLabApi) -> None:
        self._api = api

    async def propose(self, ref: MergeRequestRef, proposal: Proposal) -> Proposed:
        """Make branch and merge request as far as they are not there."""
        standing = await self._standing(ref, proposal)
        if standing is not None:
            return standing
        await self._commit(ref, proposal)
        path = f"projects/{ref.project_id}/merge_requests"
        data = {
            "source_branch": proposal.branch,
            "target_branch": proposal.target_branch,
            "title": proposal.title,
            "description": proposal.description,
            "remove_source_branch": True,
        }
        try:
            opened = await self._api.ask_once("POST", path, data=data)
        except AnswerProblem as trouble:
            # Somebody was faster, or an earlier try had come through after all.
            standing = await self._standing(ref, proposal)
            if trouble.answer.status != httpx.codes.CONFLICT or standing is None:
                raise explained(trouble) from None
            return standing
        return _proposed(read_written(MergeRequest, opened, f"POST {path}"))

    async def _standing(self, ref: MergeRequestRef, proposal: Proposal) -> Proposed | None:
        """Return the newest merge request of the branch, whatever has become of it."""
        path = f"projects/{ref.project_id}/merge_requests"
        found = self._api.every(
            MergeRequest, path, source_branch=proposal.branch, scope="all", state="all", sort="desc"
        )
        async for one in found:
            # A fork may have a branch of the same name, which is not ours.
            if one.source_branch == proposal.branch and one.source_project_id == ref.project_id:
                return _proposed(one)
        return None

    async def _commit(self, ref: MergeRequestRef, proposal: Proposal) -> None:
        path = f"projects/{ref.project_id}/repository/commits"
        actions = [
            {"action": "create", "file_path": name, "content": content, "encoding": "text"}
            for name, content in proposal.files.items()
        ]
        data = {
            "branch": proposal.branch,
            "start_sha": proposal.start_sha,
            "commit_message": f"{proposal.title}\n",
            "actions": actions,
        }
        try:
            await self._api.ask_once("POST", path, data=data)
        except AnswerProblem as trouble:
            if is_taken_branch(trouble.answer):
                return
            raise explained(trouble) from None


def _proposed(found: MergeRequest) -> Proposed:
    if not found.web_url:
        raise Transient(f"GitLab does not say where !{found.iid} is")
    return Proposed(found.iid, found.web_url)
