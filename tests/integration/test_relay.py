"""What stages emit reaches Kafka: all of it, in the order of each merge request."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.log_kafka import KafkaLog
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.retention_postgres import prune
from bot.adapters.store_postgres import PostgresStore
from bot.domain.errors import Permanent, Transient
from bot.domain.events import Record
from bot.ports import EventSink
from bot.runtime.relay import GROUP, Relay
from tests.contract.test_event_log import STAGE, ids, read, record
from tests.unit.runtime.test_loop import Silent


@dataclass
class Log:
    """An event log in memory that fails when told to."""

    outages: int = 0
    refused: set[uuid.UUID] = field(default_factory=set)
    kept: list[Record] = field(default_factory=list)
    #: Ends the relay after the next append, before that is committed.
    dies: bool = False

    async def append(self, records: Sequence[Record]) -> int:
        if self.outages:
            self.outages -= 1
            raise Transient("the log is out of reach")
        if self.refused.intersection(one.id for one in records):
            raise Permanent("too large")
        self.kept += records
        if self.dies:
            raise ZeroDivisionError
        return len(records)


@asynccontextmanager
async def relaying(outbox: PostgresLog, log: EventSink, store: PostgresStore) -> AsyncIterator[None]:
    """Run a relay while the block lasts."""
    stop = asyncio.Event()
    running = asyncio.create_task(Relay(outbox, log, store, Silent()).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(running, return_exceptions=True)


async def until(done: Callable[[], bool]) -> None:
    """Wait until *done* says so."""
    async with asyncio.timeout(150):
        while not done():
            await asyncio.sleep(0.01)


async def test_ships_all_stages_in_order(
    postgres_log: PostgresLog, store: PostgresStore, kafka_log: KafkaLog
) -> None:
    """Events that stages emitted come out of Kafka, each key in its order, whatever came before the relay."""
    sent = [record(number, iid=1 + number % 3) for number in range(30)]
    await postgres_log.append(sent[:10])
    async with relaying(postgres_log, kafka_log, store), kafka_log.subscribe(STAGE, STAGE) as subscription:
        for one in sent[10:]:
            await postgres_log.append([one])
        got = ids(await read(subscription, 30))
    for key in range(3):
        assert [one.id for one in sent[key::3]] == [one for one in got if one in {s.id for s in sent[key::3]}]


async def test_an_outage_is_waited_out(postgres_log: PostgresLog, store: PostgresStore) -> None:
    """Nothing is skipped, nothing overtakes."""
    log = Log(outages=1)
    await postgres_log.append([record(1), record(2)])
    async with relaying(postgres_log, log, store):
        await until(lambda: len(log.kept) == 2)
        await postgres_log.append([record(3)])
        await until(lambda: len(log.kept) == 3)
    assert [record(1), record(2), record(3)] == log.kept


async def test_what_was_shipped_is_not_shipped_again(postgres_log: PostgresLog, store: PostgresStore) -> None:
    """The next relay goes on where the last one stopped."""
    log = Log()
    for number in (1, 2):
        async with relaying(postgres_log, log, store):
            await postgres_log.append([record(number)])
            await until(lambda: len(log.kept) == number)  # noqa: B023 - awaited in the loop
    assert [record(1), record(2)] == log.kept


async def test_a_crash_before_the_commit_ships_again(postgres_log: PostgresLog, store: PostgresStore) -> None:
    """At least once: the inbox of the consumers recognises the repeat."""
    log = Log(dies=True)
    await postgres_log.append([record(1)])
    async with relaying(postgres_log, log, store):
        await until(lambda: len(log.kept) == 1)
    log.dies = False
    async with relaying(postgres_log, log, store):
        await until(lambda: len(log.kept) == 2)
    assert [record(1), record(1)] == log.kept


async def test_what_the_log_refuses_is_set_aside_and_the_rest_goes_on(
    postgres_log: PostgresLog, store: PostgresStore, pool: Any
) -> None:
    """One record that is too large does not hold up the others."""
    log = Log(refused={record(2).id})
    await postgres_log.append([record(1), record(2), record(3)])
    async with relaying(postgres_log, log, store):
        await until(lambda: len(log.kept) == 2)
        await postgres_log.append([record(4)])
        await until(lambda: len(log.kept) == 3)
    assert [record(1), record(3), record(4)] == log.kept
    rows = await pool.fetch("SELECT consumer_group, event_id, reason FROM dead_letter")
    assert [(GROUP, record(2).id, "too large")] == [tuple(row) for row in rows]


async def test_two_relays_share_the_work(postgres_log: PostgresLog, store: PostgresStore) -> None:
    """Each event is shipped by one of them, while both run."""
    one, two = Log(), Log()
    sent: list[Record] = []
    async with relaying(postgres_log, one, store), relaying(postgres_log, two, store), asyncio.timeout(150):
        while not (one.kept and two.kept):
            more = [record(len(sent), iid=iid) for iid in range(1, 60)]
            await postgres_log.append(more)
            sent += more
            while len(one.kept) + len(two.kept) < len(sent):
                await asyncio.sleep(0.01)
    assert sorted(r.id for r in sent) == sorted(r.id for r in one.kept + two.kept)


async def test_only_what_was_shipped_is_pruned(
    postgres_log: PostgresLog, store: PostgresStore, pool: Any
) -> None:
    """An outbox keeps what Kafka does not have, however old it is."""
    log = Log()
    async with relaying(postgres_log, log, store):
        await postgres_log.append([record(1)])
        await until(lambda: len(log.kept) == 1)
    await postgres_log.append([record(2)])
    await pool.execute("UPDATE event SET appended_at = now() - interval '8 days'")
    pruned = await prune(pool, shipped_by=GROUP)
    assert pruned is not None
    assert (pruned.rows["event"], pruned.rows["inbox"]) == (1, 0)
    assert [record(2).id] == [row["id"] for row in await pool.fetch("SELECT id FROM event")]
