"""The list of reviews, and one review from the inside."""

from __future__ import annotations

import uuid
from collections import Counter

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.dashboard_query import BadFilter, cursor_of, cursor_text
from bot.domain.review_detail import Cursor, ReviewDetail
from bot.domain.steps import spoken
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Export, Frame
from bot.web.dashboard.wording import LABELS, REASONS
from bot.web.figures import merge_request_url
from bot.web.problems import Problem


def router(desk: Desk) -> APIRouter:
    """Return both pages."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/reviews")
    async def reviews(request: Request, viewer: SignedInViewer, after: str = "") -> HTMLResponse:
        """Show a page of reviews, the newest first."""
        frame = Frame(desk, request, viewer, "reviews")
        found = await desk.dashboard.reviews(frame.filters, after=cursor_in(after))
        following = found.following
        return await frame.show(
            lines=found.lines,
            older=frame.url(after=cursor_text(following)) if following else "",
            newest=frame.url() if after else "",
            exports=(frame.export("Reviews", "reviews"),),
        )

    @pages.get("/reviews/{run_id}")
    async def review(request: Request, run_id: uuid.UUID, viewer: SignedInViewer) -> HTMLResponse:
        """Show one review: what was done, said and left unsaid."""
        found = await desk.dashboard.review(run_id, viewer.reach)
        if found is None:
            raise Problem(404, "no_review", "There is no such review, or it is none that you may see.")
        frame = Frame(desk, request, viewer, "review")
        line = found.line
        return await frame.show(
            review=found,
            line=line,
            merge_request=merge_request_url(desk.gitlab_url, line.project, line.ref.iid),
            spoken=spoken,
            reasons=REASONS,
            labels=LABELS,
            filtered=_filtered(found),
            longest=max((step.duration_s for step in found.steps), default=0.0),
            exports=(Export("This review", f"reviews/{run_id}", listed=False),),
        )

    return pages


def cursor_in(after: str) -> Cursor | None:
    """Return the review after which a page begins.

    Raises:
        Problem: there is none in the address that we made.
    """
    try:
        return cursor_of(after) if after else None
    except BadFilter as error:
        raise Problem(422, "bad_filter", f"This filter cannot be read. {error}") from None


def _filtered(found: ReviewDetail) -> list[tuple[str, int]]:
    """Return for how many findings each reason held, the most frequent first."""
    counted = Counter(REASONS[one.reason] for one in found.filtered if one.reason is not None)
    return counted.most_common()
