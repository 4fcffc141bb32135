"""The list of reviews, and one review from the inside."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.comment_lines import Picked, Which
from bot.domain.dashboard import Filters
from bot.domain.dashboard_query import BadFilter, cursor_of, cursor_text, query_of
from bot.domain.review_detail import MOST, Cursor, ReviewDetail
from bot.domain.review_fact import Reason
from bot.domain.steps import spoken
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Export, Frame, Link
from bot.web.dashboard.wording import REASONS, WHICH, became_of
from bot.web.figures import merge_request_url
from bot.web.problems import Problem

#: Longer tables are folded: what follows them is not pages away.
_FOLD = 25
#: Why files were not read is mostly the same for many.
_MOST_REASONS = 10


def router(desk: Desk) -> APIRouter:
    """Return both pages."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/reviews")
    async def reviews(
        request: Request, viewer: SignedInViewer, which: str = "", unsaid: str = "", after: str = ""
    ) -> HTMLResponse:
        """Show a page of reviews, the newest first."""
        picked = Picked(
            Which(which) if which in set(Which) else None, Reason(unsaid) if unsaid in set(Reason) else None
        )
        own = {"which": picked.which or "", "unsaid": picked.unsaid or ""}
        frame = Frame(desk, request, viewer, "reviews", own)
        found = await desk.dashboard.reviews(frame.filters, picked=picked, after=cursor_in(after))
        following = found.following
        return await frame.show(
            lines=found.lines,
            outcomes=[Link("all", frame.url(which=""), "All", picked.which is None)]
            + [Link(one.value, frame.url(which=one.value), WHICH[one], one is picked.which) for one in Which],
            unsaid=REASONS[picked.unsaid] if picked.unsaid else "",
            whatever=frame.url(unsaid=""),
            older=frame.url(after=cursor_text(following)) if following else "",
            newest=frame.url() if after else "",
            exports=(frame.export("Reviews", "reviews", **own),),
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
            became_of=became_of,
            filtered=_filtered(found),
            unread=Counter(found.unread.values()).most_common(_MOST_REASONS),
            fold=_FOLD,
            most=MOST,
            longest=max((step.duration_s for step in found.steps), default=0.0),
            exports=(Export("This review", f"reviews/{run_id}", listed=False),),
        )

    return pages


def behind(filters: Filters, **picked: str) -> str:
    """Return the address of the reviews that a figure with *filters* counts; `which` or `unsaid` says which."""
    return "/reviews?" + "&".join(filter(None, (query_of(replace(filters, only={})), urlencode(picked))))


def cursor_in(after: str) -> Cursor | None:
    """Return where a page begins.

    Raises:
        Problem: *after* is no cursor of ours.
    """
    try:
        return cursor_of(after) if after else None
    except BadFilter as error:
        raise Problem(422, "bad_filter", f"This filter cannot be read. {error}") from None


def _filtered(found: ReviewDetail) -> list[tuple[str, int]]:
    """Return for how many findings each reason held, the most frequent first."""
    counted = Counter(REASONS[one.reason] for one in found.filtered if one.reason is not None)
    return counted.most_common()
