"""Lists of what is on record for those who see the projects: projects and waivers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.domain.viewer import Viewer
from bot.domain.waivers import Waiver
from bot.ports.listings import Scoped
from bot.web.access import SignedInViewer, overseer
from bot.web.api import shown_lists as shown
from bot.web.api.asked import ListAsked, Places, WaiversAsked, nothing
from bot.web.api.office import Office
from bot.web.api.paging import Lines
from bot.web.api.tables import DESCRIBED, Csv, table


def router(office: Office) -> APIRouter:
    """Return the routes of all these lists."""
    registers, overseen = APIRouter(), APIRouter(dependencies=[Depends(overseer)])
    _projects(registers, office)
    _waivers(overseen, office)
    registers.include_router(overseen)
    return registers


def _projects(registers: APIRouter, office: Office) -> None:
    def lines(viewer: Viewer) -> Lines[shown.Project]:
        async def part(after: int | None, limit: int) -> list[shown.Project]:
            found = await office.listings.projects(viewer.reach.projects, after=after, limit=limit)
            return [shown.Project(id=one, path=path, leads=viewer.leads(one)) for one, path in found.items()]

        return Lines(part, lambda one: one.id)

    @registers.get("/projects", tags=["projects"])
    async def list_projects(
        request: Request, response: Response, asked: Annotated[ListAsked, Query()], viewer: SignedInViewer
    ) -> shown.Projects:
        """Return a page of the reviewed projects in which you see anything."""
        found, more = await lines(viewer).page(request, response, asked.after, asked.limit)
        return shown.Projects(projects=found, next=more)

    @registers.get(
        "/projects.csv",
        tags=["projects"],
        response_class=Csv,
        responses=DESCRIBED,
        dependencies=[Depends(nothing)],
    )
    async def list_projects_csv(viewer: SignedInViewer) -> Csv:
        """Return the reviewed projects that you see as CSV."""
        return await table(shown.Project, "projects", lines(viewer).all())


def _waivers(registers: APIRouter, office: Office) -> None:
    def lines(asked: Places, viewer: Viewer) -> Lines[tuple[int, Waiver]]:
        scoped = Scoped(viewer.reach.whole, asked.project, asked.group or "")

        async def part(before: int | None, limit: int) -> Sequence[tuple[int, Waiver]]:
            return await office.listings.waivers(scoped, before=before, limit=limit)

        return Lines(part, lambda one: one[0])

    @registers.get("/waivers", tags=["gate"])
    async def list_waivers(
        request: Request, response: Response, asked: Annotated[WaiversAsked, Query()], viewer: SignedInViewer
    ) -> shown.Waivers:
        """Return a page of waivers, asked for, in force or ended, the newest first."""
        found, more = await lines(asked, viewer).page(request, response, asked.after, asked.limit)
        return shown.Waivers(waivers=_lines(found, office.clock.now()), next=more)

    @registers.get("/waivers.csv", tags=["gate"], response_class=Csv, responses=DESCRIBED)
    async def list_waivers_csv(asked: Annotated[Places, Query()], viewer: SignedInViewer) -> Csv:
        """Return all waivers as CSV, the newest first."""
        now = office.clock.now()
        parts = (_lines(part, now) async for part in lines(asked, viewer).all())
        return await table(shown.Waiver, "waivers", parts)


def _lines(found: Sequence[tuple[int, Waiver]], now: datetime) -> list[shown.Waiver]:
    return [waiver_line(one, now) for _, one in found]


def waiver_line(waiver: Waiver, now: datetime) -> shown.Waiver:
    """Return *waiver* as it stands *now*."""
    said, about = waiver.said, waiver.about
    return shown.Waiver(
        id=waiver.id,
        state=waiver.state(now),
        until=said.until,
        project_id=waiver.ref.project_id,
        iid=waiver.ref.iid,
        target_branch=waiver.branch,
        merged=waiver.merged,
        fingerprint=about.fingerprint,
        severity=about.severity,
        scanner=about.scanner,
        rule=about.rule,
        path=about.path,
        line=about.line,
        title=about.title,
        granted_by=waiver.grant.name if waiver.grant else None,
        reason=said.reason,
    )
