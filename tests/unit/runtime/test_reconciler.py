"""The reconciler on a list in memory that moves while it is read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import Record
from bot.domain.forge import UpdatedMergeRequest, UpdatedPage
from bot.domain.merge_request import MergeRequestRef
from bot.domain.missed import Known
from bot.gitlab.errors import TokenRejected
from bot.runtime.reconciler import EVERY, LEASE, OVERLAP, PASS_PAGES, SETTLE, SOON, Reconciler

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
START = NOW - timedelta(hours=24)
SIZE = 10


def ref(iid: int, project: int = 7) -> MergeRequestRef:
    """Return a merge request's name."""
    return MergeRequestRef(instance="gitlab.example", project_id=project, iid=iid)


def entry(iid: int, at: datetime, state: str = "opened", project: int = 7) -> UpdatedMergeRequest:
    """Return an entry of the list."""
    return UpdatedMergeRequest(ref(iid, project), state, f"{iid:040x}", at)


@dataclass
class MovingList:
    """The forge's list, ten to a page; *meanwhile* happens after each page was read."""

    entries: list[UpdatedMergeRequest] = field(default_factory=list)
    now: datetime | None = NOW
    members: frozenset[int] = frozenset()
    meanwhile: Callable[[MovingList], None] = lambda _: None
    failures: list[Exception] = field(default_factory=list)
    asked: list[tuple[datetime, int]] = field(default_factory=list)
    asked_for_members: int = 0
    problems: tuple[str, ...] = ()

    async def updated_since(self, since: datetime, *, page: int = 1) -> UpdatedPage:
        self.asked.append((since, page))
        if self.failures:
            raise self.failures.pop(0)
        found = sorted((one for one in self.entries if one.updated_at >= since), key=lambda e: e.updated_at)
        rest = found[(page - 1) * SIZE :]
        self.meanwhile(self)
        return UpdatedPage(tuple(rest[:SIZE]), self.problems, len(rest) > SIZE, self.now)

    async def our_projects(self) -> frozenset[int]:
        self.asked_for_members += 1
        return self.members


@dataclass
class MemoryTurn:
    """A turn that remembers its moves."""

    updated_after: datetime
    moves: list[tuple[datetime, timedelta]] = field(default_factory=list)
    lost: bool = False

    async def move(self, updated_after: datetime, *, pause: timedelta) -> None:
        if self.lost:
            raise Obsolete("another process has taken over this pass")
        self.updated_after = updated_after
        self.moves.append((updated_after, pause))


@dataclass
class MemoryReconciliations:
    """What is known, in memory; every claim gets the turn."""

    turn: MemoryTurn | None = field(default_factory=lambda: MemoryTurn(START))
    projects: frozenset[int] = frozenset({7})
    heads: dict[MergeRequestRef, Known] = field(default_factory=dict)
    outages: int = 0

    async def claim(self, instance: str, *, lease: timedelta, first: timedelta) -> MemoryTurn | None:
        if self.outages:
            self.outages -= 1
            raise Transient("the database is away")
        return self.turn

    async def known_projects(self, instance: str, projects: Collection[int]) -> frozenset[int]:
        return self.projects.intersection(projects)

    async def known(self, refs: Sequence[MergeRequestRef]) -> Mapping[MergeRequestRef, Known]:
        return {one: self.heads[one] for one in refs if one in self.heads}


@dataclass
class MemoryLog:
    """A log that takes an id once, or breaks off."""

    records: dict[Any, Record] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)

    async def append(self, records: Sequence[Record]) -> int:
        if self.failures:
            raise self.failures.pop(0)
        before = len(self.records)
        self.records |= {record.id: record for record in records}
        return len(self.records) - before

    @property
    def raised(self) -> list[int]:
        return sorted(record.body["ref"]["iid"] for record in self.records.values())


class Quiet:
    """Telemetry that counts."""

    def __init__(self) -> None:
        self.counted = 0

    def span(self, name: str, **_: Any) -> Any:
        return nullcontext()

    def trace_context(self) -> dict[str, str]:
        return {}

    def count(self, metric: str, value: int = 1, **labels: str) -> None:
        assert metric == "cloister_reconciled"
        self.counted += value


class Stopped:
    """A clock that stands."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


@dataclass
class World:
    """A reconciler and everything around it."""

    forge: MovingList = field(default_factory=MovingList)
    store: MemoryReconciliations = field(default_factory=MemoryReconciliations)
    log: MemoryLog = field(default_factory=MemoryLog)
    telemetry: Quiet = field(default_factory=Quiet)
    clock: datetime = NOW
    members: bool = False

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            forge=self.forge,
            reconciliations=self.store,
            sink=self.log,
            telemetry=self.telemetry,  # type: ignore[arg-type]
            clock=Stopped(self.clock),  # type: ignore[arg-type]
            instance="gitlab.example",
            members=self.members,
        )

    @property
    def moves(self) -> list[tuple[datetime, timedelta]]:
        assert self.store.turn is not None
        return self.store.turn.moves

    async def turn(self) -> None:
        await self.reconciler.take_turn()


@pytest.fixture
def world() -> World:
    return World()


def minutes_ago(minutes: float) -> datetime:
    """Return a time before now."""
    return NOW - timedelta(minutes=minutes)


async def test_what_is_missing_is_raised_once(world: World):
    """A second pass that knows no more raises the same event, which the log has."""
    world.forge.entries = [entry(1, minutes_ago(10)), entry(2, minutes_ago(9))]
    world.store.heads[ref(2)] = Known(f"{2:040x}", False, None)
    await world.turn()
    await world.turn()
    assert [1] == world.log.raised
    assert world.telemetry.counted == 1
    assert [(minutes_ago(9), EVERY), (minutes_ago(9), EVERY)] == world.moves


async def test_nothing_happens_while_no_pass_is_due(world: World):
    """Nobody is asked."""
    world.store.turn = None
    world.forge.entries = [entry(1, minutes_ago(10))]
    await world.turn()
    assert [] == world.forge.asked


async def test_nothing_listed_leaves_the_cursor_alone(world: World):
    """It follows what was seen, no clock."""
    await world.turn()
    assert [(START, EVERY)] == world.moves


async def test_what_is_fresh_is_left_to_its_hook_and_seen_by_the_next_pass(world: World):
    """The cursor does not pass what was not compared, nor what the list may still be missing."""
    settled, fresh = NOW - SETTLE, NOW - SETTLE + timedelta(milliseconds=1)
    world.forge.entries = [entry(1, minutes_ago(10)), entry(2, settled), entry(3, fresh)]
    await world.turn()
    assert [1, 2] == world.log.raised
    assert [(NOW - OVERLAP, EVERY)] == world.moves
    world.forge.now = NOW + timedelta(minutes=5)
    world.forge.entries.append(entry(4, NOW - OVERLAP + timedelta(seconds=1)))
    await world.turn()
    assert [1, 2, 3, 4] == world.log.raised


@pytest.mark.parametrize("skew", [timedelta(hours=-1), timedelta(hours=1)])
async def test_our_clock_does_not_matter(world: World, skew: timedelta):
    """What is fresh is judged by the forge's own clock."""
    world.clock = NOW + skew
    world.forge.entries = [entry(1, minutes_ago(1)), entry(2, minutes_ago(0.1))]
    await world.turn()
    assert [1] == world.log.raised


async def test_our_clock_stands_in_where_the_forge_tells_no_time(world: World):
    """Some proxies drop the header."""
    world.forge.now = None
    world.forge.entries = [entry(1, minutes_ago(1)), entry(2, minutes_ago(0.1))]
    await world.turn()
    assert [1] == world.log.raised


async def test_the_cursor_never_goes_back(world: World):
    """A forge whose clock is put back by a year must not have us start all over."""
    world.forge.now = NOW - timedelta(days=365)
    world.forge.entries = [entry(1, minutes_ago(10))]
    await world.turn()
    assert [(START, EVERY)] == world.moves


async def test_a_list_that_moves_is_read_completely(world: World):
    """Whatever is updated between two pages, every merge request is compared in its last state or left to a hook."""
    for seed in range(200):
        chance = random.Random(seed)
        count = chance.randint(0, 100)
        times = [minutes_ago(chance.choice([5, 6, chance.uniform(1, 600)])) for _ in range(count)]
        entries = [entry(iid, at) for iid, at in enumerate(times, start=1)]
        forge = MovingList(entries)
        moved: set[int] = set()

        def meanwhile(forge: MovingList, chance: random.Random = chance, moved: set[int] = moved) -> None:
            for _ in range(chance.randint(0, 3)):
                place = chance.randrange(len(forge.entries))
                forge.entries[place] = replace(
                    forge.entries[place], updated_at=minutes_ago(chance.choice([0.1, 0.9]))
                )
                moved.add(forge.entries[place].ref.iid)

        forge.meanwhile = meanwhile if entries else forge.meanwhile
        forge.now = NOW
        world = World(forge=forge)
        await world.turn()
        still = {one.ref.iid for one in entries if one.ref.iid not in moved}
        assert still <= set(world.log.raised), seed
        forge.meanwhile = lambda _: None
        forge.now = NOW + timedelta(minutes=5)
        await world.turn()
        assert list(range(1, count + 1)) == world.log.raised, seed


async def test_more_of_one_time_than_fit_on_a_page(world: World):
    """A bulk edit gives a hundred merge requests the same time; the next page, not the time, leads on."""
    world.forge.entries = [entry(iid, minutes_ago(10)) for iid in range(1, 36)]
    world.forge.entries += [entry(iid, minutes_ago(5)) for iid in range(36, 40)]
    await world.turn()
    assert list(range(1, 40)) == world.log.raised
    assert minutes_ago(5) == world.moves[-1][0]


async def test_a_backlog_is_worked_off_in_parts(world: World):
    """A pass asks for so many pages; the next one goes on soon, where this one ended."""
    count = PASS_PAGES * (SIZE - 1) * 2
    world.forge.entries = [entry(n, minutes_ago(600 - n)) for n in range(1, count + 1)]
    with structlog.testing.capture_logs() as logs:
        await world.turn()
    assert len(world.forge.asked) == PASS_PAGES
    assert [LEASE] * (PASS_PAGES - 1) + [SOON] == [pause for _, pause in world.moves]
    assert ["reconcile.unfinished"] == [line["event"] for line in logs if line["event"] != "reconcile.raised"]
    reached = world.moves[-1][0]
    await world.turn()
    await world.turn()
    assert (reached, 1) == world.forge.asked[PASS_PAGES]
    assert list(range(1, count + 1)) == world.log.raised
    assert world.moves[-1][1] == EVERY


async def test_a_backlog_of_one_time_does_not_repeat_itself(world: World):
    """Where a part would end where it began, it goes on."""
    count = PASS_PAGES * SIZE * 2
    world.forge.entries = [entry(n, minutes_ago(60)) for n in range(1, count + 1)]
    world.forge.entries.append(entry(count + 1, minutes_ago(10)))
    for _ in range(4):
        await world.turn()
    assert list(range(1, count + 2)) == world.log.raised
    assert world.moves[-1][1] == EVERY


async def test_a_list_without_an_end_is_given_up(world: World):
    """A server that answers every page with the same entries cannot keep us."""
    world.forge.entries = [entry(1, minutes_ago(60))] * (SIZE * 1001)
    await world.turn()
    with structlog.testing.capture_logs() as logs:
        await world.turn()
    assert logs[-1]["event"] == "reconcile.failed"
    assert len(world.forge.asked) == PASS_PAGES + 1000


async def test_other_projects_are_left_alone(world: World):
    """An account may be a member where nobody asked for reviews."""
    world.forge.entries = [entry(1, minutes_ago(10)), entry(2, minutes_ago(9), project=8)]
    world.forge.members = frozenset({7, 8})
    await world.turn()
    assert [1] == world.log.raised
    assert world.forge.asked_for_members == 0


async def test_members_look_into_all_their_projects(world: World):
    """They are asked for once in a pass, and only if that matters."""
    world.members = True
    world.forge.members = frozenset({8})
    world.forge.entries = [entry(n, minutes_ago(60 - n)) for n in range(1, 30)]
    world.forge.entries.append(entry(30, minutes_ago(20), state="merged", project=8))
    await world.turn()
    assert world.forge.asked_for_members == 0
    world.forge.entries += [entry(n, minutes_ago(15 - n / 10), project=8) for n in range(31, 50)]
    world.forge.entries += [entry(50, minutes_ago(8), project=9)]
    await world.turn()
    assert world.forge.asked_for_members == 1
    assert list(range(1, 30)) + list(range(31, 50)) == world.log.raised


async def test_odd_entries_are_skipped_and_named(world: World):
    """One that says nothing useful does not stop the others."""
    world.forge.problems = ("GET merge_requests: the answer has no usable iid",)
    world.forge.entries = [
        replace(entry(1, minutes_ago(10)), head_sha=None),
        entry(2, minutes_ago(9), state="melted"),
        entry(3, minutes_ago(8)),
    ]
    with structlog.testing.capture_logs() as logs:
        await world.turn()
    assert [3] == world.log.raised
    reasons = [line["reason"] for line in logs if line["event"] == "reconcile.skipped"]
    assert [*world.forge.problems, "it has no head", "its state is not known"] == reasons


@pytest.mark.parametrize(
    ("wait_s", "error"),
    [
        (300, Transient("502")),
        (300, Transient("429", retry_after_s=20)),
        (900, Transient("429", retry_after_s=900)),
        (3600, Transient("429", retry_after_s=10**9)),
        (300, TokenRejected("401")),
        (300, Permanent("this is not GitLab")),
    ],
)
async def test_a_failure_ends_the_pass_not_the_process(world: World, wait_s: float, error: Exception):
    """It is named, and the next pass comes when the other side allows it."""
    world.forge.entries = [entry(1, minutes_ago(10))]
    world.forge.failures = [error]
    with structlog.testing.capture_logs() as logs:
        await world.turn()
    assert [(START, timedelta(seconds=wait_s))] == world.moves
    assert [("reconcile.failed", str(error))] == [(line["event"], line["error"]) for line in logs]
    await world.turn()
    assert [1] == world.log.raised


async def test_the_cursor_waits_for_the_log(world: World):
    """What could not be appended is looked for again."""
    world.forge.entries = [entry(1, minutes_ago(10))]
    world.log.failures = [Transient("the log is away")]
    await world.turn()
    assert [(START, EVERY)] == world.moves
    await world.turn()
    assert [1] == world.log.raised


async def test_who_was_overtaken_gives_way(world: World):
    """A process that slept through its lease neither moves the cursor nor complains."""
    assert world.store.turn is not None
    world.store.turn.lost = True
    world.forge.entries = [entry(1, minutes_ago(10))]
    with structlog.testing.capture_logs() as logs:
        await world.turn()
    assert "reconcile.taken_over" in [line["event"] for line in logs]
    assert [] == world.moves


async def test_neither_outages_nor_bugs_end_the_work(world: World):
    """A store that is away and an exception that nobody foresaw are logged, and it goes on until cancelled."""
    world.store.outages = 1
    world.forge.failures = [ZeroDivisionError("bug")]
    world.forge.entries = [entry(1, minutes_ago(10))]
    reconciler = world.reconciler
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(reconciler.run(poll_s=0.001))
        async with asyncio.timeout(150):
            while not world.log.records:
                await asyncio.sleep(0.001)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    failed = [line for line in logs if line["event"] == "reconcile.failed"]
    assert ["the database is away", "unexpected ZeroDivisionError"] == [line["error"] for line in failed]
    assert [False, True] == [bool(line["exc_info"]) for line in failed]


async def test_catching_up_goes_to_the_end_at_once(world: World):
    """The operator's pass has no limit, takes nobody's turn and leaves the cursor alone."""
    count = PASS_PAGES * SIZE * 2
    world.forge.entries = [entry(n, minutes_ago(600 - n)) for n in range(1, count + 1)]
    raised = await world.reconciler.catch_up(minutes_ago(700))
    assert (count, count) == (len(raised.records), raised.new)
    assert [] == world.moves
    again = await world.reconciler.catch_up(minutes_ago(700))
    assert (count, 0) == (len(again.records), again.new)
