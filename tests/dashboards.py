"""A `Dashboard` with a made-up history, for tests of pages: every field that pages show can be one hostile text."""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from threading import Thread
from typing import Any

import uvicorn
from fastapi import APIRouter, Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.domain.audit_log import Act, Checked, Entry, checked
from bot.domain.comment_lines import (
    ALL_REVIEWS,
    Became,
    CommentLine,
    Comments,
    Deed,
    Picked,
    Which,
)
from bot.domain.dashboard import (
    RECENT,
    Acceptance,
    AcceptanceRow,
    Change,
    Dimension,
    Filters,
    Flow,
    Funnel,
    Gate,
    Grain,
    Labels,
    Marker,
    Muted,
    Mutes,
    Noise,
    NoiseRow,
    Point,
    Spread,
    TimeSeries,
    Waived,
)
from bot.domain.dashboard_measures import Counted, Measure, Overview, Tile
from bot.domain.dead_letters import DeadLetter
from bot.domain.evaluation.intervals import Share
from bot.domain.labels import Censored
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import CallOutcome, ModelCallRecord
from bot.domain.review_detail import (
    Cursor,
    Health,
    Queue,
    ReviewDetail,
    ReviewLine,
    Reviews,
    SaidLine,
    StepLine,
)
from bot.domain.review_fact import Reason
from bot.domain.viewer import Reach, Viewer
from bot.ports.listings import Sought
from bot.ports.places import CommentPlace
from bot.web.app import application
from bot.web.dashboard import Desk, audit, dashboards
from bot.web.dashboard.desk import nobody
from bot.web.problems import Problem

NOW = datetime(2026, 5, 29, 9, 30, tzinfo=UTC)
#: Two projects: most tests look at the first.
SHOP, BANK = 12, 34
_PATHS = {SHOP: "retail/shop", BANK: "bank/ledger"}
#: Who made all merge requests.
AUTHOR = 1
FORM_TOKEN = "a token"
#: What only works where text becomes markup or script; each calls `found` if it runs.
HOSTILE = (
    "<script>found()</script>",
    "\"'><img src=x onerror=found()><svg onload=found()>",
    "</title></script></textarea></table><iframe srcdoc='<script>parent.found()</script>'>",
    "javascript:found()//' autofocus onfocus=found() x='",
    "{{ 7*7 }}${found()}<math><mi//xlink:href='data:x,<script>found()</script>'>\u202e\u0000",
    "<div hx-get=/x hx-trigger=load hx-on::load=found() data-hx-on:htmx:load=found()>",
    "--><!--<![CDATA[ ]]>&lt;script&gt;&#x3c;b>",
)
MayDecide = Callable[[Viewer, int], Awaitable[bool]]
#: How many reviews there are, and how many go on a page.
REVIEWS, PER_PAGE = 25, 20


def run_of(number: int) -> uuid.UUID:
    """Return the id of a review; 0 is the newest."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"review {number}")


MUTE = uuid.uuid5(uuid.NAMESPACE_URL, "mute")

#: Value, accepted strictly, accepted weakly besides, rejected, ignored, thumbs-down.
_ROWS: Mapping[Dimension, tuple[tuple[str, int, int, int, int, int], ...]] = {
    Dimension.category: (
        ("injection", 61, 9, 14, 40, 6),
        ("secrets", 22, 2, 1, 9, 0),
        ("correctness", 88, 31, 70, 190, 31),
        ("dependencies", 18, 32, 19, 55, 4),
        ("performance", 9, 6, 41, 80, 22),
        ("readability", 3, 1, 9, 21, 5),
    ),
    Dimension.rule: (
        ("python.sql-from-format", 40, 4, 6, 20, 2),
        ("java.unclosed-resource", 21, 8, 18, 31, 7),
        ("secrets.aws-access-key", 12, 1, 0, 4, 0),
        ("", 2, 0, 1, 3, 0),
    ),
    Dimension.severity: (
        ("critical", 34, 4, 6, 12, 1),
        ("high", 71, 21, 40, 110, 15),
        ("low", 9, 6, 44, 90, 20),
    ),
}


@dataclass
class Shown:
    """Answer every view; ``said`` stands in each field of foreign text, ``empty`` leaves nothing to show.

    ``asked`` keeps the filters of each question.
    """

    said: str = ""
    empty: bool = False
    muted: dict[uuid.UUID, Muted] = field(default_factory=dict)
    asked: list[Filters] = field(default_factory=list)
    sought: list[Sought] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.empty:
            why = self._text("0 of 12 accepted, which is beyond chance")
            self.muted[MUTE] = self._muted(MUTE, self._text("go.long-function"), why)

    def _text(self, usual: str) -> str:
        return self.said or usual

    def _muted(self, mute_id: uuid.UUID, rule: str, why: str, *, automatic: bool = True) -> Muted:
        since, until = NOW - timedelta(days=3), NOW + timedelta(days=27)
        return Muted(mute_id, SHOP, rule, self._text("readability"), why, since, until, automatic)

    async def overview(self, filters: Filters) -> Overview:
        """Return tiles of every kind: clear, by chance, on few cases, and of nothing."""
        self.asked.append(filters)
        if self.empty:
            return Overview(tuple(Tile(one, Counted.comments, None, 0, None, 0) for one in Measure))
        return Overview(
            (
                _share(Measure.acceptance, 201, 416, 0.41, 380),
                _share(Measure.acceptance_weak, 262, 416, 0.61, 380),
                _share(Measure.downvoted, 68, 811, 0.052, 760),
                _number(Measure.comments_per_merge_request, 2.4, 338, 2.4),
                _share(Measure.silent, 148, 412, 0.34, 390, Counted.reviews),
                _share(Measure.coverage, 5120, 5230, 0.981, 4800, Counted.reviews),
                _number(Measure.first_comment_p50, 74.0, 264, 96.0),
                _number(Measure.first_comment_p95, 412.0, 264, 398.0),
                _number(Measure.open_criticals, 3.0, 44, 5.0),
                _share(Measure.blocked, 57, 412, 0.12, 390, Counted.reviews),
                _share(Measure.waived, 2, 12, 0.2, 10, Counted.reviews),
            ),
            NOW - timedelta(minutes=2),
        )

    async def funnel(self, filters: Filters) -> Funnel:
        """Return a way on which something is lost for most reasons."""
        if self.empty:
            return Funnel(0, (), 0, 0, 0, 0, 0)
        lost = (
            (Reason.rejected, 402),
            (Reason.merged, 88),
            (Reason.policy, 141),
            (Reason.duplicate, 64),
            (Reason.mild, 260),
            (Reason.declined, 31),
            (Reason.muted, 47),
            (Reason.budget, 22),
            (Reason.known, 118),
        )
        return Funnel(811 + sum(number for _, number in lost), lost, 811, 811, 348, 322, 131)

    async def acceptance(self, filters: Filters, dimension: Dimension) -> Acceptance:
        """Return rows, one of them on few decisions; other dimensions than the usual have one row."""
        self.asked.append(filters)
        usual = _ROWS.get(dimension, (("deepseek-coder-v2:16b", 40, 10, 30, 90, 12),))
        rows = [
            AcceptanceRow(self._text(value) if value else "", Labels(strong, weak, against, ignored, 6), down)
            for value, strong, weak, against, ignored, down in (() if self.empty else usual)
        ]
        rows.sort(key=lambda row: -row.labels.strict.interval[0])
        return Acceptance(dimension, tuple(rows), left_out=0 if self.empty else 3)

    async def time_series(self, filters: Filters, grain: Grain) -> TimeSeries:
        """Return a point for every day or week, with waves, a day without comments and two changes."""
        step = timedelta(days=1 if grain is Grain.day else 7)
        first = (
            filters.since if grain is Grain.day else filters.since - timedelta(days=filters.since.weekday())
        )
        days = [first + number * step for number in range((filters.until - first) // step + 1)]
        points = tuple(self._point(number, day, step) for number, day in enumerate(days))
        if self.empty:
            return TimeSeries(grain, points)
        return TimeSeries(
            grain,
            points,
            (
                Marker(days[len(days) // 3], Change.prompt, self._text("review v7")),
                Marker(
                    days[len(days) * 2 // 3], Change.model, self._text("deepseek-coder-v2:16b 63fb193b3a9b")
                ),
            ),
        )

    def _point(self, number: int, day: date, step: timedelta) -> Point:
        recent = day + step > NOW.date() - RECENT
        if self.empty or (day.weekday() == 6 and step.days == 1):
            return Point(day, Labels(), 0, 0, recent)
        many = 22 + round(9 * math.sin(number / 2)) - (14 if day.weekday() == 5 else 0)
        decided = max(4, many // (3 if recent else 1))
        strong = round(decided * (0.35 + number / 200))
        labels = Labels(strong, decided // 5, decided - strong - decided // 5, many, 2)
        return Point(day, labels, decided // 9, 8 + many // 3, recent)

    async def noise(self, filters: Filters) -> Noise:
        """Return two rules with samples, one of them on few decisions, and what is muted."""
        self.asked.append(filters)
        if self.empty:
            return Noise(())
        samples = (run_of(1), run_of(2))
        rows = (
            NoiseRow(
                self._text("semgrep"), self._text("java.magic-number"), Labels(4, 2, 39, 60), 17, samples
            ),
            NoiseRow(self._text("model"), self._text("rename-variable"), Labels(1, 0, 9, 20), 6),
        )
        return Noise(rows, await self.mutes(filters, limit=100))

    async def mutes(self, filters: Filters, *, after: Cursor | None = None, limit: int = 50) -> Mutes:
        """Return a page of what is muted, whatever is asked for."""
        self.asked.append(filters)
        found = sorted(self.muted.values(), key=lambda one: (one.until, one.id))
        rest = [one for one in found if after is None or (one.until, one.id) > (after.at, after.id)]
        last = rest[limit - 1] if len(rest) > limit else None
        return Mutes(tuple(rest[:limit]), len(found), Cursor(last.until, last.id) if last else None)

    async def flow(self, filters: Filters) -> Flow:
        """Return durations, one of them on few cases."""
        if self.empty:
            nothing = Spread(0)
            return Flow(nothing, nothing, nothing, nothing)
        return Flow(
            Spread(264, 74.0, 412.0),
            Spread(190, 9_800.0, 180_000.0),
            Spread(14, 61_000.0, 500_000.0),
            Spread(122, 2.0, 6.0),
        )

    async def gate(self, filters: Filters) -> Gate:
        """Return verdicts and a waiver that ends soon."""
        if self.empty:
            return Gate(0, 0, 0, 0)
        until = NOW.date() + timedelta(days=5)
        reason = self._text("the vendor mends it with the release of June")
        waived = Waived(MUTE, _ref(7), self._text("python.sql-from-format"), reason, until)
        return Gate(412, 57, 4, 12, (waived,))

    async def comments(
        self,
        filters: Filters,
        *,
        became: Became | None = None,
        after: Cursor | None = None,
        limit: int = 50,
    ) -> Comments:
        """Return pages of `PER_PAGE` comments, of each outcome one after the other."""
        self.asked.append(filters)
        lines = [] if self.empty else [self._comment(number) for number in range(REVIEWS)]
        lines = [line for line in lines if filters.project_id in {None, line.ref.project_id}]
        if became is not None:
            lines = [line for line in lines if line.label == became or became is Became.decided]
        if after is not None:
            lines = [line for line in lines if line.posted_at < after.at]
        shown = lines[:PER_PAGE]
        more = len(lines) > PER_PAGE
        return Comments(tuple(shown), Cursor(shown[-1].posted_at, shown[-1].id) if more else None)

    def _comment(self, number: int) -> CommentLine:
        label, did = _OUTCOMES[number % len(_OUTCOMES)]
        ref, text = _ref(number), self._text
        return CommentLine(
            run_of(number), ref, text(_PATHS[ref.project_id]), run_of(number), NOW - timedelta(hours=3 * number + 1),
            text("semgrep"), text("python.sql-from-format"), text("injection"), "high", text("python"),
            text("src/main/java/bank/ledger/Booking.java"), 118, text("SQL is built from a name"), label,
            suggested=True, did=did, censored_why=Censored.open if label == "censored" else None,
        )  # fmt: skip

    async def reviews(
        self,
        filters: Filters,
        *,
        picked: Picked = ALL_REVIEWS,
        after: Cursor | None = None,
        limit: int = 50,
        newest: bool = False,
    ) -> Reviews:
        """Return pages of `PER_PAGE` reviews."""
        self.asked.append(filters)
        if self.empty:
            return Reviews(())
        reach = Reach(filters.visible, filters.own)
        lines = [self._line(one) for one in range(REVIEWS) if reach.covers(_ref(one).project_id, AUTHOR)]
        if picked.which is Which.blocked:
            lines = [line for line in lines if line.blocking]
        if filters.project_id is not None:
            lines = [line for line in lines if line.ref.project_id == filters.project_id]
        if after is not None:
            lines = [line for line in lines if line.created_at < after.at]
        shown = lines[:PER_PAGE]
        more = len(lines) > PER_PAGE
        return Reviews(tuple(shown), Cursor(shown[-1].created_at, shown[-1].run_id) if more else None)

    def _line(self, number: int) -> ReviewLine:
        began = NOW - timedelta(hours=5 * number + 1)
        ref = _ref(number)
        return ReviewLine(
            run_id=run_of(number),
            ref=ref,
            project=self._text(_PATHS[ref.project_id]),
            title=self._text(_TITLES[number % len(_TITLES)]),
            head_sha=uuid.uuid5(uuid.NAMESPACE_URL, f"head {number}").hex + "0" * 8,
            state="working" if number == 0 else "finished",
            created_at=began,
            published_at=None if number == 0 else began + timedelta(seconds=80),
            generated=9 + number % 4,
            posted=number % 4,
            blocking=int(number % 5 == 1),
            waived=int(number % 7 == 3),
            files=6 + number % 9,
            files_read=5 + number % 9,
            verdict="1 blocking finding" if number % 5 == 1 else "nothing blocks",
            blocks=(self._text("SQL is built from a name"),) if number % 5 == 1 else (),
        )

    async def review(self, run_id: uuid.UUID, reach: Reach) -> ReviewDetail | None:
        """Return one review from the inside; `AUTHOR` made all merge requests."""
        number = next((one for one in range(REVIEWS) if run_of(one) == run_id), None)
        if number is None or not reach.covers(_ref(number).project_id, AUTHOR):
            return None
        text, sha = self._text, "5f" * 32
        return ReviewDetail(
            line=self._line(number),
            steps=(
                StepLine("scan:semgrep", "done", "", 6.2, 0),
                StepLine("scan:secrets", "done", "", 0.9, 0),
                StepLine("scan:dependencies", "failed", text("the advisories are 40 days old"), 0.4, 0),
                StepLine("review", "done", "", 58.7, 18_400),
            ),
            said=(
                self._said("python.sql-from-format", "SQL is built from a name", "open", "accepted_strong"),
                self._said("", "The loop reads one past the end", "resolved", "unknown"),
            ),
            filtered=(
                self._said("", "Rename this variable", reason=Reason.muted),
                self._said("python.eval", "eval on a constant", reason=Reason.rejected),
                self._said("", "Add a docstring", reason=Reason.mild),
            ),
            unread={text("web/package-lock.json"): text("it is generated")},
            problems=(text("the advisories are 40 days old; import newer ones"),),
            calls=(
                ModelCallRecord(
                    run_of(0), run_id, text("deepseek-coder-v2:16b"), text("63fb193b3a9b4322"), text("review v7"),
                    sha, sha, 17_200, 1_200, 58.1, CallOutcome.used,
                ),
            ),
            trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        )  # fmt: skip

    def _said(
        self, rule: str, title: str, state: str = "", label: str = "", reason: Reason | None = None
    ) -> SaidLine:
        return SaidLine(
            fingerprint="ab" * 32,
            scanner=self._text("semgrep" if rule else "model"),
            rule=self._text(rule),
            severity="high",
            path=self._text("src/main/java/bank/ledger/Booking.java"),
            line=118,
            title=self._text(title),
            state=state,
            label=label,
            reason=reason,
            detail=self._text("the quote is not in the file") if reason is Reason.rejected else "",
        )

    async def health(self) -> Health:
        """Return two queues and a dead letter."""
        if self.empty:
            return Health((), 0, (), 0, None, None, None, 8_200_000)
        content = {"kind": self._text("scan.requested"), "key": _ref(3).key}
        letter = DeadLetter(
            7, "scan", run_of(3), 5, self._text("Permanent"), self._text("the report is not JSON"),
            NOW - timedelta(hours=3), content,
        )  # fmt: skip
        queues = (Queue("review", 4, NOW - timedelta(seconds=95)), Queue("publish", 0))
        return Health((letter,), 1, queues, 2, NOW - timedelta(seconds=20), 0.48, 0.09, 2_310_000_000)

    async def projects(self, visible: frozenset[int] | None, *, containing: str = "") -> Mapping[int, str]:
        """Return the paths of both projects, as far as they are visible and contain the text."""
        found = await self.named(_PATHS, visible)
        return {one: path for one, path in found.items() if containing.lower() in path}

    async def groups(self, visible: frozenset[int] | None, *, containing: str = "") -> list[str]:
        """Return the groups of both projects."""
        paths = (await self.named(_PATHS, visible)).values()
        groups = sorted({self._text(path.partition("/")[0]) for path in paths})
        return [path for path in groups if containing.lower() in path]

    async def named(self, numbers: Collection[int], visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return the paths of both projects, as far as they are visible."""
        known = [one for one in numbers if one in _PATHS and _seen(one, visible) and not self.empty]
        return {one: self._text(_PATHS[one]) for one in known}

    async def called(self, name: str, visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return projects with that path or last name."""
        paths = {one: path for one, path in _PATHS.items() if _seen(one, visible)}
        return {one: path for one, path in paths.items() if name in {path, path.partition("/")[2]}}

    async def has_group(self, path: str, visible: frozenset[int] | None) -> bool:
        """Say whether one of both projects is in a group."""
        return any(known.startswith(f"{path}/") and _seen(one, visible) for one, known in _PATHS.items())

    async def comment(self, comment_id: uuid.UUID, reach: Reach) -> CommentPlace | None:
        """Return where a comment of the first project stands."""
        return CommentPlace(self._text(_PATHS[SHOP]), 399, 1234) if reach.covers(SHOP, AUTHOR) else None

    async def newest_review(self, project_id: int, iid: int, reach: Reach) -> uuid.UUID | None:
        """Return the review of that merge request."""
        number = 400 - iid
        known = reach.covers(project_id, AUTHOR) and _ref(number).project_id == project_id
        return run_of(number) if known else None

    async def entries(self, sought: Sought, *, before: int | None, limit: int) -> Sequence[Entry]:
        """Return entries of the audit log."""
        self.sought.append(sought)
        return [] if self.empty else self._entries()[:limit]

    async def chain(self) -> Checked:
        """Return what a look at the chain of the entries comes to."""
        return checked([] if self.empty else self._entries(), most=10)

    def _entries(self) -> list[Entry]:
        text, entries = self._text, list[Entry]()
        for number in range(3):
            act = Act(
                text(f"gitlab:{number}:lea"), text("noise.mute"), text("rule semgrep/x"), SHOP,
                {text("why"): text("noise"), "until": None},
            )  # fmt: skip
            entries.insert(0, Entry.after(entries[0] if entries else None, act, NOW))
        return entries

    async def mute(
        self, project_id: int, scanner: str, rule: str, *, why: str, until: datetime, by: Viewer
    ) -> None:
        """Keep a mute."""
        new = uuid.uuid4()
        self.muted[new] = Muted(new, project_id, rule, "", why, NOW, until, automatic=False)

    async def mute_for_group(
        self, group: str, scanner: str, rule: str, *, why: str, until: datetime, by: Viewer
    ) -> None:
        """Keep a mute of a group."""
        new = uuid.uuid4()
        self.muted[new] = Muted(new, None, rule, "", why, NOW, until, automatic=False, group=group)

    async def unmute_for_group(self, group: str, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        """Forget a mute of the group."""
        return self.muted[mute_id].group == group and bool(self.muted.pop(mute_id))

    async def unmute(self, project_id: int, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        """Forget a mute of the project."""
        found = self.muted.get(mute_id)
        if found is None or found.project_id != project_id:
            return False
        del self.muted[mute_id]
        return True


#: What became of comments, and what people did.
_OUTCOMES: tuple[tuple[str, Mapping[Deed, int]], ...] = (
    ("accepted_strong", {Deed.applied: 1, Deed.thumbs_up: 2}),
    ("rejected_strong", {Deed.thumbs_down: 3, Deed.called_wrong: 1}),
    ("unknown", {}),
    ("censored", {}),
)

_TITLES = (
    "Book transfers in one transaction",
    "Let customers export their orders",
    "Draft: retry the payment gateway",
    "Raise the limit of the search",
)


def _ref(number: int) -> MergeRequestRef:
    project = SHOP if number % 3 else BANK
    return MergeRequestRef(instance="gitlab.example", project_id=project, iid=400 - number)


def _share(
    measure: Measure, count: int, of: int, before: float, before_n: int, counted: Counted = Counted.comments
) -> Tile:
    share = Share(count, of)
    return Tile(measure, counted, share.value, of, before, before_n, share)


def _number(measure: Measure, value: float, n: int, before: float) -> Tile:
    return Tile(measure, Counted.reviews, value, n, before, n)


def _seen(project_id: int, visible: frozenset[int] | None) -> bool:
    return visible is None or project_id in visible


class _Silent:
    def __getattr__(self, name: str) -> None:
        raise AssertionError(name)


class Frozen:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the moment of all that is shown."""
        return NOW

    def monotonic(self) -> float:
        """Return it in seconds."""
        return 0.0


async def ready() -> list[str]:
    """Say that nothing is wrong."""
    return []


def pages_of(
    shown: Shown,
    viewer: Viewer,
    may_decide: MayDecide,
    may_decide_group: Callable[[Viewer, str], Awaitable[bool]] = nobody,
) -> ASGIApp:
    """Return the pages as *viewer* gets them; forms need `FORM_TOKEN`."""
    site = _site(may_decide, may_decide_group)

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        _SHOWN.set(shown)
        _VIEWER.set(viewer)
        await site(scope, receive, send)

    return pages


_SHOWN: ContextVar[Shown] = ContextVar("_SHOWN")
_VIEWER: ContextVar[Viewer] = ContextVar("_VIEWER")


class _Asked:
    """Answer as what is shown in this request does."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_SHOWN.get(), name)


@cache
def _site(may_decide: MayDecide, may_decide_group: Callable[[Viewer, str], Awaitable[bool]]) -> ASGIApp:
    """Return the pages for whatever is shown to whomever: to put them together takes longer than to ask for one."""

    async def guard(request: Request) -> None:
        request.state.viewer, request.state.form_token = _VIEWER.get(), FORM_TOKEN
        if request.method == "POST" and (await request.form()).get("form_token") != FORM_TOKEN:
            raise Problem(403, "stale_form", "reload the page")

    shown: Any = _Asked()
    desk = Desk(shown, shown, Frozen(), "https://gitlab.example", may_decide, shown, may_decide_group)
    site = APIRouter(dependencies=[Depends(guard)])
    for router in (*dashboards(desk), audit.router(desk, shown)):
        site.include_router(router)
    return application(
        None,
        routers=[site],
        telemetry=_Silent(),  # type: ignore[arg-type]
        exposition=lambda: b"",
        ready=ready,
    )


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve *app* in a thread, so that no event loop of a test has to, and return its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
