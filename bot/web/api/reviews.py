"""Reviews: the list, and one from the inside."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.domain.dashboard import Filters
from bot.domain.dashboard_query import cursor_text
from bot.web.access import SignedInViewer
from bot.web.api import shown_lists as shown
from bot.web.api.asked import MOST_LINES, ReviewsAsked, ReviewsChosen, nothing
from bot.web.api.errors import NOT_FOUND
from bot.web.api.office import Office
from bot.web.api.paging import following, moment_of
from bot.web.api.tables import DESCRIBED, Csv, table
from bot.web.problems import Problem


def router(office: Office) -> APIRouter:
    """Return the routes."""
    reviews = APIRouter(tags=["reviews"])

    @reviews.get("/reviews")
    async def list_reviews(
        request: Request, response: Response, asked: Annotated[ReviewsAsked, Query()], viewer: SignedInViewer
    ) -> shown.Reviews:
        """Return a page of reviews, the newest first: all of projects that you lead, elsewhere your own."""
        filters = asked.filters(viewer, office.clock)
        found = await office.dashboard.reviews(
            filters, picked=asked.picked, after=moment_of(asked.after), limit=asked.limit, newest=asked.mine
        )
        after = cursor_text(found.following) if found.following else None
        lines = [shown.ReviewLine.model_validate(line) for line in found.lines]
        return shown.Reviews(reviews=lines, next=following(request, response, after))

    @reviews.get("/reviews.csv", response_class=Csv, responses=DESCRIBED)
    async def list_reviews_csv(asked: Annotated[ReviewsChosen, Query()], viewer: SignedInViewer) -> Csv:
        """Return all reviews as CSV, the newest first."""
        filters = asked.filters(viewer, office.clock)
        return await table(shown.ReviewLine, "reviews", _all(office, filters, asked))

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


async def _all(
    office: Office, filters: Filters, asked: ReviewsChosen
) -> AsyncIterator[list[shown.ReviewLine]]:
    after = None
    while True:
        page = await office.dashboard.reviews(
            filters, picked=asked.picked, after=after, limit=MOST_LINES, newest=asked.mine
        )
        yield [shown.ReviewLine.model_validate(line) for line in page.lines]
        after = page.following
        if after is None:
            return
