"""What arrives while the event log is out of reach is kept elsewhere."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.domain.errors import Permanent, Transient
from bot.domain.events import FetchRequested, Record
from bot.domain.merge_request import MergeRequestRef
from bot.runtime.spool import PROBE_S, Spool


def record(number: int) -> Record:
    """Return an event."""
    ref = MergeRequestRef(instance="gitlab.example", project_id=1, iid=1)
    identity = uuid.uuid5(uuid.NAMESPACE_OID, str(number))
    return Record.of(FetchRequested(ref=ref, run_id=identity), id=identity)


@dataclass
class Sink:
    """Keep events, or fail."""

    error: Exception | None = None
    hangs: bool = False
    kept: list[Record] = field(default_factory=list)
    calls: int = 0

    async def append(self, records: Sequence[Record]) -> int:
        self.calls += 1
        if self.hangs:
            await asyncio.sleep(60)
        if self.error:
            raise self.error
        self.kept += records
        return len(records)


@dataclass
class Seconds:
    """Time that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_log_that_works_gets_everything() -> None:
    """The outbox stays empty."""
    log, outbox = Sink(), Sink()
    spool = Spool(log, outbox, monotonic=Seconds())
    assert await spool.append([record(1)]) == 1
    assert ([record(1)], []) == (log.kept, outbox.kept)
    assert not spool.spooling


async def test_what_a_log_out_of_reach_cannot_take_goes_to_the_outbox() -> None:
    """The first failure is noticed; until the next probe the log is left alone."""
    log, outbox = Sink(error=Transient("away")), Sink()
    spool = Spool(log, outbox, monotonic=Seconds())
    for number in range(5):
        await spool.append([record(number)])
    assert [record(number) for number in range(5)] == outbox.kept
    assert log.calls == 1
    assert spool.spooling


async def test_a_log_that_hangs_counts_as_out_of_reach() -> None:
    """The sender of a webhook does not wait for it."""
    log, outbox = Sink(hangs=True), Sink()
    spool = Spool(log, outbox, monotonic=Seconds(), limit_s=0.05)
    async with asyncio.timeout(150):
        await spool.append([record(1)])
    assert [record(1)] == outbox.kept


async def test_a_log_that_is_back_is_used_again() -> None:
    """One append in every few seconds tries it."""
    log, outbox, seconds = Sink(error=Transient("away")), Sink(), Seconds()
    spool = Spool(log, outbox, monotonic=seconds)
    await spool.append([record(1)])
    log.error = None
    await spool.append([record(2)])
    seconds.now += PROBE_S + 0.1
    await spool.append([record(3)])
    await spool.append([record(4)])
    assert [record(1), record(2)] == outbox.kept
    assert [record(3), record(4)] == log.kept
    assert not spool.spooling


async def test_both_out_of_reach_is_said() -> None:
    """The receiver then answers 503."""
    spool = Spool(Sink(error=Transient("away")), Sink(error=Transient("away too")), monotonic=Seconds())
    with pytest.raises(Transient, match="away too"):
        await spool.append([record(1)])


async def test_a_refusal_is_not_an_outage() -> None:
    """What the log refuses for good would be refused by the relay too."""
    outbox = Sink()
    spool = Spool(Sink(error=Permanent("too large")), outbox, monotonic=Seconds())
    with pytest.raises(Permanent):
        await spool.append([record(1)])
    assert outbox.kept == []
