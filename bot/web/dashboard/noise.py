"""Rules that people reject, and what is muted; tech leads mute and unmute here, with a reason."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from bot.domain.comment_lines import Became
from bot.domain.dashboard import FEW, Dimension, Filters, Muted, NoiseRow
from bot.domain.dashboard_query import BadFilter, cursor_text, filters_of
from bot.domain.errors import Permanent
from bot.domain.markdown import visible
from bot.domain.own_path import own_path
from bot.domain.quiet.groups import group_path, groups_above
from bot.domain.viewer import Viewer
from bot.ports.muting import Muting
from bot.web.access import SignedInViewer
from bot.web.dashboard.comments import behind
from bot.web.dashboard.desk import Desk, Export, Frame
from bot.web.dashboard.reviews import cursor_in
from bot.web.problems import Problem

#: How long a rule stays muted where nobody says, and at most: then it has to show again what it is worth.
MUTED_DAYS, MOST_MUTED_DAYS = 30, 180
#: So many mutes go on a page: each has a form, and an installation has thousands.
MOST_MUTES = 100
#: A sentence, not a report.
MOST_REASON = 500
_BOARD = "/noise"
_DONE = {
    "muted": "The rule is muted. It says nothing on merge requests here until the day in its row.",
    "unmuted": "The mute has ended. The rule speaks again at the next review.",
    "gone": "There was no such mute any more: nothing has changed.",
}


def router(desk: Desk) -> APIRouter:
    """Return the page, and what its forms send to where mutes can be kept."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get(_BOARD)
    async def noise(
        request: Request, viewer: SignedInViewer, done: str = "", after: str = ""
    ) -> HTMLResponse:
        """Show the most rejected rules, and what is muted."""
        frame = Frame(desk, request, viewer, "noise")
        project, group = frame.filters.project_id, group_path(frame.filters.group)
        leads_group = await _leads_group(desk, viewer)
        led = viewer.leads(project) if project is not None else bool(group) and leads_group(group)
        found = await desk.dashboard.noise(frame.filters)
        mutes, begin = found.mutes, cursor_in(after)
        if begin is not None:
            mutes = await desk.dashboard.mutes(frame.filters, after=begin, limit=MOST_MUTES)
        return await frame.show(
            mentioned={mute.project_id for mute in mutes.lines if mute.project_id is not None},
            rows=found.rows,
            muted=sorted(mutes.lines, key=_as_read),
            count=found.mutes.count,
            later=frame.url(after=cursor_text(mutes.following)) if mutes.following else "",
            first=frame.url() if begin else "",
            few=FEW,
            behind=lambda row, became: behind(frame.filters, became, _only(row)),
            became=Became,
            done=_DONE.get(done, ""),
            mutable=desk.muting is not None,
            mutes=desk.muting is not None and led,
            leads=viewer.leads if desk.muting is not None else lambda _: False,
            leads_group=leads_group,
            group=group,
            board=frame.url(),
            until=desk.today + timedelta(days=MUTED_DAYS),
            latest=desk.today + timedelta(days=MOST_MUTED_DAYS),
            most_reason=MOST_REASON,
            exports=(frame.export("Noise", "noise"), Export("Muted now", "mutes", _where(frame.filters))),
        )

    if desk.muting is not None:
        _decide(pages, desk, desk.muting)
    return pages


def _as_read(mute: Muted) -> tuple[object, ...]:
    """Order what ends on the same day by where it is and what it is about."""
    return mute.until, mute.project_id or 0, mute.group, mute.rule, mute.category


def _where(filters: Filters) -> str:
    return urlencode(
        {name: value for name, value in (("project", filters.project_id), ("group", filters.group)) if value}
    )


def _only(row: NoiseRow) -> dict[Dimension, str]:
    return {Dimension.rule: row.rule, Dimension.scanner: row.scanner}


def _decide(pages: APIRouter, desk: Desk, muting: Muting) -> None:
    """Add to *pages* what tech leads decide."""

    @pages.post("/noise/mutes")
    async def mute(
        viewer: SignedInViewer,
        project: int | None = Form(None, gt=0, lt=2**63),
        group: str = Form(""),
        board: str = Form("", max_length=2_000),
        scanner: str = Form(min_length=1, max_length=255),
        rule: str = Form(min_length=1, max_length=255),
        until: str = Form(),
        why: str = Form(),
    ) -> RedirectResponse:
        """Mute a rule of one project, or of all below a group."""
        reason, end, place = _reason(why), _end(desk, until), _place(project, group)
        await _lead(desk, viewer, place)
        try:
            if isinstance(place, int):
                await muting.mute(place, scanner, rule, why=reason, until=end, by=viewer)
            else:
                await muting.mute_for_group(place, scanner, rule, why=reason, until=end, by=viewer)
        except Permanent as error:
            raise Problem(409, "not_mutable", str(error)) from None
        return _back(board, place, "muted")

    @pages.post("/noise/mutes/{mute_id}/end")
    async def unmute(
        mute_id: uuid.UUID,
        viewer: SignedInViewer,
        project: int | None = Form(None, gt=0, lt=2**63),
        group: str = Form(""),
        board: str = Form("", max_length=2_000),
        why: str = Form(),
    ) -> RedirectResponse:
        """End a mute in one project, or in all below a group."""
        reason, place = _reason(why), _place(project, group)
        await _lead(desk, viewer, place)
        if isinstance(place, int):
            ended = await muting.unmute(place, mute_id, why=reason, by=viewer)
        else:
            ended = await muting.unmute_for_group(place, mute_id, why=reason, by=viewer)
        return _back(board, place, "unmuted" if ended else "gone")


def _place(project: int | None, group: str) -> int | str:
    """Return the project, or the path of the group, that a form is about."""
    path = group_path(group)
    if (project is None) != bool(path):
        raise Problem(422, "no_place", "Say a project, or a group by its path, and not both.")
    return path if project is None else project


async def _leads_group(desk: Desk, viewer: Viewer) -> Callable[[str], bool]:
    """Return whom forms for groups are shown to: who leads all that they see there; sending one is checked in GitLab."""
    if desk.muting is None:
        return lambda _: False
    if viewer.admin:
        return lambda _: True
    led: dict[str, bool] = {}
    for number, path in (await desk.places.named(viewer.levels, viewer.reach.projects)).items():
        for group in groups_above(path):
            led[group] = led.get(group, True) and viewer.leads(number)
    return lambda group: led.get(group, False)


async def _lead(desk: Desk, viewer: Viewer, place: int | str) -> None:
    """Let through who is a tech lead of the project or group now, whatever was true when they signed in."""
    if isinstance(place, str):
        if not await desk.may_decide_group(viewer, place):
            raise Problem(
                403,
                "not_a_lead",
                "Rules of a group are muted by its own maintainers: ask one, or an administrator.",
            )
    elif not viewer.leads(place) or not await desk.may_decide(viewer, place):
        raise Problem(403, "not_a_lead", "Rules of a project are muted by its maintainers: ask one of them.")


def _reason(why: str) -> str:
    reason = " ".join(visible(why).split())
    if not reason or len(reason) > MOST_REASON:
        raise Problem(422, "no_reason", f"Say why, in at most {MOST_REASON} characters.")
    return reason


def _end(desk: Desk, until: str) -> datetime:
    """Return the end of the day *until*."""
    try:
        day = filters_of({"to": until}, visible=frozenset(), today=desk.today).until
    except BadFilter:
        day = desk.today
    if not desk.today < day <= desk.today + timedelta(days=MOST_MUTED_DAYS):
        raise Problem(422, "bad_end", f"Say a day within the next {MOST_MUTED_DAYS} days, as 2026-05-31.")
    return datetime.combine(day, time(23, 59, 59), UTC)


def _back(board: str, place: int | str, done: str) -> RedirectResponse:
    """Lead to the *board* that the form stood on, with its filters; to that of the *place* where none is named."""
    path, _, query = own_path(board).partition("?")
    if path != _BOARD or not query:
        query = urlencode({"project" if isinstance(place, int) else "group": place})
    return RedirectResponse(f"{_BOARD}?{query}&{urlencode({'done': done})}", 303)
