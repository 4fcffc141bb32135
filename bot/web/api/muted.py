"""What is muted: rules and categories that say nothing for a while."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.domain.dashboard import Mutes
from bot.domain.review_detail import Cursor
from bot.domain.viewer import Viewer
from bot.web.access import SignedInViewer, overseer
from bot.web.api import shown
from bot.web.api.asked import MutesAsked, Places
from bot.web.api.office import Office
from bot.web.api.paging import TimedLines
from bot.web.api.tables import DESCRIBED, Csv, table


def router(office: Office) -> APIRouter:
    """Return the routes."""

    def lines(asked: Places, viewer: Viewer) -> TimedLines[shown.Muted]:
        filters = asked.filters(viewer, office.clock)

        async def part(after: Cursor | None, limit: int) -> Mutes:
            return await office.dashboard.mutes(filters, after=after, limit=limit)

        return TimedLines(part, shown.Muted)

    muted = APIRouter(tags=["mutes"], dependencies=[Depends(overseer)])

    @muted.get("/mutes")
    async def list_mutes(
        request: Request,
        response: Response,
        asked: Annotated[MutesAsked, Query()],
        viewer: SignedInViewer,
    ) -> shown.Mutes:
        """Return a page of what is muted now, what ends first."""
        found, more = await lines(asked, viewer).page(request, response, asked.after, asked.limit)
        return shown.Mutes(mutes=found, next=more)

    @muted.get("/mutes.csv", response_class=Csv, responses=DESCRIBED)
    async def list_mutes_csv(asked: Annotated[Places, Query()], viewer: SignedInViewer) -> Csv:
        """Return all that is muted now as CSV, what ends first."""
        return await table(shown.Muted, "mutes", lines(asked, viewer).all())

    return muted
