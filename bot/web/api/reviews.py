"""Reviews: the list, and one from the inside."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.domain.review_detail import Cursor, Reviews
from bot.domain.viewer import Viewer
from bot.web.access import SignedInViewer
from bot.web.api import shown_lists as shown
from bot.web.api.asked import ReviewsAsked, ReviewsChosen, nothing
from bot.web.api.errors import NOT_FOUND
from bot.web.api.office import Office
from bot.web.api.paging import TimedLines
from bot.web.api.tables import DESCRIBED, Csv, table
from bot.web.problems import Problem


def router(office: Office) -> APIRouter:
    """Return the routes."""

    def lines(asked: ReviewsChosen, viewer: Viewer) -> TimedLines[shown.ReviewLine]:
        filters = asked.filters(viewer, office.clock)

        async def part(after: Cursor | None, limit: int) -> Reviews:
            return await office.dashboard.reviews(
                filters, picked=asked.picked, after=after, limit=limit, newest=asked.mine
            )

        return TimedLines(part, shown.ReviewLine)

    reviews = APIRouter(tags=["reviews"])

    @reviews.get("/reviews")
    async def list_reviews(
        request: Request, response: Response, asked: Annotated[ReviewsAsked, Query()], viewer: SignedInViewer
    ) -> shown.Reviews:
        """Return a page of reviews, the newest first: all of projects that you lead, elsewhere your own."""
        found, more = await lines(asked, viewer).page(request, response, asked.after, asked.limit)
        return shown.Reviews(reviews=found, next=more)

    @reviews.get("/reviews.csv", response_class=Csv, responses=DESCRIBED)
    async def list_reviews_csv(asked: Annotated[ReviewsChosen, Query()], viewer: SignedInViewer) -> Csv:
        """Return all reviews as CSV, the newest first."""
        return await table(shown.ReviewLine, "reviews", lines(asked, viewer).all())

    @reviews.get("/reviews/{run_id}", responses=NOT_FOUND, dependencies=[Depends(nothing)])
    async def get_review(run_id: uuid.UUID, viewer: SignedInViewer) -> shown.Review:
        """Return one review: stages with times, what was said, what was not and why, model calls."""
        found = await office.dashboard.review(run_id, viewer.reach)
        if found is None:
            raise Problem(404, "no_review", "there is no such review, or it is none that you may see")
        return shown.Review(
            line=shown.ReviewLine.model_validate(found.line),
            steps=[shown.StepLine.model_validate(step) for step in found.steps],
            said=[shown.SaidLine.model_validate(one) for one in found.said],
            filtered=[shown.SaidLine.model_validate(one) for one in found.filtered],
            unread=[shown.Unread(path=path, reason=why) for path, why in found.unread.items()],
            problems=list(found.problems),
            calls=[shown.ModelCall.model_validate(call) for call in found.calls],
            trace_id=found.trace_id,
            removed_at=found.removed_at,
        )

    return reviews
