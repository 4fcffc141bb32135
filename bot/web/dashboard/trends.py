"""How shares and numbers went, and what changed on our side meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.dashboard import RECENT, Grain
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Frame, Link
from bot.web.dashboard.wording import CHANGES

#: So many points can be told apart on a phone.
_MOST_DAYS = 45
_GRAINS: Mapping[str, str] = {Grain.day.value: "Days", Grain.week.value: "Weeks"}


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/trends")
    async def trends(request: Request, viewer: SignedInViewer, grain: str = "") -> HTMLResponse:
        """Show the time series."""
        grain = grain if grain in _GRAINS else ""
        frame = Frame(desk, request, viewer, "trends", {"grain": grain})
        chosen = Grain(grain or ("day" if frame.filters.days <= _MOST_DAYS else "week"))
        series = await desk.dashboard.time_series(frame.filters, chosen)
        return await frame.show(
            series=series,
            changes=CHANGES,
            recent_days=RECENT.days,
            empty=not any(point.labels.comments or point.reviews for point in series.points),
            grains=[
                Link(name, frame.url(grain=name), title, name == chosen) for name, title in _GRAINS.items()
            ],
            exports=(frame.export("Time series", "series", grain=chosen.value),),
        )

    return pages
