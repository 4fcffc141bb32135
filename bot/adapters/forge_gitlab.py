"""The forge port on GitLab's REST API."""

from __future__ import annotations

import hashlib
import json
import math
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.adapters.forge_gitlab_statuses import GitLabStatuses
from bot.domain.errors import Permanent, Refused, Transient
from bot.domain.forge import (
    ForgeDiscussion,
    ForgeDraft,
    ForgeMergeRequest,
    ForgeNote,
    ForgeUser,
    PositionRefused,
    StatusPlace,
)
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.gitlab.administration import Project
from bot.gitlab.errors import is_unprepared, refuses_position
from bot.gitlab.note_shapes import Discussion, Draft, Note
from bot.gitlab.people_shapes import User
from bot.gitlab.shapes import MergeRequest, Version, read, read_written

#: A page that was heard of so long ago may be another project's by now.
_PAGE_FRESH_S = 60.0
#: So many server errors on the same drafts mean that a position breaks GitLab.
SERVER_ERRORS_UNTIL_REFUSED = 3


class GitLabForge:
    """Talk to one GitLab as the owner of *token*; see `bot.ports.Forge` for the contract.

    Args are those of `GitLabApi`, which says what leaves this machine and what does not, and ``monotonic``, which tells
    how old is what was heard. The consume loop repeats what failed, this class repeats nothing.

    Attributes:
        api: the connection, whose ``calls`` counts the requests.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        connections: int = 20,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api = GitLabApi(
            url, token, timeout_s=timeout_s, connections=connections, verify=verify, transport=transport
        )
        self._statuses = GitLabStatuses(self.api)
        self._url = url.rstrip("/")
        self._user: ForgeUser | None = None
        self._server_errors: Counter[bytes] = Counter()
        self._monotonic = monotonic
        self._project_pages: dict[int, tuple[float, str]] = {}

    async def aclose(self) -> None:
        """Close the connections."""
        await self.api.aclose()

    @property
    def calls(self) -> int:
        """Return how many requests were sent."""
        return self.api.calls

    @property
    def clock_ahead(self) -> timedelta:
        """Return how far GitLab's clock is ahead of ours, as its newest answer told."""
        return self.api.ahead

    async def whoami(self) -> ForgeUser:
        """Return our own account, asked for once."""
        if self._user is None:
            self._user = (await self.api.one(User, "user")).forge()
        return self._user

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return the merge request as it is now.

        ``diff_refs`` is empty for some seconds after a merge request was opened; the newest version may know
        its commits earlier. A version of an older head is not the current revision.
        """
        path = _path(ref)
        found = await self.api.one(MergeRequest, path)
        page, known, _ = found.web_url.partition("/-/merge_requests/")
        if known:
            self._project_pages[ref.project_id] = self._monotonic(), page
        revision = found.diff_refs.revision(ref) if found.diff_refs else None
        if revision is None:
            revision = await self._newest_version(ref)
        if revision is not None and found.sha not in {None, revision.head_sha}:
            revision = None
        return found.forge(ref, revision)

    async def clone_url(self, project_id: int) -> str:
        """Return where a project is cloned from, as was heard a minute ago or later: another may have taken its path."""
        at, page = self._project_pages.get(project_id, (-math.inf, ""))
        if self._monotonic() - at > _PAGE_FRESH_S:
            project = await self.api.one(Project, f"projects/{project_id}")
            page = f"{self._url}/{project.path_with_namespace}"
            self._project_pages[project_id] = self._monotonic(), page
        return f"{page}.git"

    async def _newest_version(self, ref: MergeRequestRef) -> Revision | None:
        request = f"{_path(ref)}/versions"
        versions = await self.api.ask("GET", request, params={"per_page": "1"})
        if not isinstance(versions, list):
            msg = f"GET {request}: the answer is not a list; check that CLOISTER_GITLAB_URL leads to GitLab"
            raise Permanent(msg)
        return read(Version, versions[0], f"GET {request}").refs().revision(ref) if versions else None

    async def discussions(self, ref: MergeRequestRef) -> list[ForgeDiscussion]:
        """Return all discussions, every page of them."""
        pages = self.api.every(Discussion, f"{_path(ref)}/discussions")
        return [discussion.forge() async for discussion in pages]

    async def discussion(self, ref: MergeRequestRef, discussion_id: str) -> ForgeDiscussion:
        """Return one discussion."""
        path = f"{_path(ref)}/discussions/{quote(discussion_id, safe='')}"
        return (await self.api.one(Discussion, path)).forge()

    async def drafts(self, ref: MergeRequestRef) -> list[ForgeDraft]:
        """Return our drafts; GitLab shows nobody else's."""
        return [draft.forge() async for draft in self.api.every(Draft, f"{_path(ref)}/draft_notes")]

    async def create_draft(
        self, ref: MergeRequestRef, body: str, position: Mapping[str, Any] | None
    ) -> ForgeDraft:
        """Store a draft note.

        A position that GitLab dislikes is answered with 400, but some positions, depending on the release,
        with 500. Since a 500 may as well be an outage after the draft was stored, the first ones are
        `Transient` with an unknown outcome. The third one for the same draft is taken as a refusal, unless
        the draft is there.

        Raises:
            PositionRefused: as above; GitLab's reason is in the message.
        """
        data: dict[str, object] = {"note": body}
        if position is not None:
            data["position"] = dict(position)
        path = f"{_path(ref)}/draft_notes"
        try:
            created = await self.api.ask_once("POST", path, data=data)
        except AnswerProblem as trouble:
            if position is None:
                raise explained(trouble) from None
            return await self._unplaced(ref, data, trouble)
        return read_written(Draft, created, f"POST {path}").forge()

    async def _unplaced(
        self, ref: MergeRequestRef, data: Mapping[str, object], trouble: AnswerProblem
    ) -> ForgeDraft:
        error = explained(trouble)
        if is_unprepared(trouble.answer):
            msg = f"{error}: GitLab still prepares the diff"
            raise Transient(msg) from None
        if refuses_position(trouble.answer):
            raise PositionRefused(str(error)) from None
        if not self._breaks_gitlab(trouble, json.dumps([str(ref), data], sort_keys=True)):
            raise error from None
        stored = [draft for draft in await self.drafts(ref) if draft.body == data["note"]]
        if not stored:
            raise PositionRefused(str(error)) from None
        return stored[0]

    def _breaks_gitlab(self, trouble: AnswerProblem, request: str) -> bool:
        if trouble.answer.status != httpx.codes.INTERNAL_SERVER_ERROR:
            return False
        name = hashlib.sha256(request.encode()).digest()
        self._server_errors[name] += 1
        if self._server_errors[name] < SERVER_ERRORS_UNTIL_REFUSED:
            return False
        del self._server_errors[name]
        return True

    async def delete_draft(self, ref: MergeRequestRef, draft_id: int) -> None:
        """Delete a draft note; one that is gone already is fine."""
        try:
            await self.api.ask_once("DELETE", f"{_path(ref)}/draft_notes/{draft_id}")
        except AnswerProblem as trouble:
            if trouble.answer.status != httpx.codes.NOT_FOUND:
                raise explained(trouble) from None

    async def publish_drafts(self, ref: MergeRequestRef) -> None:
        """Publish all our drafts.

        GitLab accepts drafts with a bad position and answers a bare 500 when it cannot save one as a note.
        After the third 500 the drafts are published one by one and those that cannot be are deleted.

        Raises:
            PositionRefused: as above, with these drafts.
        """
        try:
            await self.api.ask_once("POST", f"{_path(ref)}/draft_notes/bulk_publish")
        except AnswerProblem as trouble:
            if not self._breaks_gitlab(trouble, f"publish {ref}"):
                raise explained(trouble) from None
            refused = [draft for draft in await self.drafts(ref) if not await self._publish_one(ref, draft)]
            if refused:
                raise PositionRefused(str(explained(trouble)), refused) from None

    async def _publish_one(self, ref: MergeRequestRef, draft: ForgeDraft) -> bool:
        path = f"{_path(ref)}/draft_notes/{draft.id}"
        try:
            await self.api.ask_once("PUT", f"{path}/publish")
        except AnswerProblem as trouble:
            if trouble.answer.status != httpx.codes.INTERNAL_SERVER_ERROR:
                raise explained(trouble) from None
        else:
            return True
        try:
            await self.api.ask_once("DELETE", path)
        except AnswerProblem as trouble:
            # It is gone: the draft was published before the error.
            if trouble.answer.status == httpx.codes.NOT_FOUND:
                return True
            raise explained(trouble) from None
        return False

    async def create_note(self, ref: MergeRequestRef, body: str) -> ForgeNote:
        """Post a plain comment."""
        return await self._write_note(f"{_path(ref)}/notes", body)

    async def reply(self, ref: MergeRequestRef, discussion_id: str, body: str) -> ForgeNote:
        """Add a note to a discussion."""
        return await self._write_note(f"{_path(ref)}/discussions/{quote(discussion_id, safe='')}/notes", body)

    async def _write_note(self, path: str, body: str) -> ForgeNote:
        created = await self.api.ask("POST", path, data={"body": body})
        if isinstance(created, dict) and "id" not in created:
            msg = f"POST {path}: GitLab took the text for quick actions and stored no note"
            raise Refused(msg)
        return read_written(Note, created, f"POST {path}").forge()

    async def edit_note(self, ref: MergeRequestRef, note_id: int, body: str) -> None:
        """Replace the body of our plain comment."""
        await self.api.ask("PUT", f"{_path(ref)}/notes/{note_id}", data={"body": body})

    async def resolve(self, ref: MergeRequestRef, discussion_id: str, *, resolved: bool = True) -> None:
        """Resolve a discussion, or open it again."""
        path = f"{_path(ref)}/discussions/{quote(discussion_id, safe='')}"
        await self.api.ask("PUT", path, params={"resolved": str(resolved).lower()})

    async def set_status(
        self,
        merge_request: ForgeMergeRequest,
        sha: str,
        state: str,
        description: str,
        *,
        target_url: str = "",
        pipeline_id: int | None = None,
    ) -> StatusPlace:
        """Set our commit status where the merge request shows it."""
        return await self._statuses.set(merge_request, sha, state, description, target_url, pipeline_id)

    async def repeat_status(
        self, place: StatusPlace, state: str, description: str, *, target_url: str = ""
    ) -> None:
        """Set our commit status where it stood before."""
        await self._statuses.repeat(place, state, description, target_url)


def _path(ref: MergeRequestRef) -> str:
    return f"projects/{ref.project_id}/merge_requests/{ref.iid}"
