"""What the log in Kafka does beyond the contract: topics, rebalances, poison, stuck clients."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from bot.adapters.clock import SystemClock
from bot.adapters.kafka_connection import KafkaConnection
from bot.adapters.kafka_subscription import KafkaSubscription
from bot.adapters.kafka_topics import Layout, Topics, topic_admin
from bot.adapters.log_kafka import KafkaLog
from bot.domain.errors import Permanent, Transient
from bot.domain.events import UNREADABLE
from bot.ports import Delivery, Subscription, keep_all
from tests.contract.test_event_log import STAGE, ids, joined, read, record


async def both_joined(one: Subscription, two: Subscription) -> None:
    """Poll two members until each has partitions."""
    async with asyncio.timeout(150):
        while not (one.owned() and two.owned() and one.settled and two.settled):
            polls = (member.poll(max_records=1, timeout_s=0.1) for member in (one, two))
            assert [[], []] == await asyncio.gather(*polls)


async def test_topics_are_made_once(kafka_address: str) -> None:
    """Making them again changes nothing, and what differs is told."""
    topics = Topics(f"test-{uuid.uuid4().hex[:12]}")
    async with topic_admin(KafkaConnection(kafka_address), topics) as admin:
        with pytest.raises(Permanent, match="run `cloister kafka init`"):
            await admin.require()
        planned = await admin.init(Layout(partitions=2), dry_run=True)
        assert {("missing",)} == {state.drift for state in planned}
        made = await admin.init(Layout(partitions=2))
        assert all(state.created and not state.drift for state in made)
        await admin.require()
        again = await admin.init(Layout(partitions=2))
        assert not any(state.created or state.drift for state in again)


async def test_drift_is_reported_and_only_partitions_are_added_when_asked(kafka_address: str) -> None:
    """Too few partitions and another retention are told; settings of a topic are the operator's."""
    topics = Topics(f"test-{uuid.uuid4().hex[:12]}")
    async with topic_admin(KafkaConnection(kafka_address), topics) as admin:
        await admin.init(Layout(partitions=2))
        stage = next(s for s in await admin.init(Layout(partitions=4, retention_h=24)) if "scan" in s.name)
        assert stage.drift == (
            "2 partitions instead of 4: more processes would be idle",
            "retention.ms is 604800000 instead of 86400000",
        )
        grown = await admin.init(Layout(partitions=4), grow=True)
        assert all(state.grown and state.partitions == 4 for state in grown)


async def test_a_partition_that_stays_is_not_read_again(kafka_log: KafkaLog) -> None:
    """When another member joins, what is in our hands and stays ours is neither repeated nor cut off by an epoch."""
    await kafka_log.append([record(1, iid=iid) for iid in range(1, 41)])
    async with kafka_log.subscribe(STAGE, STAGE) as one:
        taken = await read(one, 40)
        before = dict(one.owned())
        async with kafka_log.subscribe(STAGE, STAGE) as two:
            repeated: list[Delivery] = []
            async with asyncio.timeout(150):
                while not two.owned() or not one.settled:
                    _, theirs = await asyncio.gather(
                        one.poll(max_records=100, timeout_s=0.1), two.poll(max_records=100, timeout_s=0.1)
                    )
                    repeated += theirs
            kept = dict(one.owned())
            repeated += await read(two, 40, within_s=2.0)
            assert await read(one, 1, within_s=1.0) == []
        moved = {delivery.record.id for delivery in taken if delivery.partition not in kept}
    assert len(kept) == 2
    assert {number: before[number] for number in kept} == kept
    assert moved == set(ids(repeated))


async def test_what_is_handed_in_at_a_rebalance_is_not_repeated(kafka_log: KafkaLog) -> None:
    """The revoke callback may commit; whoever gets the partition starts behind that."""
    await kafka_log.append([record(1, iid=iid) for iid in range(1, 41)])
    taken: list[Delivery] = []

    async def hand_in(subscription: Subscription) -> None:
        await subscription.commit({one.partition: one.offset + 1 for one in taken})

    async with kafka_log.subscribe(STAGE, STAGE, on_revoke=hand_in) as one:
        taken += await read(one, 40)
        async with kafka_log.subscribe(STAGE, STAGE) as two:
            await both_joined(one, two)
            assert await read(two, 1, within_s=1.0) == []


async def test_memberships_of_one_process_do_not_mix_up_their_partitions(kafka_log: KafkaLog) -> None:
    """The client's sticky assignor remembers in its class; each membership has one of its own."""
    async with kafka_log.subscribe("fetch", "fetch") as one, kafka_log.subscribe("scan", "scan") as other:
        await both_joined(one, other)
        assert {0, 1, 2, 3} == set(one.owned()) == set(other.owned())
        async with kafka_log.subscribe("fetch", "fetch") as two:
            await both_joined(one, two)
            assert [2, 2] == [len(one.owned()), len(two.owned())]
            assert {0, 1, 2, 3} == set(one.owned()) | set(two.owned())
            assert {0, 1, 2, 3} == set(other.owned())


@asynccontextmanager
async def producing(address: str) -> AsyncIterator[Any]:
    """Lend a producer that sends what it is told."""
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"k", b"{"),
        (b"k", b"null"),
        (None, b"\xff\xfe"),
        (b"k", None),
        (b"another key", record(1).model_dump_json().encode()),
        (record(1).key.encode(), record(1).model_copy(update={"stage": "scan"}).model_dump_json().encode()),
        (record(1).key.encode(), record(1).model_dump_json().replace('"kind"', '"kid"').encode()),
        (b"k", b"x" * 900_000),
    ],
)
async def test_poison_is_handed_out_as_such_and_the_rest_goes_on(
    key: bytes | None, value: bytes | None, kafka_log: KafkaLog, kafka_topics: Topics, kafka_address: str
) -> None:
    """What is no record comes as one of the kind ``unreadable``, with its place, and the next one follows."""
    async with producing(kafka_address) as producer:
        sent = await producer.send_and_wait(kafka_topics.of(STAGE), value, key, partition=0)
    await kafka_log.append([record(2, iid=iid) for iid in range(1, 9)])
    async with kafka_log.subscribe(STAGE, STAGE) as subscription:
        deliveries = await read(subscription, 9)
    (poison,) = [one.record for one in deliveries if one.record.kind == UNREADABLE]
    assert poison.body["from"] == {"topic": sent.topic, "partition": 0, "offset": sent.offset}
    assert poison.body["size"] == len(value or b"")
    assert len(str(poison.body)) < 100_000
    assert len(deliveries) == 9


async def test_a_record_that_is_too_large_is_refused_and_the_log_works_on(kafka_log: KafkaLog) -> None:
    """The sender is told; sending it again would not help."""
    huge = record(1).model_copy(update={"body": {"text": "x" * 2_000_000}})
    with pytest.raises(Permanent, match="larger than Kafka takes"):
        await kafka_log.append([huge])
    await kafka_log.append([record(2)])
    async with kafka_log.subscribe(STAGE, STAGE) as subscription:
        assert [record(2).id] == ids(await read(subscription, 1))


async def test_a_retry_waits_in_a_topic_of_its_delay(kafka_log: KafkaLog, kafka_topics: Topics) -> None:
    """Short waits do not stand behind long ones."""
    await kafka_log.append([record(1, due_in_s=3000)])
    async with kafka_log.subscribe(STAGE, STAGE) as subscription:
        await joined(subscription)
        await kafka_log.append([record(2, due_in_s=0.5)])
        assert [record(2).id] == ids(await read(subscription, 1))
    assert [kafka_topics.retry(seconds).rpartition(".")[2] for seconds in (0.1, 15, 16, 60, 601, 9e9)] == [
        "15s",
        "15s",
        "1m",
        "1m",
        "1h",
        "1h",
    ]


async def test_a_broker_that_is_not_there_is_out_of_reach() -> None:
    """Appending says so, and so does reading."""
    log = KafkaLog(KafkaConnection("127.0.0.1:1"), Topics("test"), clock=SystemClock())
    async with log:
        with pytest.raises(Transient):
            await log.append([record(1)])
        async with log.subscribe(STAGE, STAGE) as subscription:
            with pytest.raises(Transient):
                await read(subscription, 1)


async def test_a_group_that_does_not_answer_does_not_hold_up_a_stop(kafka_address: str) -> None:
    """A membership of topics that do not exist ends at once when it is told to."""
    log = KafkaLog(KafkaConnection(kafka_address), Topics("absent"), clock=SystemClock())
    async with log, asyncio.timeout(150), log.subscribe(STAGE, STAGE) as subscription:
        with suppress(Transient):
            assert await subscription.poll(max_records=1, timeout_s=0.5) == []


class Deaf(KafkaSubscription):
    """A subscription whose client brings nothing, as one does whose fetch task has ended unnoticed."""

    async def _fetch(self, most: int, timeout_s: float) -> list[Delivery]:
        await asyncio.sleep(min(timeout_s, 0.1))
        return []


async def test_a_stuck_client_is_noticed(
    kafka_log: KafkaLog, kafka_topics: Topics, kafka_address: str
) -> None:
    """Records that are there and do not come make a poll fail, so that the loop builds a new client."""

    def subscription(kind: type[KafkaSubscription]) -> KafkaSubscription:
        return kind(
            KafkaConnection(kafka_address),
            kafka_topics.group(STAGE),
            {kafka_topics.of(STAGE): 0.0},
            stage=STAGE,
            clock=SystemClock(),
            on_revoke=keep_all,
            stuck_s=1.0,
        )

    async with subscription(Deaf) as deaf:
        await joined(deaf)
        await kafka_log.append([record(1)])
        with pytest.raises(Transient, match="brings nothing"):
            await read(deaf, 1)
    async with subscription(KafkaSubscription) as idle:
        assert [record(1).id] == ids(await read(idle, 1))
        assert await read(idle, 1, within_s=3.0) == []


async def test_a_busy_process_stays_in_its_group(kafka_log: KafkaLog) -> None:
    """A member that takes nothing for a while, because it is full, keeps its partitions."""
    await kafka_log.append([record(1), record(2)])
    async with kafka_log.subscribe(STAGE, STAGE) as one:
        await read(one, 2)
        before = dict(one.owned())
        for _ in range(50):
            assert await one.poll(max_records=0, timeout_s=0.1) == []
        assert before == dict(one.owned())
