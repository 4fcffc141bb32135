"""Approvals and external status checks on GitLab.

See https://docs.gitlab.com/api/merge_request_approvals/ and https://docs.gitlab.com/api/status_checks/.
"""

from __future__ import annotations

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Obsolete, Refused
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.errors import reason
from bot.gitlab.shapes import OurApproval, StatusCheck

#: What GitLab answers to whom it does not let approve, 401 among it, which says nothing about the token here.
_BARRED = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


class GitLabApprovals:
    """Implement `bot.ports.Approvals` on the requests of *api*."""

    def __init__(self, api: GitLabApi) -> None:
        self._api = api

    async def approve(self, ref: MergeRequestRef, sha: str) -> None:
        """Approve the head, once; see the port."""
        if await self._approved(ref):
            return
        try:
            await self._api.ask_once("POST", f"{_path(ref)}/approve", data={"sha": sha})
        except AnswerProblem as trouble:
            raise _refusal(trouble, "approve it; it may bar whoever wrote commits of it") from None

    async def unapprove(self, ref: MergeRequestRef) -> None:
        """Take our approval back; see the port."""
        if not await self._approved(ref):
            return
        try:
            await self._api.ask_once("POST", f"{_path(ref)}/unapprove")
        except AnswerProblem as trouble:
            if trouble.answer.status != httpx.codes.NOT_FOUND:
                raise _refusal(trouble, "take our approval back") from None

    async def _approved(self, ref: MergeRequestRef) -> bool:
        return bool((await self._api.one(OurApproval, f"{_path(ref)}/approvals")).user_has_approved)

    async def answer_check(self, ref: MergeRequestRef, sha: str, name: str, status: str) -> None:
        """Answer the check of that name; see the port."""
        checks = self._api.every(StatusCheck, f"{_path(ref)}/status_checks")
        found = [check async for check in checks if check.name == name]
        if not found:
            raise Refused(f"{ref} has no external status check named {name!r}; see gate.status_check")
        data = {"sha": sha, "external_status_check_id": found[0].id, "status": status}
        try:
            await self._api.ask_once("POST", f"{_path(ref)}/status_check_responses", data=data)
        except AnswerProblem as trouble:
            if status == "pending" and trouble.answer.status == httpx.codes.BAD_REQUEST:
                return  # before 16.5 there was no such answer
            raise _refusal(trouble, "answer its external status check") from None


def _refusal(trouble: AnswerProblem, what: str) -> Exception:
    if trouble.answer.status == httpx.codes.CONFLICT:
        return Obsolete("the merge request has another head by now")
    if trouble.answer.status in _BARRED:
        said = f"{trouble.request}: {trouble.answer.status} {reason(trouble.answer)}".rstrip()
        return Refused(f"{said}. GitLab does not let us {what}")
    return explained(trouble)


def _path(ref: MergeRequestRef) -> str:
    return f"projects/{ref.project_id}/merge_requests/{ref.iid}"
