"""The overview: each figure with its change, what it rests on and what it means, and the way of findings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.comment_lines import Became, Which
from bot.domain.dashboard import Filters, Funnel
from bot.domain.dashboard_measures import DEFINITIONS, Counted, Measure, Tile
from bot.domain.evaluation.intervals import Difference, Share
from bot.web.access import SignedInViewer
from bot.web.dashboard import comments, reviews
from bot.web.dashboard.desk import Desk, Frame
from bot.web.dashboard.mine import own
from bot.web.dashboard.wording import REASONS
from bot.web.figures import count, duration, percent

_TITLES: Mapping[Measure, str] = {
    Measure.acceptance: "Acceptance, strict",
    Measure.acceptance_weak: "Acceptance, weak",
    Measure.downvoted: "Thumbs-down",
    Measure.comments_per_merge_request: "Comments per MR",
    Measure.silent: "Silent reviews",
    Measure.coverage: "Files read",
    Measure.first_comment_p50: "First comment, median",
    Measure.first_comment_p95: "First comment, p95",
    Measure.open_criticals: "Criticals merged open",
    Measure.blocked: "Reviews that blocked",
    Measure.waived: "Reviews with a waiver",
}
#: Whether more is better (1) or worse (-1); the change of others is not coloured.
_BETTER = {
    Measure.acceptance: 1,
    Measure.acceptance_weak: 1,
    Measure.downvoted: -1,
    Measure.coverage: 1,
    Measure.first_comment_p50: -1,
    Measure.first_comment_p95: -1,
}
#: The comments, or the reviews, that a figure counts; others are no list.
_BEHIND: Mapping[Measure, Became | Which | None] = {
    Measure.acceptance: Became.accepted_strong,
    Measure.acceptance_weak: Became.acted_on,
    Measure.downvoted: Became.downvoted,
    Measure.comments_per_merge_request: None,
    Measure.silent: Which.silent,
    Measure.coverage: Which.unread,
    Measure.open_criticals: Became.open_critical,
    Measure.blocked: Which.blocked,
    Measure.waived: Which.waived,
}
_DURATIONS = {Measure.first_comment_p50, Measure.first_comment_p95}
#: So far off may percentiles be; a smaller change is none.
_ROUGH = 0.1


@dataclass(frozen=True, slots=True)
class Told:
    """Hold a tile in words; ``mood`` is a class of the style sheet and never says what the words do not."""

    tile: Tile
    title: str
    value: str
    change: str
    mood: str
    definition: str
    #: Leads to what is counted, empty where that is nothing or no list.
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Hold one step of the way of findings; ``part`` is its share of ``whole``."""

    title: str
    number: int
    part: float
    whole: str
    #: How it is drawn: a step on the way, or what was lost before it.
    kind: str
    #: Leads to what is counted.
    url: str


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/")
    async def overview(request: Request, viewer: SignedInViewer, after: str = "") -> HTMLResponse:
        """Show the figures and the way of findings; who may see none begins at what is their own."""
        if not viewer.oversees_any:
            return await own(desk, request, viewer, after)
        frame = Frame(desk, request, viewer, "overview")
        figures, funnel = await asyncio.gather(
            desk.dashboard.overview(frame.filters), desk.dashboard.funnel(frame.filters)
        )
        return await frame.show(
            tiles=[told(tile, frame.filters) for tile in figures.tiles if _holds(tile, frame.filters)],
            as_of=figures.as_of,
            bars=bars(funnel, frame.filters),
            exports=(frame.export("Figures", "overview"), frame.export("Funnel", "funnel")),
        )

    return pages


def _holds(tile: Tile, filters: Filters) -> bool:
    """Say whether *tile* counts what is chosen: no review is about one rule or severity alone."""
    return tile.counted is Counted.comments or not filters.only


def told(tile: Tile, filters: Filters) -> Told:
    """Return *tile* in words; *filters* choose what it counts."""
    change, mood = _change(tile)
    return Told(
        tile,
        _TITLES[tile.measure],
        _spoken(tile, tile.value),
        change,
        mood,
        DEFINITIONS[tile.measure],
        _behind(tile, filters),
    )


def _behind(tile: Tile, filters: Filters) -> str:
    if not tile.value or tile.measure not in _BEHIND:
        return ""
    match _BEHIND[tile.measure]:
        case Which() as which:
            return reviews.behind(filters, which=which)
        case became:
            return comments.behind(filters, became)


def _spoken(tile: Tile, value: float | None) -> str:
    if tile.share is not None or value is None:
        return percent(value)
    return duration(value) if tile.measure in _DURATIONS else count(round(value, 1))


def _change(tile: Tile) -> tuple[str, str]:
    """Return how the figure changed, and how that is coloured."""
    if tile.value is None:
        return "nothing was counted in these days", "few"
    if tile.before is None or tile.delta is None:
        return "nothing to compare with: the days before have none", "few"
    before = f"{_spoken(tile, tile.before)} before"
    if tile.few:
        return f"{before}; too few to compare", "few"
    if not tile.delta:
        return "the same as before", ""
    if tile.measure in _DURATIONS and abs(tile.delta) <= _ROUGH * max(tile.value, tile.before):
        return f"about as before: {_spoken(tile, tile.before)}", ""
    said = f"{'up' if tile.delta > 0 else 'down'} from {_spoken(tile, tile.before)}"
    if tile.share is not None and not _clear(tile, tile.share):
        return f"{said}; may be chance", ""
    # A plain number has no interval here, so nothing tells whether its change is more than chance.
    better = _BETTER.get(tile.measure, 0) * tile.delta
    return said, "good" if better > 0 else "bad" if better < 0 else ""


def _clear(tile: Tile, share: Share) -> bool:
    old = Share(round((tile.before or 0.0) * tile.before_n), tile.before_n)
    return Difference(old, share).clear


def bars(funnel: Funnel, filters: Filters) -> list[Bar]:
    """Return the way of findings as bars: what was found, what was lost on the way and why, what came of the rest."""
    if not funnel.generated:
        return []
    posted = funnel.comments

    def of_comments(title: str, number: int, became: Became | None) -> Bar:
        part = number / posted if posted else 0.0
        return Bar(title, number, part, "of comments", "step", comments.behind(filters, became))

    # What was found is counted by review: comments of one kind are not told apart before they are comments.
    first = (
        [of_comments("Posted as comments", posted, None)] if filters.only else _up_to_posted(funnel, filters)
    )
    return [
        *first,
        of_comments("Acted on", funnel.acted_on, Became.acted_on),
        of_comments("With a suggestion", funnel.suggested, Became.suggested),
        of_comments("Suggestion applied", funnel.applied, Became.applied),
    ]


def _up_to_posted(funnel: Funnel, filters: Filters) -> list[Bar]:
    found = funnel.generated

    def of_found(title: str, number: int, url: str, kind: str = "step") -> Bar:
        return Bar(title, number, number / found, "of what was found", kind, url)

    lost = sorted(funnel.filtered, key=lambda one: -one[1])
    return [
        of_found("Found", found, reviews.behind(filters)),
        *(
            of_found(REASONS[why], number, reviews.behind(filters, unsaid=why), "lost")
            for why, number in lost
        ),
        of_found("Posted as comments", funnel.posted, comments.behind(filters)),
    ]
