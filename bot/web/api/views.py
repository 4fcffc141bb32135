"""The views that count: overview, funnel, acceptance, series, noise, flow and gate."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from bot.domain.dashboard import Acceptance, Flow, Funnel, Gate, Noise, TimeSeries
from bot.domain.dashboard_measures import Overview
from bot.web.access import SignedInViewer, overseer
from bot.web.api import shown
from bot.web.api.asked import AcceptanceAsked, Chosen, SeriesAsked
from bot.web.api.office import Office
from bot.web.api.tables import DESCRIBED, Csv, table

_Chosen = Annotated[Chosen, Query()]
_BY = Annotated[AcceptanceAsked, Query()]
_Grained = Annotated[SeriesAsked, Query()]
_CSV: dict[str, Any] = {"response_class": Csv, "responses": DESCRIBED}


def router(office: Office) -> APIRouter:
    """Return the routes of all these views."""
    views = APIRouter(tags=["views"], dependencies=[Depends(overseer)])
    _figures(views, office)
    _quality(views, office)
    _way(views, office)
    return views


def _figures(views: APIRouter, office: Office) -> None:
    async def overview_of(asked: Chosen, viewer: SignedInViewer) -> Overview:
        return await office.dashboard.overview(asked.filters(viewer, office.clock))

    async def funnel_of(asked: Chosen, viewer: SignedInViewer) -> Funnel:
        return await office.dashboard.funnel(asked.filters(viewer, office.clock))

    @views.get("/overview", response_model=shown.Overview)
    async def overview(asked: _Chosen, viewer: SignedInViewer) -> Any:
        """Return each figure with what it was in the window before."""
        return await overview_of(asked, viewer)

    @views.get("/overview.csv", **_CSV)
    async def overview_csv(asked: _Chosen, viewer: SignedInViewer) -> Csv:
        """Return the figures as CSV."""
        found = shown.Overview.model_validate(await overview_of(asked, viewer))
        return await table(shown.Tile, "overview", found.tiles)

    @views.get("/funnel", response_model=shown.Funnel)
    async def funnel(asked: _Chosen, viewer: SignedInViewer) -> Any:
        """Return what became of what was found."""
        return await funnel_of(asked, viewer)

    @views.get("/funnel.csv", **_CSV)
    async def funnel_csv(asked: _Chosen, viewer: SignedInViewer) -> Csv:
        """Return what became of what was found as CSV."""
        found = await funnel_of(asked, viewer)
        counts = {"generated": found.generated, **{f"filtered: {why}": n for why, n in found.filtered}}
        names = ("posted", "comments", "acted_on", "suggested", "applied")
        counts |= {name: getattr(found, name) for name in names}
        return await table(shown.Count, "funnel", [shown.Count(name=k, count=v) for k, v in counts.items()])


def _quality(views: APIRouter, office: Office) -> None:
    async def acceptance_of(asked: AcceptanceAsked, viewer: SignedInViewer) -> Acceptance:
        return await office.dashboard.acceptance(asked.filters(viewer, office.clock), asked.by)

    async def series_of(asked: SeriesAsked, viewer: SignedInViewer) -> TimeSeries:
        return await office.dashboard.time_series(asked.filters(viewer, office.clock), asked.grain)

    async def noise_of(asked: Chosen, viewer: SignedInViewer) -> Noise:
        return await office.dashboard.noise(asked.filters(viewer, office.clock))

    @views.get("/acceptance", response_model=shown.Acceptance)
    async def acceptance(asked: _BY, viewer: SignedInViewer) -> Any:
        """Return how many comments people accepted, by category, rule or another dimension."""
        return await acceptance_of(asked, viewer)

    @views.get("/acceptance.csv", **_CSV)
    async def acceptance_csv(asked: _BY, viewer: SignedInViewer) -> Csv:
        """Return acceptance as CSV."""
        found = shown.Acceptance.model_validate(await acceptance_of(asked, viewer))
        return await table(shown.AcceptanceRow, f"acceptance-by-{asked.by.value}", found.rows)

    @views.get("/series", response_model=shown.Series)
    async def series(asked: _Grained, viewer: SignedInViewer) -> Any:
        """Return how acceptance and volume went, and what changed on our side."""
        return await series_of(asked, viewer)

    @views.get("/series.csv", **_CSV)
    async def series_csv(asked: _Grained, viewer: SignedInViewer) -> Csv:
        """Return the points of the time series as CSV."""
        found = shown.Series.model_validate(await series_of(asked, viewer))
        return await table(shown.Point, "series", found.points)

    @views.get("/noise", response_model=shown.Noise)
    async def noise(asked: _Chosen, viewer: SignedInViewer) -> Any:
        """Return the rules that people reject most, and what is muted."""
        return await noise_of(asked, viewer)

    @views.get("/noise.csv", **_CSV)
    async def noise_csv(asked: _Chosen, viewer: SignedInViewer) -> Csv:
        """Return the rules that people reject most as CSV."""
        found = shown.Noise.model_validate(await noise_of(asked, viewer))
        return await table(shown.NoiseRow, "noise", found.rows)


def _way(views: APIRouter, office: Office) -> None:
    async def flow_of(asked: Chosen, viewer: SignedInViewer) -> Flow:
        return await office.dashboard.flow(asked.filters(viewer, office.clock))

    async def gate_of(asked: Chosen, viewer: SignedInViewer) -> Gate:
        return await office.dashboard.gate(asked.filters(viewer, office.clock))

    @views.get("/flow", response_model=shown.Flow)
    async def flow(asked: _Chosen, viewer: SignedInViewer) -> Any:
        """Return how long it took to the first comment, to a resolved thread and to the merge."""
        return await flow_of(asked, viewer)

    @views.get("/flow.csv", **_CSV)
    async def flow_csv(asked: _Chosen, viewer: SignedInViewer) -> Csv:
        """Return how long things took as CSV."""
        found = shown.Flow.model_validate(await flow_of(asked, viewer))
        rows = [shown.NamedSpread(name=name, **one.model_dump()) for name, one in found]
        return await table(shown.NamedSpread, "flow", rows)

    @views.get("/gate", response_model=shown.Gate)
    async def gate(asked: _Chosen, viewer: SignedInViewer) -> Any:
        """Return what the gate stopped, and which waivers end soon."""
        return await gate_of(asked, viewer)

    @views.get("/gate.csv", **_CSV)
    async def gate_csv(asked: _Chosen, viewer: SignedInViewer) -> Csv:
        """Return what the gate stopped as CSV."""
        found = await gate_of(asked, viewer)
        names = ("reviews", "blocked", "undecided", "waived")
        return await table(
            shown.Count, "gate", [shown.Count(name=one, count=getattr(found, one)) for one in names]
        )
