"""What every store of verdicts must do."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.store_postgres import PostgresStore
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.domain.events import FetchRequested, Record
from bot.domain.forge import StatusPlace
from bot.domain.gate_verdict import GateVerdict, VerdictState
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Run, RunState
from bot.ports import Verdicts

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
HEAD = "a" * 40
_SECONDS = itertools.count()


def run_of(ref: MergeRequestRef = REF, **values: Any) -> Run:
    """Return a run on the head; each is newer than those before."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_SECONDS))
    return Run(id=uuid.uuid4(), ref=ref, head_sha=HEAD, created_at=at, **values)


def verdict_on(run: Run, **values: Any) -> GateVerdict:
    """Return a verdict on it."""
    return GateVerdict(run_id=run.id, ref=run.ref, head_sha=run.head_sha, **values)


async def save(
    store: PostgresStore, run: Run, verdict: GateVerdict | None = None, *, current: bool = True
) -> None:
    """Keep a run, and the verdict on it."""
    event = FetchRequested(ref=run.ref, run_id=run.id)
    async with store.commit("fetch", Record.of(event, id=uuid.uuid4())) as transaction:
        state = await transaction.merge_request(run.ref)
        await transaction.save_run(run)
        if current:
            await transaction.save_merge_request(replace(state, head_sha=run.head_sha, run_id=run.id))
        if verdict is not None:
            await transaction.save_verdict(verdict)


@pytest.fixture
def verdicts(pool: Any) -> Verdicts:
    return PostgresVerdicts(pool)


async def test_a_verdict_comes_back_as_it_was(store: PostgresStore, verdicts: Verdicts) -> None:
    """Whatever stands in it; the one before is replaced, and goes with its run."""
    run = run_of()
    await save(store, run, verdict_on(run))
    said = verdict_on(
        run,
        state=VerdictState.undecided,
        final=True,
        broken={"semgrep": "odd: \ud83d \u2028"},
        places=(StatusPlace(7, HEAD, 1), StatusPlace(8, HEAD)),
    )
    await save(store, run, said)
    found = await verdicts.of_run(run.id)
    assert found is not None
    assert found.verdict == said.model_copy(update={"broken": {"semgrep": "odd: \ufffd \u2028"}})
    assert (run, None, False) == (found.run, found.successor, found.closed)
    assert None is await verdicts.of_run(uuid.uuid4())


async def test_nothing_of_a_transaction_that_fails_is_kept(store: PostgresStore, verdicts: Verdicts) -> None:
    """A verdict is visible with its run, or not at all."""
    run = run_of()
    await save(store, run)

    async def fail() -> None:
        event = FetchRequested(ref=REF, run_id=run.id)
        async with store.commit("fetch", Record.of(event, id=uuid.uuid4())) as transaction:
            await transaction.save_verdict(verdict_on(run))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    found = await verdicts.of_run(run.id)
    assert found is not None
    assert found.verdict is None


async def test_the_mark_changes_with_what_people_see(store: PostgresStore, verdicts: Verdicts) -> None:
    """With the run, with its verdict, with the run that takes over; and with nothing else."""
    run = run_of()
    await save(store, run)
    marks = [await verdicts.mark_of(run.id)]
    assert marks[0] == await verdicts.mark_of(run.id)
    for later in (
        (run, verdict_on(run)),
        (run.model_copy(update={"state": RunState.published}), None),
        (run_of(), None),
    ):
        await save(store, *later)
        marks.append(await verdicts.mark_of(run.id))
    assert 4 == len(set(marks))
    found = await verdicts.of_run(run.id)
    assert found is not None
    assert (marks[-1], True) == (found.mark, found.successor is not None)
    assert "" == await verdicts.mark_of(uuid.uuid4())


async def test_a_head_is_found_by_either_project(store: PostgresStore, verdicts: Verdicts) -> None:
    """The number is one of the merge request's own project; another instance knows nothing of it."""
    run = run_of()
    await save(store, run, verdict_on(run, source_project_id=9))
    asked: list[tuple[str, int, int | None]] = [
        ("gitlab.example", 7, None),
        ("gitlab.example", 7, 3),
        ("gitlab.example", 9, None),
        ("gitlab.example", 9, 3),
        ("gitlab.example", 7, 4),
        ("other.example", 7, 3),
    ]
    found = [await verdicts.of_head(instance, project, HEAD, iid) for instance, project, iid in asked]
    assert [True, True, True, False, False, False] == [one is not None for one in found]
    assert None is await verdicts.of_head("gitlab.example", 7, "b" * 40)


async def test_of_several_with_a_head_the_one_that_has_it_counts(
    store: PostgresStore, verdicts: Verdicts
) -> None:
    """A closed merge request, or one that went on, comes after."""
    other = REF.model_copy(update={"iid": 4})
    current, gone_on = run_of(), run_of(other)
    await save(store, current)
    await save(store, gone_on, current=False)
    found = await verdicts.of_head("gitlab.example", 7, HEAD)
    assert found is not None
    assert current.id == found.run.id


async def test_what_was_never_decided_is_left(store: PostgresStore, verdicts: Verdicts) -> None:
    """Of the same merge request, by runs that a newer one took over from."""
    broken_off = run_of(state=RunState.superseded)
    decided, new = run_of(state=RunState.superseded), run_of()
    elsewhere = run_of(REF.model_copy(update={"iid": 5}), state=RunState.superseded)
    await save(store, broken_off, verdict_on(broken_off))
    await save(store, decided, verdict_on(decided, state=VerdictState.passed))
    await save(store, elsewhere, verdict_on(elsewhere))
    await save(store, new, verdict_on(new))
    assert [broken_off.id] == [one.run_id for one in await verdicts.left_waiting(REF, new.id)]
    await save(store, broken_off, verdict_on(broken_off).superseded(), current=False)
    assert [] == await verdicts.left_waiting(REF, new.id)


async def test_who_else_has_a_head_is_known(store: PostgresStore, verdicts: Verdicts) -> None:
    """Open merge requests of any project, by their newest run alone."""
    near, far, closed = (
        REF.model_copy(update=more) for more in ({"iid": 4}, {"project_id": 8}, {"iid": 6, "project_id": 9})
    )
    for ref in (REF, near, far, near, closed):
        run = run_of(ref)
        await save(store, run, verdict_on(run))
    newest = await verdicts.of_head("gitlab.example", 7, HEAD, 4)
    async with store.commit(
        "fetch", Record.of(FetchRequested(ref=closed, run_id=uuid.uuid4()), id=uuid.uuid4())
    ) as one:
        await one.save_merge_request(replace(await one.merge_request(closed), closed=True))
    found = await verdicts.beside(REF, HEAD)
    assert newest is not None
    assert sorted([(7, 4), (8, 3)]) == sorted((one.ref.project_id, one.ref.iid) for one in found)
    assert newest.run.id in {one.run_id for one in found}
    assert [] == await verdicts.beside(REF, "b" * 40)


async def test_who_has_a_head_on_a_branch_of_a_project_is_known(
    store: PostgresStore, verdicts: Verdicts
) -> None:
    """Open merge requests into any project, by their newest run; a fork that is gone has none."""
    far, gone, closed = (REF.model_copy(update=more) for more in ({"project_id": 8}, {"iid": 4}, {"iid": 6}))
    for ref, source in ((REF, 7), (far, 7), (gone, None), (closed, 7)):
        for _ in range(2):
            run = run_of(ref)
            await save(store, run, verdict_on(run, source_project_id=source))
    async with store.commit(
        "fetch", Record.of(FetchRequested(ref=closed, run_id=uuid.uuid4()), id=uuid.uuid4())
    ) as one:
        await one.save_merge_request(replace(await one.merge_request(closed), closed=True))
    assert [REF, far] == [one.ref for one in await verdicts.on_head("gitlab.example", 7, HEAD)]
    assert [] == await verdicts.on_head("gitlab.example", 8, HEAD)
    assert [] == await verdicts.on_head("other.example", 7, HEAD)
    assert [] == await verdicts.on_head("gitlab.example", 7, "b" * 40)
