"""What every store must do."""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.postgres import connect_pool
from bot.adapters.store_postgres import PostgresStore
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import DeadlineReached, FetchRequested, Record, ScanRequested, event_id
from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import AnsweredComment, Declined, ThreadRecord
from bot.domain.run import Outcome, Run, Step
from bot.ports import EventLog, Store

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
GROUP = "fetch"


def parent(number: int = 1) -> Record:
    """Return an event that somebody handles."""
    return Record.of(
        FetchRequested(ref=REF, run_id=uuid.uuid4()), id=uuid.uuid5(uuid.NAMESPACE_OID, str(number))
    )


def new_run() -> Run:
    """Return a run that has just started."""
    return Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime.now(UTC))


def finding(fingerprint: str, line: int = 1) -> Finding:
    """Return a stamped finding."""
    return Finding(
        scanner="semgrep",
        rule="r",
        category="security",
        severity=Severity.high,
        path="a.py",
        line=line,
        end_line=line,
        title="t",
        message="m",
        fingerprint=fingerprint,
    )


async def saved_run(store: Store) -> Run:
    """Store a run and return it."""
    run = new_run()
    async with store.commit(GROUP, parent(run.id.int % 10_000 + 10)) as transaction:
        await transaction.save_run(run)
    return run


async def test_a_run_comes_back_as_it_was(store: Store) -> None:
    """Everything in a run survives."""
    run = await saved_run(store)
    assert await store.run(run.id) == run
    changed = run.model_copy(
        update={"steps": {"review": Step(outcome=Outcome.done, not_analysed={"a": "b"})}}
    )
    async with store.commit(GROUP, parent(2)) as transaction:
        await transaction.save_run(changed)
    assert await store.run(run.id) == changed


async def test_an_unknown_run_is_a_permanent_error(store: Store) -> None:
    """Asking for a run that does not exist can never succeed."""
    with pytest.raises(Permanent):
        await store.run(uuid.uuid4())


async def test_an_event_is_handled_once(store: Store) -> None:
    """The second commit of the same event is refused, and nothing of it is written."""
    run = await saved_run(store)
    async with store.commit(GROUP, parent()):
        pass
    with pytest.raises(Obsolete):
        async with store.commit(GROUP, parent()) as transaction:
            await transaction.save_run(run.supersede())
    assert await store.run(run.id) == run
    async with store.commit("another group", parent()):
        pass


async def test_a_failed_transaction_leaves_nothing(store: Store, postgres_log: EventLog) -> None:
    """Rows, inbox mark and events appear together or not at all."""
    run = new_run()

    async def break_off() -> None:
        async with store.commit(GROUP, parent()) as transaction:
            await transaction.save_run(run)
            transaction.emit(FetchRequested(ref=REF, run_id=run.id))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    with pytest.raises(Permanent):
        await store.run(run.id)
    assert not (await store.start(GROUP, parent().id, 0)).done
    async with postgres_log.subscribe("fetch", "fetch") as subscription:
        assert await subscription.poll(max_records=5, timeout_s=0.1) == []


async def test_emitted_events_reach_the_log_under_fixed_ids(store: Store, postgres_log: EventLog) -> None:
    """Ids follow from the parent, so that a repeat of the handling emits the same events."""
    run = new_run()
    events = [ScanRequested(ref=REF, run_id=run.id, scanner=name) for name in ("semgrep", "secrets")]
    async with store.commit(GROUP, parent()) as transaction:
        for event in events:
            transaction.emit(event)
        transaction.emit(DeadlineReached(ref=REF, run_id=run.id, step="total"), delay=timedelta(hours=1))
    async with postgres_log.subscribe("scan", "scan") as subscription:
        deliveries = await subscription.poll(max_records=5, timeout_s=1.0)
    assert [delivery.record.id for delivery in deliveries if delivery.record] == [
        event_id(parent().id, event) for event in events
    ]


async def test_counts_starts_that_did_not_end(store: Store) -> None:
    """Starts beyond the orderly failures are crashes; one that was taken back is none."""
    identity = parent().id
    assert (await store.start(GROUP, identity, 0)).crashes == 0
    assert (await store.start(GROUP, identity, 1)).crashes == 0
    assert (await store.start(GROUP, identity, 1)).crashes == 1
    await store.unstart(GROUP, identity)
    assert (await store.start(GROUP, identity, 0)).crashes == 1


async def test_taking_over_from_a_living_process_is_no_crash(store: Store, database_url: str) -> None:
    """A member that lost its partition may still be at work; only when its process is gone did the event end it."""
    identity = parent().id
    other_pool = await connect_pool(database_url, size=2)
    other = PostgresStore(other_pool)
    assert (await other.start(GROUP, identity, 0)).crashes == 0
    assert (await store.start(GROUP, identity, 0)).crashes == 0
    assert (await other.start(GROUP, identity, 0)).crashes == 0
    await other_pool.close()
    assert (await store.start(GROUP, identity, 0)).crashes == 1


async def test_parking_ends_an_event(store: Store) -> None:
    """A dead letter counts as handled, and parking twice is fine."""
    for _ in range(2):
        await store.park(GROUP, parent(), attempts=3, error="Permanent", reason="no access")
    assert (await store.start(GROUP, parent().id, 0)).done


async def test_the_state_of_a_merge_request_is_made_and_kept(store: Store) -> None:
    """An unknown merge request has an empty state; what is saved comes back."""
    assert (await store.merge_request(REF)).head_sha is None
    run = await saved_run(store)
    async with store.commit(GROUP, parent()) as transaction:
        state = await transaction.merge_request(REF)
        kept = replace(
            state, head_sha="a" * 40, updated_at=datetime.now(UTC), run_id=run.id, summary_note_id=2**40
        )
        await transaction.save_merge_request(kept)
    assert await store.merge_request(REF) == kept
    assert await store.is_current(run)
    assert not await store.is_current(new_run())
    await store.mark_posting(REF)
    assert (await store.merge_request(REF)).posting


async def test_a_closed_merge_request_has_no_current_run(store: Store) -> None:
    """Closing makes the run pointless."""
    run = await saved_run(store)
    async with store.commit(GROUP, parent()) as transaction:
        state = await transaction.merge_request(REF)
        await transaction.save_merge_request(replace(state, run_id=run.id, closed=True))
    assert not await store.is_current(run)


async def test_transactions_on_a_merge_request_take_turns(store: Store) -> None:
    """Two events of one merge request cannot both act on the state before either."""

    async def count(number: int) -> None:
        async with store.commit(GROUP, parent(number)) as transaction:
            state = await transaction.merge_request(REF)
            await asyncio.sleep(0.01)
            await transaction.save_merge_request(
                replace(state, summary_note_id=(state.summary_note_id or 0) + 1)
            )

    await asyncio.gather(*(count(number) for number in range(100, 106)))
    assert (await store.merge_request(REF)).summary_note_id == 6


async def test_findings_of_a_step_replace_each_other(store: Store) -> None:
    """A repeated scan does not double its findings; other steps keep theirs."""
    run = await saved_run(store)
    for number, found in enumerate(([finding("1"), finding("2")], [finding("2"), finding("3", line=9)])):
        async with store.commit(GROUP, parent(number + 50)) as transaction:
            await transaction.replace_findings(run.id, "scan:semgrep", found)
            await transaction.replace_findings(run.id, "review", [finding("9")])
    assert await store.findings(run.id) == {
        "scan:semgrep": [finding("2"), finding("3", line=9)],
        "review": [finding("9")],
    }


async def test_the_order_of_findings_is_always_the_same(store: Store) -> None:
    """Where two steps have found the same, whichever was stored first: data sets depend on it."""
    run = await saved_run(store)
    async with store.commit(GROUP, parent(55)) as transaction:
        await transaction.replace_findings(run.id, "scan:semgrep", [finding("1")])
        await transaction.replace_findings(run.id, "review", [finding("1")])
    assert ["review", "scan:semgrep"] == [*await store.findings(run.id)]


async def test_a_transaction_reads_the_findings_that_it_may_change(store: Store) -> None:
    """It sees them as they are, its own changes among them."""
    run = await saved_run(store)
    async with store.commit(GROUP, parent(60)) as transaction:
        await transaction.replace_findings(run.id, "review", [finding("1"), finding("2")])
        assert {"review": [finding("1"), finding("2")]} == await transaction.findings(run.id)
        assert {} == await transaction.findings(new_run().id)


async def test_threads_are_kept_by_fingerprint(store: Store) -> None:
    """A thread is updated in place, and a known discussion is never forgotten."""
    thread = ThreadRecord("f", uuid.uuid4(), "open", "semgrep", "r", "high", "a.py", "1:x", discussion_id="d")
    for number, version in enumerate((thread, replace(thread, state="fixed", discussion_id=None))):
        async with store.commit(GROUP, parent(number)) as transaction:
            await transaction.save_threads(REF, [version])
    assert await store.threads(REF) == {"f": replace(thread, state="fixed")}


async def test_what_was_declined_counts_in_its_project_until_it_expires(store: Store) -> None:
    """Whatever the merge request; another project hears of nothing."""
    now = datetime.now(UTC)
    said = [
        Declined("a", "r", REF.iid, now + timedelta(days=90), "as\0intended", 5),
        Declined("b", "r", REF.iid, now - timedelta(seconds=1)),
    ]
    async with store.commit(GROUP, parent()) as transaction:
        await transaction.decline(REF, said)
    elsewhere = REF.model_copy(update={"iid": 99})
    assert {"a": replace(said[0], reason="as\ufffdintended")} == await store.declined(elsewhere)
    assert {} == await store.declined(REF.model_copy(update={"project_id": 8}))
    assert {} == await store.declined(REF.model_copy(update={"instance": "other.example"}))


async def test_what_was_declined_is_not_prolonged_by_looking_again(store: Store) -> None:
    """The same merge request says the same at every push; another one, or a reason, is something new."""
    soon, later = (datetime.now(UTC) + timedelta(days=days) for days in (1, 90))
    other = REF.model_copy(update={"iid": 4})
    first = Declined("f", "r", REF.iid, soon)
    for number, (ref, said, counts) in enumerate(
        (
            (REF, first, first),
            (REF, replace(first, until=later), first),
            (REF, replace(first, until=later, reason="why"), replace(first, until=later, reason="why")),
            (other, replace(first, iid=4), replace(first, iid=4)),
        )
    ):
        async with store.commit(GROUP, parent(number)) as transaction:
            await transaction.decline(ref, [said])
        assert {"f": counts} == await store.declined(REF)


async def test_only_who_declined_takes_it_back(store: Store) -> None:
    """A thread that is open elsewhere says nothing about what was declined here."""
    said = Declined("f", "r", REF.iid, datetime.now(UTC) + timedelta(days=1))
    for number, (ref, left) in enumerate(((REF.model_copy(update={"iid": 4}), {"f": said}), (REF, {}))):
        async with store.commit(GROUP, parent(number)) as transaction:
            await transaction.decline(REF, [said])
            await transaction.undecline(ref, ["f", "g"])
        assert left == await store.declined(REF)


async def test_the_last_review_is_the_newest_that_ended_well(store: Store) -> None:
    """Runs without an answer of the model do not count, nor do those of other merge requests."""
    assert await store.last_reviewed(REF) is None
    began = datetime.now(UTC)
    outcomes = [Outcome.done, Outcome.partial, Outcome.failed, Outcome.pending, Outcome.late]
    runs = [
        new_run().model_copy(
            update={
                "steps": {"review": Step(outcome=outcome)},
                "created_at": began + timedelta(seconds=number),
            }
        )
        for number, outcome in enumerate(outcomes)
    ]
    other = new_run().model_copy(
        update={"ref": REF.model_copy(update={"iid": 4}), "steps": {"review": Step(outcome=Outcome.done)}}
    )
    async with store.commit(GROUP, parent()) as transaction:
        for run in [*runs, other]:
            await transaction.save_run(run)
    assert runs[1] == await store.last_reviewed(REF)


async def test_one_writer_at_a_time(store: Store) -> None:
    """While somebody holds a merge request nobody else gets it; afterwards it is free."""
    async with store.exclusive(REF):
        with pytest.raises(Transient):
            async with store.exclusive(REF):
                pytest.fail("two writers at once")
        async with store.exclusive(REF.model_copy(update={"iid": 4})):
            pass
    async with store.exclusive(REF):
        pass


async def test_many_writers_leave_connections_for_their_work(store: Store) -> None:
    """However many merge requests are written to at once, each can use the store meanwhile."""

    async def write(iid: int) -> None:
        ref = REF.model_copy(update={"iid": iid})
        async with store.exclusive(ref):
            await store.merge_request(ref)
            await asyncio.sleep(0.01)

    async with asyncio.timeout(150):
        await asyncio.gather(*(write(iid) for iid in range(1, 61)))


async def test_secrets_are_made_once(store: Store) -> None:
    """Every process gets the same random bytes under one name."""
    made = await asyncio.gather(*(store.secret("markers") for _ in range(5)))
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    assert made[0] != await store.secret("fingerprints")


async def test_a_comment_is_acted_on_once(store: Store) -> None:
    """Whatever events speak of it; what a second one would have changed is not written."""
    since = datetime.now(UTC) - timedelta(hours=1)
    comment = AnsweredComment(note_id=7, author_id=5, commands=("pause",))
    assert (False, 0) == (await store.was_answered(REF, 7), await store.answered_since(REF, since))
    async with store.commit(GROUP, parent(901)) as transaction:
        await transaction.add_answered(REF, comment)

    async def again() -> None:
        async with store.commit(GROUP, parent(902)) as transaction:
            state = await transaction.merge_request(REF)
            await transaction.save_merge_request(replace(state, paused=True))
            await transaction.add_answered(REF, comment)

    with pytest.raises(Obsolete):
        await again()
    assert not (await store.merge_request(REF)).paused
    assert (True, 1) == (await store.was_answered(REF, 7), await store.answered_since(REF, since))
    assert await store.answered_since(REF, datetime.now(UTC) + timedelta(hours=1)) == 0
