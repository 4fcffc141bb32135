"""The start page: what there is for whoever has signed in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from bot.web.access import SignedInViewer, page_for


def router() -> APIRouter:
    """Return the start page."""
    pages = APIRouter()

    @pages.get("/")
    async def start(request: Request, viewer: SignedInViewer) -> Response:
        """Say who has signed in, and what they see."""
        return page_for(request, "start.html", projects=sorted(viewer.levels.items()))

    return pages
