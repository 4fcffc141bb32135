"""The comments behind the figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.domain.comment_lines import Comments
from bot.domain.review_detail import Cursor
from bot.domain.viewer import Viewer
from bot.web.access import SignedInViewer, overseer
from bot.web.api import shown_lists as shown
from bot.web.api.asked import CommentsAsked, CommentsChosen
from bot.web.api.office import Office
from bot.web.api.paging import TimedLines
from bot.web.api.tables import DESCRIBED, Csv, table


def router(office: Office) -> APIRouter:
    """Return the routes."""

    def lines(asked: CommentsChosen, viewer: Viewer) -> TimedLines[shown.CommentLine]:
        filters = asked.filters(viewer, office.clock)

        async def part(after: Cursor | None, limit: int) -> Comments:
            return await office.dashboard.comments(filters, became=asked.became, after=after, limit=limit)

        return TimedLines(part, shown.CommentLine)

    comments = APIRouter(tags=["comments"], dependencies=[Depends(overseer)])

    @comments.get("/comments")
    async def list_comments(
        request: Request,
        response: Response,
        asked: Annotated[CommentsAsked, Query()],
        viewer: SignedInViewer,
    ) -> shown.Comments:
        """Return a page of comments with what became of each, the newest first."""
        found, more = await lines(asked, viewer).page(request, response, asked.after, asked.limit)
        return shown.Comments(comments=found, next=more)

    @comments.get("/comments.csv", response_class=Csv, responses=DESCRIBED)
    async def list_comments_csv(asked: Annotated[CommentsChosen, Query()], viewer: SignedInViewer) -> Csv:
        """Return all comments as CSV, the newest first."""
        return await table(shown.CommentLine, "comments", lines(asked, viewer).all())

    return comments
