"""Addresses that lead on: to a comment on GitLab, and to the newest review of a merge request."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import RedirectResponse

from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk
from bot.web.figures import merge_request_url
from bot.web.problems import Problem

_Number = Annotated[int, Path(gt=0, lt=2**63)]
_Iid = Annotated[int, Path(gt=0, lt=2**31)]


def router(desk: Desk) -> APIRouter:
    """Return both addresses."""
    pages = APIRouter()

    @pages.get("/comments/{comment_id}")
    async def comment(comment_id: uuid.UUID, viewer: SignedInViewer) -> RedirectResponse:
        """Lead to a comment on GitLab."""
        place = await desk.places.comment(comment_id, viewer.reach)
        if place is None:
            raise Problem(404, "no_comment", "There is no such comment, or it is none that you may see.")
        url = merge_request_url(desk.gitlab_url, place.project, place.iid)
        return RedirectResponse(url if place.note_id is None else f"{url}#note_{place.note_id}", 303)

    @pages.get("/merge-requests/{project_id}/{iid}")
    async def merge_request(project_id: _Number, iid: _Iid, viewer: SignedInViewer) -> RedirectResponse:
        """Lead to the newest review of a merge request."""
        found = await desk.places.newest_review(project_id, iid, viewer.reach)
        if found is None:
            raise Problem(404, "no_review", "It has no published review, or none that you may see.")
        return RedirectResponse(f"/reviews/{found}", 303)

    return pages
