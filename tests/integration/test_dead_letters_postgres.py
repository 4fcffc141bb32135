"""Retrying and dropping dead letters on a real database: each goes once, with what it calls for."""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.dead_letters_postgres import PostgresDeadLetters
from bot.adapters.store_postgres import PostgresStore
from bot.domain.dead_letters import HandOut, Settled
from bot.domain.errors import Permanent
from bot.domain.events import FetchRequested, PublishRequested, Record
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Run, RunState

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)


@pytest.fixture
def letters(pool: Any) -> PostgresDeadLetters:
    """Return the dead letters of a fresh database."""
    return PostgresDeadLetters(pool)


def fetch(run: Run, number: int = 1) -> Record:
    """Return an event of *run*."""
    return Record.of(FetchRequested(ref=run.ref, run_id=run.id), id=uuid.uuid5(run.id, str(number)))


async def park(store: PostgresStore, record: Record, stage: str = "fetch") -> None:
    """Give *record* up, without a word to its run."""
    await store.park(stage, record, attempts=4, error="UnknownEvent", reason="upgrade")


async def current_run(store: PostgresStore, state: RunState, ref: MergeRequestRef = REF) -> Run:
    """Store a run of the newest head of *ref*."""
    run = Run(id=uuid.uuid4(), ref=ref, head_sha="a" * 40, state=state, created_at=datetime.now(UTC))
    async with store.commit("intake", fetch(run, 0)) as transaction:
        known = await transaction.merge_request(ref)
        await transaction.save_run(run)
        await transaction.save_merge_request(
            replace(known, run_id=run.id, head_sha=run.head_sha, closed=False)
        )
    return run


async def logged(pool: Any) -> list[tuple[str, int]]:
    """Return kind and attempt of what is in the log."""
    rows = await pool.fetch("SELECT kind, attempt FROM event ORDER BY partition, log_offset")
    return [(row["kind"], row["attempt"]) for row in rows]


async def test_letters_are_listed_the_newest_first(
    letters: PostgresDeadLetters, store: PostgresStore
) -> None:
    """By stage or project, up to a limit; a list has no bodies, a single letter is whole."""
    refs = [
        REF,
        REF.model_copy(update={"project_id": 71}),
        MergeRequestRef(instance="g:7", project_id=8, iid=7),
    ]
    for ref in refs:
        await park(store, fetch(await current_run(store, RunState.failed, ref)))
    await park(store, fetch(await current_run(store, RunState.failed), 2), stage="scan")
    assert [REF, *reversed(refs)] == [letter.ref for letter in await letters.newest(9)]
    assert [REF, refs[2]] == [letter.ref for letter in await letters.newest(2)]
    assert [REF] == [letter.ref for letter in await letters.newest(9, stage="scan")]
    assert [REF, REF] == [letter.ref for letter in await letters.newest(9, project_id=7)]
    (last, *_), (first, *others) = await letters.newest(1), await letters.numbers()
    assert "body" not in last.content
    assert "body" in (await letters.get(first)).content
    assert [last.number] == await letters.numbers("scan")
    assert 3 == len(others)


async def test_an_event_of_a_going_review_goes_back_to_the_log(
    letters: PostgresDeadLetters, store: PostgresStore, pool: Any
) -> None:
    """The inbox does not take it for done, and the letter is gone."""
    record = fetch(await current_run(store, RunState.started))
    await park(store, record)
    (number,) = await letters.numbers()
    done = await letters.retry(number)
    assert isinstance(done, HandOut)
    assert [("fetch.requested", 0)] == await logged(pool)
    assert (await store.start("fetch", record.id, 0)).done
    assert not (await store.start("fetch", done.record.id, 0)).done
    with pytest.raises(Permanent, match=f"there is no dead letter {number}"):
        await letters.retry(number)


async def test_the_letters_of_a_failed_review_ask_for_one_review(
    letters: PostgresDeadLetters, store: PostgresStore, pool: Any
) -> None:
    """Fetching and publishing were given up; the merge request is looked at once."""
    run = await current_run(store, RunState.failed)
    await park(store, fetch(run))
    publish = Record.of(PublishRequested(ref=REF, run_id=run.id, round=1), id=uuid.uuid4())
    await park(store, publish, stage="publish")
    done = [await letters.retry(number) for number in await letters.numbers()]
    assert [HandOut, Settled] == [type(one) for one in done]
    assert [("merge_request.changed", 0)] == await logged(pool)
    assert [] == await letters.numbers()


async def test_a_letter_that_was_overtaken_just_goes(
    letters: PostgresDeadLetters, store: PostgresStore, pool: Any
) -> None:
    """A newer run has begun, the merge request was closed, or retention took the run."""
    await park(store, fetch(await current_run(store, RunState.failed)))
    run = await current_run(store, RunState.failed)
    async with store.commit("intake", fetch(run, 1)) as transaction:
        await transaction.save_merge_request(replace(await transaction.merge_request(REF), closed=True))
    await park(store, fetch(run, 2))
    await park(store, Record.of(FetchRequested(ref=REF, run_id=uuid.uuid4()), id=uuid.uuid4()))
    done = [await letters.retry(number) for number in await letters.numbers()]
    assert [Settled] * 3 == [type(one) for one in done]
    assert [] == await logged(pool)
    assert [] == await letters.numbers()


async def test_a_letter_that_cannot_be_read_stays(
    letters: PostgresDeadLetters, store: PostgresStore, pool: Any
) -> None:
    """Until an upgrade; then it is retried like any other."""
    record = fetch(await current_run(store, RunState.started))
    await park(store, record.model_copy(update={"version": 99}))
    (number,) = await letters.numbers()
    with pytest.raises(Permanent, match="upgrade"):
        await letters.retry(number)
    assert [number] == await letters.numbers()
    assert [] == await logged(pool)
    await pool.execute("UPDATE dead_letter SET record = jsonb_set(record, '{version}', '1')")
    await letters.retry(number)
    assert [("fetch.requested", 0)] == await logged(pool)


async def test_two_operators_retry_a_letter_once(
    letters: PostgresDeadLetters, store: PostgresStore, pool: Any
) -> None:
    """The second finds it gone."""
    await park(store, fetch(await current_run(store, RunState.started)))
    (number,) = await letters.numbers()
    done = await asyncio.gather(*(letters.retry(number) for _ in range(4)), return_exceptions=True)
    assert [Permanent] * 3 == [type(one) for one in done if not isinstance(one, HandOut)]
    assert [("fetch.requested", 0)] == await logged(pool)


async def test_a_retry_that_breaks_off_leaves_the_letter(
    letters: PostgresDeadLetters, store: PostgresStore, pool: Any
) -> None:
    """Appending and taking away are one: here the letter cannot be taken away."""
    await park(store, fetch(await current_run(store, RunState.started)))
    (number,) = await letters.numbers()
    await pool.execute("CREATE RULE keep AS ON DELETE TO dead_letter DO INSTEAD SELECT 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        await letters.retry(number)
    await pool.execute("DROP RULE keep ON dead_letter")
    assert [number] == await letters.numbers()
    assert [] == await logged(pool)


async def test_dropping_deletes(letters: PostgresDeadLetters, store: PostgresStore, pool: Any) -> None:
    """Only what is named, and it says what was there."""
    run = await current_run(store, RunState.started)
    for number in range(3):
        await park(store, fetch(run, number + 5))
    first, second, third = await letters.numbers()
    assert [first, third] == await letters.drop([third, first, 999])
    assert [second] == await letters.numbers()
    assert [] == await logged(pool)
