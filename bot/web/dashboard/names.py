"""Filters by name: what people write for a project or a group, and what is suggested to them meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from bot.domain.viewer import Viewer
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Frame, readable
from bot.web.pages import page
from bot.web.problems import Problem

#: No path of GitLab is longer.
_LONGEST = 255
#: What views know besides; nothing else of an address is kept.
_OF_VIEWS = frozenset({"by", "measure", "grain", "became", "which", "unsaid"})
_CURSOR = "after"
_NO_PROJECT = (
    "no project of this path or number that you may see has been reviewed; write it as in GitLab's address"
)
_NO_GROUP = "no project that you may see has been reviewed below this group; write it as in GitLab's address"

_Text = Annotated[str, Query(max_length=_LONGEST)]


def router(desk: Desk) -> APIRouter:
    """Return what fields ask for while somebody writes."""
    fields = APIRouter(default_response_class=HTMLResponse)

    @fields.get("/filters/projects")
    async def projects(viewer: SignedInViewer, project: _Text = "") -> HTMLResponse:
        """Return projects whose path contains what was written."""
        found = await desk.places.projects(viewer.reach.projects, containing=_plain(desk, project))
        return page("dashboard/options.html", options=found.values())

    @fields.get("/filters/groups")
    async def groups(viewer: SignedInViewer, group: _Text = "") -> HTMLResponse:
        """Return groups whose path contains what was written."""
        found = await desk.places.groups(viewer.reach.projects, containing=_plain(desk, group))
        return page("dashboard/options.html", options=found)

    return fields


def settled(desk: Desk) -> Callable[[Request, Viewer], Awaitable[None]]:
    """Return a dependency that lets only filters through that a page can be made of.

    A project's name leads to the same address with its number, which stays when the project is renamed. What cannot
    be read, or is nowhere, is said beside its field, and the others keep what they hold.
    """

    async def settle(request: Request, viewer: SignedInViewer) -> None:
        query = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
        wrong: dict[str, str] = {}
        name = _plain(desk, query.get("project", ""))
        by_name = bool(name) and not (name.isascii() and name.isdecimal())
        if by_name:
            await _to_number(desk, viewer, name, query, wrong)
        filters, unread = readable(desk, query, viewer)
        wrong |= unread
        if filters.group and not await desk.places.has_group(filters.group, viewer.reach.projects):
            wrong["group"] = _NO_GROUP
        if wrong:
            filters = replace(filters, group="" if "group" in wrong else filters.group)
            own = {name: value[:_LONGEST] for name, value in query.items() if name in _OF_VIEWS}
            frame = Frame(desk, request, viewer, "unreadable", own, filters)
            written = {name: request.query_params[name][:_LONGEST] for name in wrong}
            said = "; ".join(f"{name}: {remedy}" for name, remedy in wrong.items())
            shown = await frame.show(status=422, wrong=wrong, written=written)
            raise Problem(422, "bad_filter", f"This filter cannot be read. {said}", page=shown)
        if by_name:
            query.pop(_CURSOR, None)
            there = {"location": f"{request.url.path}?{urlencode(query)}"}
            raise Problem(303, "moved", "the address has the number of the project", headers=there)

    return settle


async def _to_number(
    desk: Desk, viewer: Viewer, name: str, query: dict[str, str], wrong: dict[str, str]
) -> None:
    """Put the number of the project called *name* into *query*, or say why there is none."""
    found = await desk.places.called(name, viewer.reach.projects)
    if len(found) == 1:
        query["project"] = str(*found)
    else:
        del query["project"]
        wrong["project"] = f"this may be {' or '.join(found.values())}" if found else _NO_PROJECT


def _plain(desk: Desk, written: str) -> str:
    """Return a path as it is, whether somebody wrote it with slashes around it or took the address of a page."""
    path = written.strip().removeprefix(desk.gitlab_url.rstrip("/")).partition("/-/")[0]
    return path.strip("/").replace("\0", "")[:_LONGEST]
