"""The state of the service, for those who keep it running."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Export, Frame
from bot.web.problems import Problem


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/operations")
    async def operations(request: Request, viewer: SignedInViewer) -> HTMLResponse:
        """Show dead letters, queues and the state of the counts."""
        if not viewer.reads_all:
            raise Problem(403, "not_an_operator", "This page is for administrators and auditors.")
        frame = Frame(desk, request, viewer, "operations")
        return await frame.show(
            health=await desk.dashboard.health(),
            now=desk.clock.now(),
            exports=(Export("Health", "health", listed=False), Export("Dead letters", "dead-letters")),
        )

    return pages
