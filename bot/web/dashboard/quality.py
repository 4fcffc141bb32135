"""Acceptance by what comments are about and where they come from, with how much each share can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.comment_lines import Became
from bot.domain.dashboard import FEW, AcceptanceRow, Dimension
from bot.domain.dashboard_query import query_of
from bot.domain.evaluation.intervals import Share
from bot.web.access import SignedInViewer
from bot.web.dashboard.comments import behind
from bot.web.dashboard.desk import Desk, Frame, Link
from bot.web.dashboard.wording import DIMENSIONS

STRICT, WEAK = "strict", "weak"
_MEASURES: Mapping[str, tuple[str, str]] = {
    STRICT: (
        "Strict",
        "Accepted is a comment whose suggestion was applied, or whose fix was confirmed.",
    ),
    WEAK: (
        "Weak",
        "Accepted is also a comment whose lines changed afterwards, for whatever reason: this says too much.",
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Hold a row with the share that was asked for.

    Where its value has a name, ``url`` shows how it alone went, and the others which comments were counted.
    """

    row: AcceptanceRow
    share: Share
    url: str = ""
    comments: str = ""
    accepted: str = ""
    decided: str = ""
    downvoted: str = ""


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/quality")
    async def quality(
        request: Request, viewer: SignedInViewer, by: str = "", measure: str = ""
    ) -> HTMLResponse:
        """Show acceptance by one dimension."""
        by = by if by in DIMENSIONS else Dimension.category.value
        measure = measure if measure in _MEASURES else STRICT
        frame = Frame(desk, request, viewer, "quality", {"by": by, "measure": measure})
        dimension = Dimension(by)
        found = await desk.dashboard.acceptance(frame.filters, dimension)
        return await frame.show(
            dimension=DIMENSIONS[dimension],
            lines=_lines(frame, dimension, found.rows, measure),
            left_out=found.left_out,
            few=FEW,
            meaning=_MEASURES[measure][1],
            dimensions=[
                Link(one.value, frame.url(by=one.value), title, one is dimension)
                for one, title in DIMENSIONS.items()
            ],
            measures=[
                Link(name, frame.url(measure=name), title, name == measure)
                for name, (title, _) in _MEASURES.items()
            ],
            exports=(frame.export(f"Acceptance by {by}", "acceptance", by=by),),
        )

    return pages


def _lines(frame: Frame, dimension: Dimension, rows: tuple[AcceptanceRow, ...], measure: str) -> list[Line]:
    lines = [_line_of(frame, dimension, row, measure) for row in rows]
    # What nobody decided about has the lower bound 0 of everything that is possible: it goes last.
    return sorted(lines, key=lambda line: (line.share.of == 0, -line.share.interval[0], line.row.value))


def _line_of(frame: Frame, dimension: Dimension, row: AcceptanceRow, measure: str) -> Line:
    share = row.labels.strict if measure == STRICT else row.labels.weak
    if not row.value:
        return Line(row, share)
    only = {dimension: row.value}
    return Line(
        row,
        share,
        _trends(frame, dimension, row.value),
        comments=behind(frame.filters, only=only),
        accepted=behind(
            frame.filters, Became.accepted_strong if measure == STRICT else Became.acted_on, only=only
        ),
        decided=behind(frame.filters, Became.decided, only=only),
        downvoted=behind(frame.filters, Became.downvoted, only=only),
    )


def _trends(frame: Frame, dimension: Dimension, value: str) -> str:
    return f"/trends?{query_of(replace(frame.filters, only={**frame.filters.only, dimension: value}))}"
