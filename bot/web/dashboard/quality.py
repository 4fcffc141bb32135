"""Acceptance by what comments are about and where they come from, with how much each share can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.dashboard import FEW, AcceptanceRow, Dimension
from bot.domain.dashboard_query import query_of
from bot.domain.evaluation.intervals import Share
from bot.web.access import SignedInViewer
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
    """Hold a row with the share that was asked for; ``url`` shows how that value alone went, where it has a name."""

    row: AcceptanceRow
    share: Share
    url: str


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
    lines = [
        Line(
            row,
            row.labels.strict if measure == STRICT else row.labels.weak,
            _trends(frame, dimension, row.value) if row.value else "",
        )
        for row in rows
    ]
    # What nobody decided about has the lower bound 0 of everything that is possible: it goes last.
    return sorted(lines, key=lambda line: (line.share.of == 0, -line.share.interval[0], line.row.value))


def _trends(frame: Frame, dimension: Dimension, value: str) -> str:
    return f"/trends?{query_of(replace(frame.filters, only={**frame.filters.only, dimension: value}))}"
