"""Who asks, and what the API is: its document for programs, and a page that lists it for people."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from bot.web.access import SignedInViewer
from bot.web.api import shown_lists as shown
from bot.web.api.asked import nothing
from bot.web.api.office import Office


def router(_office: Office) -> APIRouter:
    """Return the routes."""
    about = APIRouter(tags=["about"])

    @about.get("/me", dependencies=[Depends(nothing)])
    async def me(request: Request, viewer: SignedInViewer) -> shown.Me:
        """Return who asks, as what, and the token for forms."""
        return shown.Me(
            name=viewer.user.username,
            role=viewer.role,
            via=viewer.via,
            reads_all=viewer.reads_all,
            scopes=None if viewer.scopes is None else sorted(viewer.scopes),
            form_token=request.state.form_token,
        )

    return about
