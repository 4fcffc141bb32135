"""The comments behind a figure: what each was about, what became of it, and what people did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.comment_lines import Became
from bot.domain.dashboard import Dimension, Filters
from bot.domain.dashboard_query import cursor_text, query_of
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Frame, Link
from bot.web.dashboard.reviews import cursor_in
from bot.web.dashboard.wording import BECAME, DEEDS, became_of


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/comments")
    async def comments(
        request: Request, viewer: SignedInViewer, became: str = "", after: str = ""
    ) -> HTMLResponse:
        """Show a page of comments, the newest first."""
        chosen = Became(became) if became in set(Became) else None
        frame = Frame(desk, request, viewer, "comments", {"became": chosen or ""})
        found = await desk.dashboard.comments(frame.filters, became=chosen, after=cursor_in(after))
        following = found.following
        return await frame.show(
            lines=found.lines,
            became_of=became_of,
            deeds=DEEDS,
            outcomes=[Link("all", frame.url(became=""), "All", chosen is None)]
            + [Link(one.value, frame.url(became=one.value), BECAME[one], one is chosen) for one in Became],
            older=frame.url(after=cursor_text(following)) if following else "",
            newest=frame.url() if after else "",
            exports=(frame.export("Comments", "comments", became=chosen or ""),),
        )

    return pages


def behind(
    filters: Filters, became: Became | None = None, only: Mapping[Dimension, str] | None = None
) -> str:
    """Return the address of the comments that a figure with *filters* counts, held to more if need be."""
    kept = replace(filters, only={**filters.only, **(only or {})})
    more = urlencode({"became": became.value}) if became else ""
    return "/comments?" + "&".join(filter(None, (query_of(kept), more)))
