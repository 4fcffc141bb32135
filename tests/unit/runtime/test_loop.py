"""The consume loop on a log and a store in memory."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import Event, FetchRequested, Record, Stage
from bot.domain.merge_request import MergeRequestRef
from bot.domain.retry import MAX_CRASHES, MAX_UPGRADE_WAITS
from bot.ports import Delivery, OnRevoke, Start, keep_all
from bot.runtime.consumer import Consumer, Work
from bot.runtime.loop import ConsumeLoop


def record(number: int, iid: int = 1) -> Record:
    """Return the *number*-th event of merge request *iid*."""
    ref = MergeRequestRef(instance="gitlab.example", project_id=1, iid=iid)
    identity = uuid.uuid5(uuid.NAMESPACE_OID, f"{iid}:{number}")
    return Record.of(FetchRequested(ref=ref, run_id=identity), id=identity)


@dataclass
class MemoryLog:
    """One partition in memory that is handed out once."""

    records: list[Record] = field(default_factory=list)
    appended: list[Record] = field(default_factory=list)
    commits: list[dict[int, int]] = field(default_factory=list)
    asked_for: list[int] = field(default_factory=list)
    cursor: int = 0
    #: Partition -> epoch.
    partitions: dict[int, int] = field(default_factory=lambda: {0: 1})
    settled: bool = True
    on_revoke: OnRevoke = keep_all

    async def append(self, records: Sequence[Record]) -> int:
        self.appended += records
        return len(records)

    def subscribe(self, group: str, stage: str, *, on_revoke: OnRevoke = keep_all) -> "MemoryLog":
        self.cursor = 0
        self.on_revoke = on_revoke
        return self

    async def __aenter__(self) -> "MemoryLog":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def poll(self, *, max_records: int, timeout_s: float) -> list[Delivery]:
        await asyncio.sleep(0.001)
        self.asked_for.append(max_records)
        taken = range(self.cursor, min(len(self.records), self.cursor + max_records))
        self.cursor = taken.stop if taken else self.cursor
        return [Delivery(0, offset, 1, self.records[offset]) for offset in taken]

    async def lag(self) -> int:
        return len(self.records) - self.cursor

    async def commit(self, offsets: Mapping[int, int]) -> None:
        self.commits.append(dict(offsets))

    def owned(self) -> Mapping[int, int]:
        return self.partitions


@dataclass
class MemoryStore:
    """An inbox in memory."""

    done: set[uuid.UUID] = field(default_factory=set)
    starts: dict[uuid.UUID, int] = field(default_factory=dict)
    parked: list[tuple[uuid.UUID, int, str, str]] = field(default_factory=list)
    outages: int = 0

    async def start(self, group: str, event_id: uuid.UUID, failures: int) -> Start:
        if self.outages:
            self.outages -= 1
            raise Transient("the store is away")
        self.starts[event_id] = self.starts.get(event_id, 0) + 1
        return Start(event_id in self.done, max(0, self.starts[event_id] - 1 - failures))

    async def unstart(self, group: str, event_id: uuid.UUID) -> None:
        self.starts[event_id] -= 1

    @asynccontextmanager
    async def commit(self, group: str, parent: Record) -> AsyncIterator[None]:
        if parent.id in self.done:
            raise Obsolete("done")
        yield
        self.done.add(parent.id)

    async def park(self, group: str, record: Record, *, attempts: int, error: str, reason: str) -> None:
        self.parked.append((record.id, attempts, error, reason))
        self.done.add(record.id)


class Silent:
    """Telemetry that goes nowhere."""

    def span(self, name: str, **attributes: Any) -> Any:
        return nullcontext()

    def trace_context(self) -> dict[str, str]:
        return {}

    def count(self, *arguments: Any, **labels: str) -> None:
        pass

    observe = gauge = count


class Now:
    """A clock whose monotonic time passes quickly, so that commits come soon."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        self.seconds += 0.5
        return self.seconds


async def consume(
    handle: Callable[..., Any],
    log: MemoryLog,
    store: MemoryStore,
    until: Callable[[], bool],
    *,
    concurrency: int = 4,
    exhausted: Callable[..., Any] | None = None,
) -> None:
    """Run the loop until *until* holds."""
    consumer = Consumer(Stage.fetch, handle, exhausted)
    loop = ConsumeLoop(
        consumer, event_log=log, store=store, telemetry=Silent(), clock=Now(), concurrency=concurrency
    )
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    async with asyncio.timeout(150):
        while not until() and not running.done():
            await asyncio.sleep(0.005)
        stop.set()
        await running


async def finish(event: Event, *, work: Work) -> None:
    """Mark the event as handled."""
    async with work.commit():
        pass


async def test_handles_each_event_of_a_key_in_order_and_keys_side_by_side() -> None:
    """Events of a key wait for each other, events of other keys do not, and no more run than allowed."""
    log = MemoryLog([record(n, iid) for n in range(5) for iid in range(1, 7)])
    store = MemoryStore()
    seen: dict[str, list[uuid.UUID]] = {}
    running: list[str] = []
    most = 0

    async def handle(event: FetchRequested, *, work: Work) -> None:
        nonlocal most
        assert event.key not in running
        running.append(event.key)
        most = max(most, len(running))
        await asyncio.sleep(0.002)
        running.remove(event.key)
        seen.setdefault(event.key, []).append(work.record.id)
        await finish(event, work=work)

    await consume(handle, log, store, lambda: len(store.done) == 30, concurrency=3)
    assert most == 3
    assert seen == {f"gitlab.example:1:{iid}": [record(n, iid).id for n in range(5)] for iid in range(1, 7)}
    assert log.commits[-1] == {0: 30}


async def test_takes_no_more_than_it_can_hold() -> None:
    """A blocked handler stops the intake instead of filling the memory."""
    log = MemoryLog([record(n, n + 1) for n in range(200)])
    release = asyncio.Event()
    store = MemoryStore()

    async def handle(event: Event, *, work: Work) -> None:
        await release.wait()
        await finish(event, work=work)

    await consume_blocked(handle, log, store, release)
    assert max(log.asked_for) <= 16
    assert len(store.done) == 200


async def consume_blocked(
    handle: Callable[..., Any], log: MemoryLog, store: MemoryStore, release: asyncio.Event
) -> None:
    """Let polls go on for a while before the handlers may finish."""

    async def open_later() -> None:
        while len(log.asked_for) < 20:
            await asyncio.sleep(0.005)
        assert log.cursor <= 16
        release.set()

    opening = asyncio.create_task(open_later())
    await consume(handle, log, store, lambda: len(store.done) == 200, concurrency=1)
    await opening


async def test_skips_what_the_inbox_knows() -> None:
    """A second delivery of a handled event does nothing."""
    store = MemoryStore(done={record(1).id})
    log = MemoryLog([record(1), record(2)])
    handled: list[uuid.UUID] = []

    async def handle(event: Event, *, work: Work) -> None:
        handled.append(work.record.id)
        await finish(event, work=work)

    await consume(handle, log, store, lambda: len(store.done) == 2)
    assert handled == [record(2).id]


async def test_a_short_failure_is_repeated_in_place() -> None:
    """An event that fails once is handled at the second try, before the next of its key."""
    log = MemoryLog([record(1), record(2)])
    store = MemoryStore()
    tries: list[uuid.UUID] = []

    async def handle(event: Event, *, work: Work) -> None:
        tries.append(work.record.id)
        if len(tries) == 1:
            raise Transient("busy")
        await finish(event, work=work)

    await consume(handle, log, store, lambda: len(store.done) == 2)
    assert tries == [record(1).id, record(1).id, record(2).id]


async def test_a_long_wait_goes_through_the_log() -> None:
    """A failure that asks for a minute frees its key, and comes back as a later attempt."""
    log = MemoryLog([record(1), record(2)])
    store = MemoryStore()

    async def handle(event: Event, *, work: Work) -> None:
        if work.record.id == record(1).id:
            raise Transient("slow down", retry_after_s=60)
        await finish(event, work=work)

    await consume(handle, log, store, lambda: bool(log.commits))
    (later,) = log.appended
    assert (later.id, later.attempt) == (record(1).id, 1)
    assert later.due_at is not None
    assert 50 < (later.due_at - datetime.now(UTC)).total_seconds() < 61
    assert store.done == {record(2).id}


async def test_what_cannot_succeed_is_parked_and_told() -> None:
    """A permanent error becomes a dead letter, and the stage's own aftermath runs with the reason."""
    log = MemoryLog([record(1), record(2)])
    store = MemoryStore()
    told: list[str] = []

    async def handle(event: Event, *, work: Work) -> None:
        if work.record.id == record(1).id:
            raise Permanent("no access: give the token the role Developer")
        await finish(event, work=work)

    async def exhausted(event: Event, *, problem: str, work: Work) -> None:
        told.append(problem)
        await finish(event, work=work)

    await consume(handle, log, store, lambda: len(store.done) == 3, exhausted=exhausted)
    assert [(parked[0], parked[2]) for parked in store.parked] == [(record(1).id, "Permanent")]
    assert told == ["no access: give the token the role Developer"]


async def test_an_event_that_ends_its_process_is_parked() -> None:
    """After three starts without an end the event is not tried again."""
    log = MemoryLog([record(1)])
    store = MemoryStore(starts={record(1).id: 3})

    async def handle(event: Event, *, work: Work) -> None:
        pytest.fail("it must not be handled")

    await consume(handle, log, store, lambda: bool(store.parked))
    assert store.parked[0][2] == "Crash"


async def test_obsolete_work_ends_quietly() -> None:
    """A newer head is neither a failure nor a dead letter."""
    log = MemoryLog([record(1)])
    store = MemoryStore()

    async def handle(event: Event, *, work: Work) -> None:
        raise Obsolete("newer head")

    await consume(handle, log, store, lambda: record(1).id in store.done)
    assert store.parked == []


async def test_an_event_from_the_future_waits_for_the_upgrade() -> None:
    """A consumer that is older than the sender does not throw away what its successor can read."""
    future = record(1).model_copy(update={"version": 99})
    log = MemoryLog([future, record(2)])
    store = MemoryStore()
    await consume(finish, log, store, lambda: bool(store.done) and bool(log.appended))
    (later,) = log.appended
    assert (later.id, later.attempt) == (record(1).id, 1)
    assert store.parked == []


async def test_an_event_from_the_future_does_not_wait_for_ever() -> None:
    """When nobody upgrades for an hour the event is parked with what to do."""
    future = record(1).model_copy(update={"version": 99, "attempt": MAX_UPGRADE_WAITS - 1})
    log = MemoryLog([future, record(2)])
    store = MemoryStore()
    await consume(finish, log, store, lambda: len(store.done) == 2)
    assert "upgrade" in store.parked[0][3]
    assert log.appended == []


@pytest.mark.parametrize(
    "poison",
    [
        record(1).model_copy(update={"body": {"run_id": 7}}),
        Record.unreadable(b"{", stage="fetch", place={"topic": "t", "offset": 4}, problem="not a record"),
    ],
)
async def test_poison_is_parked_and_does_not_stop_the_others(poison: Record) -> None:
    """What does not match its kind, or is no event at all, becomes a dead letter at once."""
    log = MemoryLog([poison, record(2)])
    store = MemoryStore()
    await consume(finish, log, store, lambda: len(store.done) == 2)
    assert [poison.id] == [parked[0] for parked in store.parked]
    assert log.appended == []


async def test_waits_for_the_store_without_counting_it_as_a_failure() -> None:
    """While the store is away nothing is given up."""
    log = MemoryLog([record(1)])
    store = MemoryStore(outages=1)
    await consume(finish, log, store, lambda: bool(store.done))
    assert store.starts == {record(1).id: 1}


async def test_stopping_lets_running_work_finish() -> None:
    """What was started is ended and committed before the loop returns; what waited is left to the log."""
    log = MemoryLog([record(1), record(2)])
    store = MemoryStore()
    began = asyncio.Event()

    async def handle(event: Event, *, work: Work) -> None:
        began.set()
        await asyncio.sleep(0.05)
        await finish(event, work=work)

    await consume(handle, log, store, began.is_set)
    assert store.done == {record(1).id}
    assert log.commits[-1] == {0: 1}


async def test_a_fault_outside_of_handlers_ends_the_loop() -> None:
    """An event must not be left unhandled in silence; the process ends and is started again."""
    log = MemoryLog([record(1)])

    class Broken(MemoryStore):
        async def start(self, group: str, event_id: uuid.UUID, failures: int) -> Start:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await consume(finish, log, Broken(), lambda: False)


@dataclass
class Shared:
    """A handler that works until it is let go, and tells how it ended."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    ends: list[str] = field(default_factory=list)

    async def __call__(self, event: Event, *, work: Work) -> None:
        self.began.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        await finish(event, work=work)
        self.ends.append("done")


async def test_work_on_a_lost_partition_is_broken_off() -> None:
    """Another process does it now; that it was broken off does not count as a crash."""
    log, store, handler = MemoryLog([record(1)]), MemoryStore(), Shared()

    async def lose() -> None:
        await handler.began.wait()
        log.partitions = {}

    losing = asyncio.create_task(lose())
    await consume(handler, log, store, lambda: bool(handler.ends))
    await losing
    assert ["cancelled"] == handler.ends
    assert store.starts == {record(1).id: 0}
    assert log.commits == []


async def test_suspects_of_a_crash_are_tried_one_at_a_time() -> None:
    """The one that kills its process is alone under suspicion then: those that ran beside it are not counted again."""
    suspects, healthy = [record(1, iid) for iid in (1, 2)], record(1, 3)
    log = MemoryLog([*suspects, healthy])
    store = MemoryStore(starts={one.id: MAX_CRASHES - 1 for one in suspects})
    suspected = {one.id for one in suspects}
    running: set[uuid.UUID] = set()
    seen: list[tuple[int, list[int]]] = []

    async def handle(event: FetchRequested, *, work: Work) -> None:
        if work.record.id in suspected:
            running.add(work.record.id)
            await asyncio.sleep(0.02)
            seen.append((len(running), [store.starts[one.id] for one in suspects]))
            running.remove(work.record.id)
        await finish(event, work=work)

    await consume(handle, log, store, lambda: len(store.done) == 3)
    assert [1, 1] == [count for count, _ in seen]
    assert [MAX_CRASHES - 1, MAX_CRASHES] == sorted(seen[0][1])
    assert [MAX_CRASHES, MAX_CRASHES] == [store.starts[one.id] for one in suspects]
    assert [] == store.parked


async def test_work_on_a_partition_that_came_back_goes_on() -> None:
    """A lost connection to the log costs the offset, not the answer of the model; the inbox knows what was done."""
    log, store, handler = MemoryLog([record(1)]), MemoryStore(), Shared()

    async def lose_and_regain() -> None:
        await handler.began.wait()
        log.partitions = {0: 2}
        await asyncio.sleep(0.05)
        handler.release.set()

    regaining = asyncio.create_task(lose_and_regain())
    await consume(handler, log, store, lambda: bool(handler.ends))
    await regaining
    assert ["done"] == handler.ends
    assert {record(1).id} == store.done
    assert log.commits == []


async def test_before_partitions_go_running_work_is_handed_in() -> None:
    """While the group deals partitions out anew nothing starts; what ends in time is committed."""
    log, store, handler = MemoryLog([record(1), record(2, 2)]), MemoryStore(), Shared()

    async def rebalance() -> None:
        await handler.began.wait()
        log.settled = False
        revoking = asyncio.create_task(log.on_revoke(log))
        await asyncio.sleep(0.05)
        assert not revoking.done()
        handler.release.set()
        await revoking
        assert log.commits == [{0: 1}]
        await asyncio.sleep(0.05)
        assert store.done == {record(1).id}
        log.settled = True

    rebalancing = asyncio.create_task(rebalance())
    await consume(handler, log, store, lambda: len(store.done) == 2, concurrency=1)
    await rebalancing


async def test_one_slow_event_does_not_hold_up_the_intake() -> None:
    """What is done behind an unfinished event is remembered, and more is taken; only the commit waits."""
    log, store, handler = MemoryLog([record(n, n + 1) for n in range(200)]), MemoryStore(), Shared()

    async def handle(event: Event, *, work: Work) -> None:
        if work.record.id == record(0, 1).id:
            await handler(event, work=work)
        else:
            await finish(event, work=work)

    async def let_go() -> None:
        async with asyncio.timeout(150):
            while len(store.done) < 199:
                await asyncio.sleep(0.005)
        assert log.commits == []
        handler.release.set()

    letting_go = asyncio.create_task(let_go())
    await consume(handle, log, store, lambda: len(store.done) == 200, concurrency=2)
    await letting_go
    assert log.commits[-1] == {0: 200}
