"""While reviews are paused a new head is not reviewed, and the gate stays shut for it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.domain.errors import Permanent
from bot.domain.events import Action, MergeRequestChanged, Record, Stage
from bot.domain.forge import ForgeMergeRequest, StatusPlace
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Gate, Policy, Review
from bot.domain.run import Run, RunState
from bot.domain.verdict_links import VerdictLinks
from bot.reviewer.announcing import Announcing
from bot.runtime.consumer import Work
from consumers.intake import intake

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
OLD, NEW = "a" * 40, "b" * 40


class Silent:
    """Telemetry that goes nowhere."""

    def count(self, *_: object, **__: object) -> None:
        pass


@dataclass
class Forge:
    """Shows one head, and notes the statuses that are set."""

    head: str | None = NEW
    refuses: bool = False
    statuses: list[tuple[str, str, str]] = field(default_factory=list)
    withdrawn: int = 0

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return the merge request."""
        return ForgeMergeRequest(ref, "t", "", "opened", False, self.head, None, "main", "f", 7, "u")

    async def set_status(
        self, _: ForgeMergeRequest, sha: str, state: str, description: str, **__: str
    ) -> StatusPlace:
        """Note the status, or refuse it."""
        if self.refuses:
            raise Permanent("403")
        self.statuses.append((sha, state, description))
        return StatusPlace(7, sha, 12)

    async def unapprove(self, _: MergeRequestRef) -> None:
        """Note that our approval was taken back, or refuse it."""
        if self.refuses:
            raise Permanent("403")
        self.withdrawn += 1


def changed(head: str | None = NEW, *, source: str = "hook", again: bool = False) -> MergeRequestChanged:
    return MergeRequestChanged(ref=REF, action=Action.changed, head_sha=head, source=source, again=again)


async def paused(store: PostgresStore, *, language: str = "en", approve: bool = False) -> Run:
    """Return the run that was at work when somebody paused the merge request."""
    run = Run(
        id=uuid.uuid4(),
        ref=REF,
        head_sha=OLD,
        state=RunState.working,
        policy=Policy(review=Review(language=language), gate=Gate(approve=approve)),
        created_at=datetime.now(UTC),
    )
    async with store.commit("converse", Record.of(changed(), id=uuid.uuid4())) as transaction:
        state = await transaction.merge_request(REF)
        await transaction.save_run(run)
        await transaction.save_merge_request(replace(state, head_sha=OLD, run_id=run.id, paused=True))
    return run


async def handle(
    store: PostgresStore, forge: Forge, event: MergeRequestChanged, debounce: timedelta = timedelta()
) -> None:
    await intake.handle(
        event,
        forge=forge,
        approvals=forge,
        clock=SystemClock(),
        telemetry=Silent(),
        verdicts=PostgresVerdicts(store._pool),
        announcing=Announcing(forge, forge, VerdictLinks("")),  # type: ignore[arg-type]
        instance_url="https://gitlab.example",
        debounce=debounce,
        work=Work(Stage.intake, Record.of(event, id=uuid.uuid4()), store),
    )


async def states(store: PostgresStore, runs: Sequence[Run]) -> list[RunState]:
    return [(await store.run(run.id)).state for run in runs]


@pytest.mark.parametrize(("language", "words"), [("en", "paused; review"), ("zh-CN", "已暂停")])
async def test_a_head_that_comes_while_paused_is_not_reviewed(
    store: PostgresStore, language: str, words: str
) -> None:
    """The run on the old head ends, none begins, and the status says what to do in the project's language."""
    run, forge = await paused(store, language=language), Forge()
    await handle(store, forge, changed())
    ((sha, state, said),) = forge.statuses
    assert (NEW, "pending", True) == (sha, state, said.startswith(words))
    assert [RunState.superseded] == await states(store, [run])
    kept = await store.merge_request(REF)
    assert (OLD, run.id, True, False) == (kept.head_sha, kept.run_id, kept.paused, kept.closed)


async def test_a_new_target_branch_shuts_the_gate_while_paused(store: PostgresStore) -> None:
    """Its policy has judged nothing: what the head was told before does not count there."""
    run, forge = await paused(store, approve=True), Forge(OLD)
    await handle(store, forge, changed(OLD, again=True))
    assert [(OLD, "pending")] == [one[:2] for one in forge.statuses]
    assert (1, [RunState.superseded]) == (forge.withdrawn, await states(store, [run]))


@pytest.mark.parametrize("event", [changed(source="comment"), changed(again=True, source="comment")])
async def test_what_somebody_asks_for_is_reviewed(store: PostgresStore, event: MergeRequestChanged) -> None:
    """It stays paused for the heads after it."""
    run, forge = await paused(store), Forge()
    await handle(store, forge, event)
    kept = await store.merge_request(REF)
    assert (NEW, True, True) == (kept.head_sha, kept.run_id != run.id, kept.paused)
    assert forge.statuses == []


async def test_the_head_that_was_reviewed_stays_as_it_is(store: PostgresStore) -> None:
    """An edit of the title is no reason to touch its status."""
    run, forge = await paused(store), Forge(OLD)
    await handle(store, forge, changed(OLD))
    assert forge.statuses == []
    assert [RunState.working] == await states(store, [run])


async def test_a_head_that_is_not_the_newest_gets_no_status(store: PostgresStore) -> None:
    """The hook of the newest one does that."""
    await paused(store)
    forge = Forge("c" * 40)
    await handle(store, forge, changed())
    assert forge.statuses == []


async def test_a_status_that_gitlab_refuses_changes_nothing_else(store: PostgresStore) -> None:
    """The head is still not reviewed."""
    run = await paused(store)
    await handle(store, Forge(refuses=True), changed())
    assert [RunState.superseded] == await states(store, [run])
    assert (await store.merge_request(REF)).head_sha == OLD


@pytest.mark.parametrize(
    ("approve", "refuses", "withdrawn"), [(True, False, 1), (True, True, 0), (False, False, 0)]
)
async def test_our_approval_of_the_head_before_does_not_stand_for_the_new_one(
    store: PostgresStore, approve: bool, refuses: bool, withdrawn: int
) -> None:
    """Nobody has looked at it; where GitLab refuses, the head is held all the same."""
    run, forge = await paused(store, approve=approve), Forge(refuses=refuses)
    await handle(store, forge, changed())
    assert (withdrawn, [RunState.superseded]) == (forge.withdrawn, await states(store, [run]))


async def test_who_pushed_is_remembered_whatever_becomes_of_the_head(store: PostgresStore) -> None:
    """While paused, by hooks that come late, and from run to run; a head that no hook told of stays a doubt."""
    await paused(store)
    heads = [digit * 40 for digit in "acde"]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for number, source in ((2, "hook"), (1, "hook"), (3, "comment"), (3, "reconciler")):
        event = changed(heads[number], source=source).model_copy(
            update={"updated_at": at + timedelta(seconds=number)}
        )
        if source == "hook":
            event = event.model_copy(update={"pushed_by": number, "pushed_over": heads[number - 1]})
        await handle(store, Forge(heads[number]), event)
    run_id = (await store.merge_request(REF)).run_id
    assert run_id is not None
    run = await store.run(run_id)
    assert (heads[3], (2, 1)) == (run.head_sha, run.pushes.by)
    assert (heads[0], heads[3]) == run.pushes.untold


@pytest.mark.parametrize(
    ("event", "shown", "statuses"),
    [
        (changed(), NEW, [(NEW, "pending")]),
        (changed(OLD, again=True), OLD, [(OLD, "pending")]),
        (changed(OLD), OLD, []),
        (changed(), OLD, []),
    ],
)
async def test_the_gate_is_shut_while_a_review_waits_for_further_pushes(
    store: PostgresStore, event: MergeRequestChanged, shown: str, statuses: list[tuple[str, str]]
) -> None:
    """For a new head and a new target at once, not only once the review begins: a quick pipeline would open it."""
    run, forge = await paused(store, approve=True), Forge(shown)
    async with store.commit("converse", Record.of(changed(), id=uuid.uuid4())) as transaction:
        await transaction.save_merge_request(replace(await transaction.merge_request(REF), paused=False))
    await handle(store, forge, event, timedelta(minutes=10))
    assert (statuses, len(statuses)) == ([one[:2] for one in forge.statuses], forge.withdrawn)
    kept = await store.merge_request(REF)
    standing = await PostgresVerdicts(store._pool).of_run(kept.run_id or run.id)
    places = standing.verdict.places if standing and standing.verdict else ()
    assert [StatusPlace(7, sha, 12) for sha, _ in statuses] == list(places)
