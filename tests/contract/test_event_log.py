"""What every event log must do."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.events import NAMESPACE, FetchRequested, Record
from bot.domain.merge_request import MergeRequestRef
from bot.ports import Delivery, EventLog, Subscription

STAGE = "fetch"


def record(number: int, *, iid: int = 1, due_in_s: float | None = None, attempt: int = 0) -> Record:
    """Return the *number*-th event of merge request *iid*."""
    ref = MergeRequestRef(instance="gitlab.example", project_id=1, iid=iid)
    identity = uuid.uuid5(NAMESPACE, f"{iid}:{number}")
    due_at = None if due_in_s is None else datetime.now(UTC) + timedelta(seconds=due_in_s)
    made = Record.of(
        FetchRequested(ref=ref, run_id=identity), id=identity, due_at=due_at, trace={"traceparent": "00"}
    )
    return made.model_copy(update={"attempt": attempt})


async def read(subscription: Subscription, count: int, *, within_s: float = 150.0) -> list[Delivery]:
    """Poll until *count* deliveries came or the time is up."""
    deadline = asyncio.get_running_loop().time() + within_s
    deliveries: list[Delivery] = []
    while len(deliveries) < count and asyncio.get_running_loop().time() < deadline:
        deliveries += await subscription.poll(max_records=100, timeout_s=0.1)
    return deliveries


async def joined(subscription: Subscription) -> None:
    """Poll until the group has dealt out its partitions."""
    async with asyncio.timeout(150):
        while not subscription.owned():
            assert await subscription.poll(max_records=1, timeout_s=0.1) == []


def ids(deliveries: list[Delivery]) -> list[uuid.UUID]:
    """Return the event ids in the order of their delivery."""
    return [delivery.record.id for delivery in deliveries if delivery.record]


@pytest.fixture(params=["postgres", "kafka"])
def log(request: pytest.FixtureRequest) -> EventLog:
    """Return each adapter in turn."""
    adapter: EventLog = request.getfixturevalue(f"{request.param}_log")
    return adapter


async def test_hands_out_what_was_appended_unchanged(log: EventLog) -> None:
    """A record comes back with all its fields."""
    sent = record(1)
    assert await log.append([sent]) == 1
    async with log.subscribe(STAGE, STAGE) as subscription:
        (delivery,) = await read(subscription, 1)
    assert delivery.record == sent


async def test_keeps_the_order_of_a_key(log: EventLog) -> None:
    """Events of one merge request come in the order of their appends, batched or not."""
    sent = [record(number) for number in range(40)]
    await log.append(sent[:20])
    for one in sent[20:]:
        await log.append([one])
    async with log.subscribe(STAGE, STAGE) as subscription:
        assert ids(await read(subscription, 40)) == [one.id for one in sent]


async def test_keeps_the_order_of_calls_under_way(log: EventLog) -> None:
    """Appends that nobody waited for in between come in the order of the calls, each told of its own records."""
    sent = [record(number) for number in range(40)]
    assert [1] * 40 == await asyncio.gather(*(log.append([one]) for one in sent))
    async with log.subscribe(STAGE, STAGE) as subscription:
        assert ids(await read(subscription, 40)) == [one.id for one in sent]


async def test_hands_out_a_retry_of_a_known_id(log: EventLog) -> None:
    """A later attempt of an event is a delivery of its own."""
    await log.append([record(1)])
    assert await log.append([record(1, attempt=1)]) == 1
    async with log.subscribe(STAGE, STAGE) as subscription:
        deliveries = await read(subscription, 2)
    assert [0, 1] == [delivery.record.attempt for delivery in deliveries if delivery.record]


async def test_holds_a_record_back_until_it_is_due(log: EventLog) -> None:
    """A delayed record comes at its time, after one appended later without delay."""
    async with log.subscribe(STAGE, STAGE) as subscription:
        await joined(subscription)
        sent = record(1, due_in_s=2.5)
        await log.append([sent])
        await log.append([record(2)])
        early = await read(subscription, 1)
        late = await read(subscription, 1)
        came_at = datetime.now(UTC)
    assert (ids(early), ids(late)) == ([record(2).id], [sent.id])
    assert sent.due_at is not None
    assert sent.due_at <= came_at


async def test_a_waiting_poll_wakes_up(log: EventLog) -> None:
    """A poll that waits returns after an append, and not at its time-out only, which is longer than this test's."""
    async with log.subscribe(STAGE, STAGE) as subscription:
        await joined(subscription)
        waiting = asyncio.create_task(subscription.poll(max_records=10, timeout_s=1000.0))
        await asyncio.sleep(0.1)
        await log.append([record(1)])
        deliveries = await waiting
    assert ids(deliveries) == [record(1).id]


async def test_does_not_repeat_while_subscribed(log: EventLog) -> None:
    """What was handed out is not handed out again to the same member, committed or not."""
    await log.append([record(1), record(2, iid=2)])
    async with log.subscribe(STAGE, STAGE) as subscription:
        await read(subscription, 2)
        assert await read(subscription, 1, within_s=0.3) == []


async def test_goes_on_at_the_committed_offset(log: EventLog) -> None:
    """A new member gets what was not committed, and only that."""
    await log.append([record(number) for number in range(4)])
    async with log.subscribe(STAGE, STAGE) as subscription:
        deliveries = await read(subscription, 4)
        await subscription.commit({deliveries[1].partition: deliveries[1].offset + 1})
    async with log.subscribe(STAGE, STAGE) as subscription:
        assert ids(await read(subscription, 2)) == [record(2).id, record(3).id]


async def test_groups_read_their_own_stage(log: EventLog) -> None:
    """A subscription sees only the topic of its stage."""
    await log.append([record(1)])
    async with log.subscribe("scan", "scan") as subscription:
        assert await read(subscription, 1, within_s=0.3) == []


async def test_members_share_without_overlap(log: EventLog) -> None:
    """Two members of a group hold disjoint partitions, together all of them, and each event goes to one."""
    async with log.subscribe(STAGE, STAGE) as one, log.subscribe(STAGE, STAGE) as two:
        async with asyncio.timeout(150):
            while not (one.owned() and two.owned()):
                await asyncio.gather(*(member.poll(max_records=1, timeout_s=0.1) for member in (one, two)))
        assert not set(one.owned()) & set(two.owned())
        await log.append([record(1, iid=iid) for iid in range(1, 31)])
        handed_out: list[Delivery] = []
        async with asyncio.timeout(150):
            while len(handed_out) < 30:
                for batch in await asyncio.gather(read(one, 1, within_s=0.2), read(two, 1, within_s=0.2)):
                    handed_out += batch
    assert sorted(ids(handed_out)) == sorted(record(1, iid=iid).id for iid in range(1, 31))


async def test_a_member_that_leaves_is_replaced(log: EventLog) -> None:
    """What a member did not commit before it left goes to another."""
    async with log.subscribe(STAGE, STAGE) as one:
        await log.append([record(1)])
        await read(one, 1)
        async with log.subscribe(STAGE, STAGE) as two:
            await one.__aexit__(None, None, None)
            assert ids(await read(two, 1)) == [record(1).id]


async def test_no_room_means_no_records(log: EventLog) -> None:
    """A poll for nothing keeps the membership and returns nothing."""
    await log.append([record(1)])
    async with log.subscribe(STAGE, STAGE) as subscription:
        assert await subscription.poll(max_records=0, timeout_s=0.1) == []
        assert ids(await read(subscription, 1)) == [record(1).id]


async def test_tells_how_much_waits(log: EventLog) -> None:
    """What was appended and not handed out counts, in all partitions of the member."""
    async with log.subscribe(STAGE, STAGE) as subscription:
        await joined(subscription)
        assert await subscription.lag() == 0
        await log.append([record(1, iid=iid) for iid in range(1, 10)])
        assert await subscription.lag() == 9
        await read(subscription, 9)
        assert await subscription.lag() == 0


async def test_never_more_than_asked_for(log: EventLog) -> None:
    """A poll is bounded, and what is left comes with the next ones."""
    await log.append([record(number, iid=1 + number % 7) for number in range(30)])
    seen: list[Delivery] = []
    async with log.subscribe(STAGE, STAGE) as subscription:
        async with asyncio.timeout(150):
            while len(seen) < 30:
                batch = await subscription.poll(max_records=4, timeout_s=0.1)
                assert len(batch) <= 4
                seen += batch
    assert len(set(ids(seen))) == 30


async def told(log: EventLog, since: datetime, until: datetime | None = None) -> list[Record]:
    """Return the history of the stage in order, repeats left out."""
    return list({one.id: one async for one in log.history(STAGE, since, until)}.values())


async def moment() -> datetime:
    """Return a time that parts what was appended before from what will be appended."""
    await asyncio.sleep(0.05)
    now = datetime.now(UTC)
    await asyncio.sleep(0.05)
    return now


async def test_history_tells_what_was_appended_between_two_moments(log: EventLog) -> None:
    """Records of the stage come as they were appended, of any merge request, and none from before or after."""
    await log.append([record(1)])
    since = await moment()
    sent = [record(2), record(3, iid=2).model_copy(update={"trace": {"traceparent": "00", "original": "x"}})]
    await log.append([*sent, record(4, iid=3).model_copy(update={"stage": "scan"})])
    until = await moment()
    await log.append([record(5)])
    by_id = {one.id: one for one in await told(log, since, until)}
    assert {one.id: one for one in sent} == by_id
    assert {sent[0].id, sent[1].id, record(5).id} == {one.id for one in await told(log, since)}
    assert [] == await told(log, await moment())


async def test_history_keeps_the_order_of_a_key(log: EventLog) -> None:
    """However many records there are, those of one merge request come in the order of their appends."""
    since = await moment()
    sent = [record(number, iid=iid) for number in range(600) for iid in (1, 2)]
    for start in range(0, len(sent), 200):
        await log.append(sent[start : start + 200])
    found = await told(log, since)
    for iid in (1, 2):
        key = record(0, iid=iid).key
        assert [one.id for one in sent if one.key == key] == [one.id for one in found if one.key == key]
    assert len(sent) == len(found)


async def test_history_ends_where_it_was_when_it_began(log: EventLog) -> None:
    """A reader that appends copies to the stage, as a replay does, does not meet them."""
    since = await moment()
    sent = [record(number) for number in range(1100)]
    copies = [one.model_copy(update={"id": uuid.uuid5(one.id, "copy")}) for one in sent[:100]]
    for start in range(0, len(sent), 100):
        await log.append(sent[start : start + 100])
    found: dict[uuid.UUID, None] = {}
    async for one in log.history(STAGE, since):
        if not found:
            await log.append(copies)
        found[one.id] = None
    assert [one.id for one in sent] == list(found)


async def test_history_disturbs_no_group(log: EventLog) -> None:
    """Members keep their place, and get what they would have got."""
    since = await moment()
    await log.append([record(1), record(2)])
    async with log.subscribe(STAGE, STAGE) as subscription:
        first, *_ = await read(subscription, 2)
        await subscription.commit({first.partition: first.offset + 1})
        assert 2 == len(await told(log, since))
        assert await read(subscription, 1, within_s=0.3) == []
    async with log.subscribe(STAGE, STAGE) as subscription:
        assert ids(await read(subscription, 1)) == [record(2).id]


async def test_history_tells_a_delayed_record_once_it_was_due(log: EventLog) -> None:
    """Before that it has not happened yet; afterwards it counts from when it was due."""
    await log.append([record(1, due_in_s=4.0)])
    since = await moment()
    assert [] == await told(log, since)
    async with log.subscribe(STAGE, STAGE) as subscription:
        await read(subscription, 1)
    (found,) = await told(log, since)
    assert (record(1).id, None) == (found.id, found.due_at)


async def test_concurrent_appends_lose_nothing(log: EventLog) -> None:
    """A reader that runs while many writers append sees every event once and each key in order."""
    writers = 8
    each = 25

    async def write(iid: int) -> None:
        for number in range(each):
            await log.append([record(number, iid=iid)])

    async with log.subscribe(STAGE, STAGE) as subscription:
        reading = asyncio.create_task(read(subscription, writers * each))
        await asyncio.gather(*(write(iid) for iid in range(1, writers + 1)))
        deliveries = await reading
    by_key: dict[Any, list[uuid.UUID]] = {}
    for delivery in deliveries:
        assert delivery.record is not None
        by_key.setdefault(delivery.record.key, []).append(delivery.record.id)
    assert by_key == {
        f"gitlab.example:1:{iid}": [record(n, iid=iid).id for n in range(each)]
        for iid in range(1, writers + 1)
    }
