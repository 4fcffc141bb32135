"""What is muted: rules and categories that say nothing for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.domain.dashboard import Filters
from bot.domain.dashboard_query import cursor_text
from bot.web.access import SignedInViewer, overseer
from bot.web.api import shown
from bot.web.api.asked import MOST_LINES, MutesAsked, Places
from bot.web.api.office import Office
from bot.web.api.paging import following, moment_of
from bot.web.api.tables import DESCRIBED, Csv, table


def router(office: Office) -> APIRouter:
    """Return the routes."""
    muted = APIRouter(tags=["mutes"], dependencies=[Depends(overseer)])

    @muted.get("/mutes")
    async def list_mutes(
        request: Request,
        response: Response,
        asked: Annotated[MutesAsked, Query()],
        viewer: SignedInViewer,
    ) -> shown.Mutes:
        """Return a page of what is muted now, what ends first."""
        filters = asked.filters(viewer, office.clock)
        found = await office.dashboard.mutes(filters, after=moment_of(asked.after), limit=asked.limit)
        after = cursor_text(found.following) if found.following else None
        lines = [shown.Muted.model_validate(line) for line in found.lines]
        return shown.Mutes(mutes=lines, next=following(request, response, after))

    @muted.get("/mutes.csv", response_class=Csv, responses=DESCRIBED)
    async def list_mutes_csv(asked: Annotated[Places, Query()], viewer: SignedInViewer) -> Csv:
        """Return all that is muted now as CSV, what ends first."""
        return await table(shown.Muted, "mutes", _all(office, asked.filters(viewer, office.clock)))

    return muted


async def _all(office: Office, filters: Filters) -> AsyncIterator[list[shown.Muted]]:
    after = None
    while True:
        page = await office.dashboard.mutes(filters, after=after, limit=MOST_LINES)
        yield [shown.Muted.model_validate(line) for line in page.lines]
        after = page.following
        if after is None:
            return
