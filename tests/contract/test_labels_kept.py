"""What every keeper of labels must do."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.labels_postgres import PostgresLabels
from bot.domain.errors import Transient
from bot.domain.labels import LABEL_VERSION, Censored, Label, Labelled, label
from bot.learning.labelling import Rebuilt, label_due, rebuild
from bot.ports import Begun, History, Labels, Place
from tests.histories import RECIPES, START, Told, histories
from tests.ledger import store

_END_HOLDERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def labels(pool: Any) -> Labels:
    return PostgresLabels(pool)


@pytest.fixture
async def told(pool: Any) -> Sequence[Told]:
    """Return histories of every recipe that are in the database."""
    truth = list(histories(2 * len(RECIPES)))
    await store(pool, truth)
    return truth


async def test_histories_come_in_order_and_whole(labels: Labels, told: Sequence[Told]) -> None:
    """Page by page; what is derived from them is the truth."""
    found: list[History] = []
    while page := await labels.histories(limit=7, after=Place.of(found[-1].comment) if found else None):
        found += page
    assert [one.comment for one in sorted(told, key=lambda one: Place.of(one.comment))] == [
        one.comment for one in found
    ]
    derived = {one.comment.id: label(one.comment, one.signals, one.pushes) for one in found}
    assert {one.comment.id: one.label for one in told} == {key: one.label for key, one in derived.items()}
    whys = {one.comment.id: one.why for one in told}
    assert whys == {key: one.censored_why for key, one in derived.items()}


async def test_signals_are_as_they_were_stored(labels: Labels, told: Sequence[Told]) -> None:
    """Field by field."""
    found = {one.comment.id: one for one in await labels.histories(limit=1000)}
    for one in told:
        kept = sorted(found[one.comment.id].signals, key=lambda signal: signal.id)
        assert sorted(one.signals, key=lambda signal: signal.id) == kept


async def test_a_rebuild_is_idempotent_and_can_be_narrowed(labels: Labels, told: Sequence[Told]) -> None:
    """The second one changes nothing; older comments are left out."""
    assert Rebuilt(len(told), len(told)) == await rebuild(labels, batch=10)
    assert Rebuilt(len(told), 0) == await rebuild(labels, batch=10)
    since = START + timedelta(minutes=41)
    assert Rebuilt(sum(one.comment.posted_at >= since for one in told), 0) == await rebuild(
        labels, since=since
    )
    counts = Counter[Label]()
    for count in await labels.counts(LABEL_VERSION):
        counts[count.label] += count.count
    assert Counter(one.label for one in told) == counts


class BreakingOff(Exception):
    """Stop a rebuild in the middle."""


async def test_a_rebuild_that_broke_off_goes_on(labels: Labels, told: Sequence[Told]) -> None:
    """From the batch after the last that was stored, unless it is to begin at the start or elsewhere."""

    def stop(done: Rebuilt) -> None:
        if done.labelled >= 20:
            raise BreakingOff

    async def broken() -> None:
        with pytest.raises(BreakingOff):
            await rebuild(labels, batch=10, told=stop)

    await broken()
    going_on = await rebuild(labels, batch=10)
    assert len(told) - 20 == going_on.labelled
    assert going_on.resumed is not None
    assert await labels.begun(LABEL_VERSION) is None
    await broken()
    assert len(told) == (await rebuild(labels, restart=True)).labelled
    await broken()
    assert len(told) == (await rebuild(labels, since=START - timedelta(days=1))).labelled


async def keep(labels: Labels, version: int, found: Mapping[uuid.UUID, Labelled], **values: Any) -> int:
    """Store labels in a turn of their own."""
    async with labels.turn(wait=True) as turn:
        assert turn
        return await turn.keep(version, found, **values)


async def test_labels_of_other_versions_are_kept(labels: Labels, told: Sequence[Told]) -> None:
    """So that figures of the past can be told as they were."""
    comment = told[0].comment.id
    old = Labelled(Label.unknown, contradictory=True, late_at=START)
    new = Labelled(Label.censored, (uuid.UUID(int=1), uuid.UUID(int=2)), Censored.closed, frozen_at=START)
    assert await keep(labels, 1, {comment: old}) == 1
    assert await keep(labels, 2, {comment: new}, begun=Begun(None, Place(START, comment))) == 1
    assert await labels.of_comment(comment) == {1: old, 2: new}
    assert await keep(labels, 2, {comment: new}) == 0
    assert await keep(labels, 2, {comment: old}) == 1
    assert await keep(labels, 2, {}) == 0
    assert await labels.of_comment(uuid.uuid4()) == {}


async def test_counts_can_be_narrowed(labels: Labels, told: Sequence[Told]) -> None:
    """To a project or to newer comments."""
    await rebuild(labels)
    ours = [one for one in told if one.comment.ref.project_id == 2]
    assert len(ours) == sum(one.count for one in await labels.counts(LABEL_VERSION, project_id=2))
    late = [one for one in told if one.comment.posted_at >= START + timedelta(minutes=30)]
    found = await labels.counts(LABEL_VERSION, since=START + timedelta(minutes=30))
    assert len(late) == sum(one.count for one in found)
    assert sum(one.late for one in late) == sum(one.late for one in found)
    assert [] == list(await labels.counts(LABEL_VERSION + 1))


async def _of(pool: Any) -> dict[uuid.UUID, Label]:
    rows = await pool.fetch("SELECT comment_id, label FROM label WHERE label_version = $1", LABEL_VERSION)
    return {row["comment_id"]: Label(row["label"]) for row in rows}


async def test_labels_follow_what_happens(labels: Labels, told: Sequence[Told], pool: Any) -> None:
    """Whatever is written is due, once; what nothing happened to is left alone, and labels are the truth."""
    while await label_due(labels, limit=10):
        pass
    assert {one.comment.id: one.label for one in told} == await _of(pool)
    assert await label_due(labels) == 0
    await pool.execute("DELETE FROM label")
    accepted = next(one for one in told if one.label is Label.accepted_strong)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL cloister.retention = 'on'")
        await connection.execute("DELETE FROM signal WHERE comment_id = $1", accepted.comment.id)
    assert await label_due(labels) == 1
    ((comment_id, found),) = (await _of(pool)).items()
    assert comment_id == accepted.comment.id
    assert found is not Label.accepted_strong


async def test_what_comes_while_labels_are_made_is_due_again(labels: Labels, pool: Any) -> None:
    """Only the notes that were read go."""
    first, second = histories(2)
    await store(pool, [first])
    due = await labels.due(limit=1000)
    assert {first.comment.id} == {one.comment.id for one in due.histories}
    await store(pool, [second])
    await keep(labels, LABEL_VERSION, {}, done=due.notes)
    later = await labels.due(limit=1000)
    assert {second.comment.id} == {one.comment.id for one in later.histories}
    assert set(due.notes).isdisjoint(later.notes)


async def test_one_labels_at_a_time(labels: Labels, told: Sequence[Told]) -> None:
    """Whoever does not wait leaves it to the other; a rebuild waits."""
    async with labels.turn(wait=False) as first:
        assert first
        assert await label_due(labels) == 0
        rebuilding = asyncio.create_task(rebuild(labels))
        await asyncio.sleep(0.1)
        assert await labels.counts(LABEL_VERSION) == []
    assert len(told) == (await rebuilding).labelled
    assert await label_due(labels)


async def test_whoever_lost_the_turn_stores_nothing(labels: Labels, told: Sequence[Told], pool: Any) -> None:
    """The next one has it at once, and its labels stay although the other comes late with older ones."""
    stale = Labelled(Label.unknown)

    async def lose() -> None:
        async with labels.turn(wait=False) as lost:
            assert lost
            due = await labels.due(limit=1000)
            await lost.keep(LABEL_VERSION, {told[0].comment.id: stale})
            await pool.execute(_END_HOLDERS)
            while not await label_due(labels):
                await asyncio.sleep(0.01)
            await lost.keep(LABEL_VERSION, {one.comment.id: stale for one in told}, done=due.notes)

    with pytest.raises(Transient):
        await lose()
    while await label_due(labels):
        pass
    assert {one.comment.id: one.label for one in told} == await _of(pool)
