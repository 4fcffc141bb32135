"""How long things take: to the first comment, to resolve, to merge."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.dashboard import FEW, Flow
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Frame


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/flow")
    async def flow(request: Request, viewer: SignedInViewer) -> HTMLResponse:
        """Show how long things took."""
        frame = Frame(desk, request, viewer, "flow")
        found: Flow = await desk.dashboard.flow(frame.filters)
        return await frame.show(
            spreads=(
                ("Push to first comment", "Reviews that have a comment.", found.first_comment),
                ("Comment to resolved thread", "Threads that were resolved.", found.resolve),
                ("First review to merge", "Merge requests that were merged.", found.merge),
            ),
            rounds=found.rounds,
            empty=not any(one.n for one in (found.first_comment, found.resolve, found.merge, found.rounds)),
            few=FEW,
            exports=(frame.export("Flow", "flow"),),
        )

    return pages
