"""What every keeper of the reconciler's turns must do."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.reconciliation_postgres import PostgresReconciliations
from bot.adapters.store_postgres import PostgresStore
from bot.domain.errors import Obsolete
from bot.domain.events import FetchRequested, Record
from bot.domain.facts import Facts
from bot.domain.merge_request import MergeRequestRef
from bot.domain.missed import Known
from bot.domain.records import MergeRequestState
from bot.domain.run import Run
from bot.ports import Reconciliations, Turn

HERE, LEASE, DAY = "gitlab.example", timedelta(minutes=3), timedelta(days=1)
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
A = "a" * 40


@pytest.fixture
def reconciliations(pool: Any) -> Reconciliations:
    return PostgresReconciliations(pool)


def ref(iid: int, *, project: int = 7, instance: str = HERE) -> MergeRequestRef:
    """Return a merge request's name."""
    return MergeRequestRef(instance=instance, project_id=project, iid=iid)


async def claimed(reconciliations: Reconciliations, lease: timedelta = LEASE) -> Turn:
    """Return the turn that nobody else has."""
    turn = await reconciliations.claim(HERE, lease=lease, first=DAY)
    assert turn is not None
    return turn


async def test_the_first_turn_begins_a_while_ago(reconciliations: Reconciliations) -> None:
    """Where nothing was compared yet."""
    turn = await claimed(reconciliations)
    assert abs(datetime.now(UTC) - DAY - turn.updated_after) < timedelta(minutes=1)


@pytest.mark.parametrize("seen_before", [False, True])
async def test_one_of_many_gets_the_turn(seen_before: bool, reconciliations: Reconciliations) -> None:
    """Whether it is the very first one or not; other forges have turns of their own."""
    if seen_before:
        await claimed(reconciliations, timedelta())
    claims = [reconciliations.claim(HERE, lease=LEASE, first=DAY) for _ in range(10)]
    assert [turn is None for turn in await asyncio.gather(*claims)].count(False) == 1
    assert await reconciliations.claim("other.example", lease=LEASE, first=DAY) is not None


async def test_a_turn_ends_with_its_lease(reconciliations: Reconciliations) -> None:
    """Another process goes on from the cursor of one that died; the first one cannot move it any more."""
    first = await claimed(reconciliations)
    await first.move(AT, pause=timedelta(milliseconds=20))
    await asyncio.sleep(0.05)
    second = await claimed(reconciliations)
    assert second.updated_after == AT
    with pytest.raises(Obsolete):
        await first.move(AT + DAY, pause=LEASE)
    await second.move(AT + timedelta(hours=1), pause=timedelta())
    assert (await claimed(reconciliations)).updated_after == AT + timedelta(hours=1)


async def test_moving_renews_the_lease_and_pauses_the_rest(reconciliations: Reconciliations) -> None:
    """As often as it likes."""
    turn = await claimed(reconciliations, timedelta(milliseconds=1))
    for hours in (1, 2):
        await turn.move(AT + timedelta(hours=hours), pause=LEASE)
        assert AT + timedelta(hours=hours) == turn.updated_after
        assert await reconciliations.claim(HERE, lease=LEASE, first=DAY) is None


async def test_what_is_known_is_what_events_told(
    reconciliations: Reconciliations, store: PostgresStore
) -> None:
    """Of this forge, and only what was asked for."""
    states = [
        MergeRequestState(ref(1), head_sha=A, updated_at=AT),
        MergeRequestState(ref(2), closed=True),
        MergeRequestState(ref(1, project=8)),
        MergeRequestState(ref(3, project=9, instance="other.example")),
    ]
    facts = Facts(target_branch="main", labels=("a", "b"), draft=False)
    judged = Run(id=uuid.uuid4(), ref=ref(4), head_sha=A, created_at=AT, facts=facts)
    states.append(MergeRequestState(ref(4), head_sha=A, updated_at=AT, run_id=judged.id))
    parent = Record.of(FetchRequested(ref=ref(1), run_id=uuid.uuid4()), id=uuid.uuid4())
    async with store.commit("fetch", parent) as transaction:
        await transaction.save_run(judged)
        for state in states:
            await transaction.merge_request(state.ref)
            await transaction.save_merge_request(state)
    assert {7, 8} == await reconciliations.known_projects(HERE, {6, 7, 8, 9, 2**63 - 1})
    assert set() == await reconciliations.known_projects(HERE, [])
    known = {ref(4): Known(A, False, AT, facts=facts)}
    assert known == await reconciliations.known([ref(4)])
    asked = [ref(2), ref(1), ref(3), ref(1, project=9), ref(2**31 - 1, project=2**63 - 1)]
    assert {ref(1): Known(A, False, AT), ref(2): Known(None, True, None)} == await reconciliations.known(
        asked
    )
    assert {} == await reconciliations.known([])
