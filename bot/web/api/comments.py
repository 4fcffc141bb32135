"""The comments behind the figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.domain.comment_lines import Became
from bot.domain.dashboard import Filters
from bot.domain.dashboard_query import cursor_text
from bot.web.access import SignedInViewer, overseer
from bot.web.api import shown_lists as shown
from bot.web.api.asked import MOST_LINES, CommentsAsked, CommentsChosen
from bot.web.api.office import Office
from bot.web.api.paging import following, moment_of
from bot.web.api.tables import DESCRIBED, Csv, table


def router(office: Office) -> APIRouter:
    """Return the routes."""
    comments = APIRouter(tags=["comments"], dependencies=[Depends(overseer)])

    @comments.get("/comments")
    async def list_comments(
        request: Request,
        response: Response,
        asked: Annotated[CommentsAsked, Query()],
        viewer: SignedInViewer,
    ) -> shown.Comments:
        """Return a page of comments with what became of each, the newest first."""
        filters = asked.filters(viewer, office.clock)
        found = await office.dashboard.comments(
            filters, became=asked.became, after=moment_of(asked.after), limit=asked.limit
        )
        after = cursor_text(found.following) if found.following else None
        lines = [shown.CommentLine.model_validate(line) for line in found.lines]
        return shown.Comments(comments=lines, next=following(request, response, after))

    @comments.get("/comments.csv", response_class=Csv, responses=DESCRIBED)
    async def list_comments_csv(asked: Annotated[CommentsChosen, Query()], viewer: SignedInViewer) -> Csv:
        """Return all comments as CSV, the newest first."""
        filters = asked.filters(viewer, office.clock)
        return await table(shown.CommentLine, "comments", _all(office, filters, asked.became))

    return comments


async def _all(
    office: Office, filters: Filters, became: Became | None
) -> AsyncIterator[list[shown.CommentLine]]:
    after = None
    while True:
        page = await office.dashboard.comments(filters, became=became, after=after, limit=MOST_LINES)
        yield [shown.CommentLine.model_validate(line) for line in page.lines]
        after = page.following
        if after is None:
            return
