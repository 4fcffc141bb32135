"""What is one's own: the newest review of each merge request that somebody has made, and what it asks for."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.dashboard_query import cursor_text
from bot.domain.viewer import Viewer
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Frame
from bot.web.dashboard.reviews import cursor_in
from bot.web.figures import merge_request_url


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/mine")
    async def mine(request: Request, viewer: SignedInViewer, after: str = "") -> HTMLResponse:
        """Show the merge requests of who looks."""
        return await own(desk, request, viewer, after)

    return pages


async def own(desk: Desk, request: Request, viewer: Viewer, after: str = "") -> HTMLResponse:
    """Return the page with the merge requests of *viewer*, those that were reviewed last at the top."""
    frame = Frame(desk, request, viewer, "mine")
    # Nothing whole: whoever leads projects, or sees all, is here for their own.
    filters = replace(frame.filters, visible=frozenset())
    found = await desk.dashboard.reviews(filters, after=cursor_in(after), newest=True)
    following = found.following
    return await frame.show(
        lines=[
            (line, merge_request_url(desk.gitlab_url, line.project, line.ref.iid)) for line in found.lines
        ],
        known=filters.own is not None,
        older=frame.url(after=cursor_text(following)) if following else "",
        newest=frame.url() if after else "",
        exports=(frame.export("My merge requests", "reviews", mine="true"),),
    )
