"""What all pages of the dashboards have in common: who looks, what is counted, and the frame around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import HTMLResponse

from bot.domain.dashboard import Dimension, Filters
from bot.domain.dashboard_query import BadFilter, filters_of, query_of
from bot.domain.viewer import Viewer
from bot.ports import Clock
from bot.ports.dashboard import Dashboard
from bot.ports.muting import Muting
from bot.ports.places import Places
from bot.web.access import page_for
from bot.web.problems import Problem

#: Windows that are one click away, in days.
_PRESETS = (7, 30, 90)
#: The pages in the order of the navigation: name, address, title. Figures are for those who lead a project.
_FIGURES = (
    ("overview", "/", "Overview"),
    ("quality", "/quality", "Quality"),
    ("trends", "/trends", "Trends"),
    ("noise", "/noise", "Noise"),
    ("comments", "/comments", "Comments"),
    ("flow", "/flow", "Flow"),
    ("gate", "/gate", "Gate"),
)
_MINE = ("mine", "/mine", "My merge requests")
_REVIEWS = ("reviews", "/reviews", "Reviews")
#: For those who read everything; these two know no group and no project.
_OFFICE = (("operations", "/operations", "Operations"), ("audit", "/audit", "Audit log"))
_UNFILTERED = frozenset(name for name, _, _ in _OFFICE)
#: Pages that count whole reviews, too, which are not about one rule or severity.
_OF_REVIEWS = frozenset({"overview", "trends", "flow", "gate", "reviews"})
_OF_FIGURES = frozenset(name for name, _, _ in _FIGURES)


async def nobody(_viewer: Viewer, _group: str) -> bool:
    """Say that nobody may decide, where groups cannot be asked about."""
    return False


@dataclass(frozen=True, slots=True)
class Desk:
    """Hold what pages are made from; without ``muting`` they offer no mutes.

    ``may_decide`` asks whether somebody is a tech lead of a project as of now, ``may_decide_group`` of a group.
    """

    dashboard: Dashboard
    places: Places
    clock: Clock
    gitlab_url: str
    may_decide: Callable[[Viewer, int], Awaitable[bool]]
    muting: Muting | None = None
    may_decide_group: Callable[[Viewer, str], Awaitable[bool]] = nobody

    @property
    def today(self) -> date:
        """Return the current day in UTC."""
        return self.clock.now().date()


def asked(desk: Desk, request: Request, viewer: Viewer) -> Filters:
    """Return the filters in the address of *request*.

    Raises:
        Problem: one of them cannot be read; the message says which and what to write.
    """
    try:
        reach = viewer.reach
        return filters_of(request.query_params, visible=reach.whole, own=reach.own, today=desk.today)
    except BadFilter as error:
        raise Problem(422, "bad_filter", f"This filter cannot be read. {error}") from None


def readable(desk: Desk, query: Mapping[str, str], viewer: Viewer) -> tuple[Filters, dict[str, str]]:
    """Return the filters of *query* as far as they can be read, and for others what to write, by parameter."""
    kept, wrong = dict(query), dict[str, str]()
    while True:
        try:
            reach = viewer.reach
            return filters_of(kept, visible=reach.whole, own=reach.own, today=desk.today), wrong
        except BadFilter as error:
            wrong[error.name] = error.remedy
            del kept[error.name]


@dataclass(frozen=True, slots=True)
class Export:
    """Name what can be taken from a page; ``view`` is its name in the API, and what is ``listed`` can be CSV too."""

    title: str
    view: str
    query: str = ""
    listed: bool = True

    @property
    def json(self) -> str:
        """Return the address of the JSON."""
        return _with(f"/api/v1/{self.view}", self.query)

    @property
    def csv(self) -> str:
        """Return the address of the CSV."""
        return _with(f"/api/v1/{self.view}.csv", self.query)


@dataclass(frozen=True, slots=True)
class Link:
    """Hold a link that may be the one that people are at."""

    name: str
    url: str
    title: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Suggested:
    """Hold what may be written in the fields."""

    projects: Iterable[str]
    groups: Iterable[str]


class Frame:
    """Make the page around one view; ``own`` are the parameters that belong to the view alone.

    ``filters`` are those in the address, unless they are given.
    """

    def __init__(
        self,
        desk: Desk,
        request: Request,
        viewer: Viewer,
        place: str,
        own: Mapping[str, str] | None = None,
        filters: Filters | None = None,
    ) -> None:
        self.filters = filters or asked(desk, request, viewer)
        self._desk = desk
        self._request = request
        self._viewer = viewer
        self._place = place
        self._own = {name: value for name, value in (own or {}).items() if value}

    def url(self, **own: str) -> str:
        """Return the address of this page with the same filters and other parameters of the view."""
        return self._at(self.filters, {name: value for name, value in {**self._own, **own}.items() if value})

    def _at(self, filters: Filters, own: Mapping[str, str]) -> str:
        return _with(self._request.url.path, query_of(filters), urlencode(own))

    def export(self, title: str, view: str, **own: str) -> Export:
        """Return the export of *view* with the filters of this page."""
        own = {name: value for name, value in own.items() if value}
        return Export(title, view, "&".join(filter(None, (query_of(self.filters), urlencode(own)))))

    async def show(
        self,
        *,
        exports: tuple[Export, ...] = (),
        status: int = 200,
        mentioned: Collection[int] = (),
        written: Mapping[str, str] | None = None,
        **values: object,
    ) -> HTMLResponse:
        """Return the page; ``projects`` names those *mentioned*, and fields hold what was *written* in them."""
        places, seen = self._desk.places, self._viewer.reach.projects
        chosen = [] if self.filters.project_id is None else [self.filters.project_id]
        projects = await places.named({*mentioned, *chosen}, seen)
        known = await places.projects(seen)
        return page_for(
            self._request,
            f"dashboard/{self._place}.html",
            status=status,
            filters=self.filters,
            projects=projects,
            suggested=Suggested(known.values(), await places.groups(seen)),
            new=not known and seen != frozenset(),
            fields={**self._fields(projects), **(written or {})},
            blind=seen == frozenset(),
            unled=self._place in _OF_FIGURES and await self._unled(),
            places=self._places(),
            presets=self._presets(),
            only=self._only(),
            of_reviews=self._place in _OF_REVIEWS,
            own=self._own,
            action=self._request.url.path,
            reset=self._request.url.path,
            url=self.url,
            exports=exports,
            today=self._desk.today,
            **values,
        )

    async def _unled(self) -> bool:
        """Say whether only projects are chosen whose figures are for others: that they have none would not be true."""
        reach, chosen = self._viewer.reach, self.filters
        if reach.whole is None or reach.projects is None:
            return False
        if chosen.project_id is not None:
            return chosen.project_id in reach.projects - reach.whole
        return bool(chosen.group) and not await self._desk.places.has_group(chosen.group, reach.whole)

    def _fields(self, projects: Mapping[int, str]) -> dict[str, str]:
        """Return what stands in the fields: a project by its path, where that is known."""
        chosen, number = self.filters, self.filters.project_id
        return {
            "from": chosen.since.isoformat(),
            "to": chosen.until.isoformat(),
            "group": chosen.group,
            "project": "" if number is None else projects.get(number, str(number)),
        }

    def _places(self) -> list[Link]:
        # Whoever has chosen nothing gets short addresses, which go on to show the newest days when kept.
        query = query_of(self.filters) if self._request.query_params else ""
        return [
            Link(name, _with(path, "" if name in _UNFILTERED else query), title, name == self._place)
            for name, path, title in _open_to(self._viewer)
        ]

    def _presets(self) -> list[Link]:
        until = self._desk.today
        windows = {days: (until - timedelta(days=days - 1), until) for days in _PRESETS}
        return [
            Link(
                str(days),
                self._at(replace(self.filters, since=since, until=until), self._own),
                f"{days} days",
                (self.filters.since, self.filters.until) == (since, until),
            )
            for days, (since, until) in windows.items()
        ]

    def _only(self) -> list[tuple[Dimension, str, str]]:
        """Return what comments are held to, and the address that takes each away."""
        only = self.filters.only
        return [
            (
                one,
                value,
                self._at(replace(self.filters, only={k: v for k, v in only.items() if k != one}), self._own),
            )
            for one, value in only.items()
        ]


def _open_to(viewer: Viewer) -> Iterator[tuple[str, str, str]]:
    """Yield the pages that *viewer* may open; what is one's own comes first for those who have nothing else."""
    if viewer.oversees_any:
        yield from _FIGURES
    if viewer.reach.own is not None:
        yield _MINE
    yield _REVIEWS
    if viewer.reads_all:
        yield from _OFFICE


def _with(path: str, *queries: str) -> str:
    query = "&".join(filter(None, queries))
    return f"{path}?{query}" if query else path
