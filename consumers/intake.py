"""When a merge request changes, start a run on its newest head and end the run on the old one.

A push that comes soon after another waits a moment for the next one, so that a burst costs one review of its last
head instead of a broken-off review for each. The gate is shut meanwhile.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.authorship import Pushes
from bot.domain.errors import Permanent, Refused, Transient
from bot.domain.events import (
    Action,
    FeedbackExpected,
    FetchRequested,
    MergeRequestChanged,
    PublishRequested,
    Stage,
    VerdictOutdated,
)
from bot.domain.gate_decision import waiting
from bot.domain.gate_verdict import GateVerdict, sharing
from bot.domain.records import MergeRequestState
from bot.domain.run import Run, RunState
from bot.domain.summary import project_url
from bot.domain.watching import Why
from bot.domain.wording import wording
from bot.ports import Approvals, Clock, Forge, Store, Telemetry, Transaction, Verdicts
from bot.reviewer.announcing import Announcing
from bot.reviewer.redeciding import show_again
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()


@consumer(Stage.intake)
async def intake(
    event: MergeRequestChanged,
    *,
    forge: Forge,
    approvals: Approvals,
    announcing: Announcing,
    clock: Clock,
    telemetry: Telemetry,
    verdicts: Verdicts,
    instance_url: str,
    debounce: timedelta,
    work: Work,
) -> None:
    """Decide whether *event* brings a head that nobody reviews yet."""
    event = await _checked(event, forge, work.store)
    await _hold(event, forge, approvals, work.store)
    head = event.head_sha
    outdated = await _outdated(event, work.store, verdicts)
    run = _run(uuid.uuid5(work.record.id, "run"), event, head, clock.now()) if head else None
    held = await _shut(
        event,
        run,
        debounce,
        forge=forge,
        announcing=announcing,
        store=work.store,
        instance_url=instance_url,
    )
    async with work.commit() as transaction:
        state = await transaction.merge_request(event.ref)
        pushes = await _hear_of_push(transaction, event, state)
        if _overtaken(event, state):
            return
        if why := _news(event, state):
            transaction.emit(FeedbackExpected(ref=event.ref, why=why))
        state = replace(state, updated_at=event.updated_at or state.updated_at)
        if event.action is Action.closed:
            last = await _supersede(transaction, state, telemetry)
            await transaction.save_merge_request(replace(state, closed=True))
            for one in outdated:
                transaction.emit(one)
            if last is not None and last.rounds:
                parting = PublishRequested(ref=event.ref, run_id=last.id, round=last.rounds + 1, parting=True)
                transaction.emit(parting)
        elif run is None or head is None or await _known(transaction, event, state, head):
            await transaction.save_merge_request(replace(state, closed=False))
            # While it was closed, another merge request of the same head may have set their commit status.
            if (event.redecide or state.closed) and state.run_id is not None:
                await show_again(transaction, state.run_id)
        elif state.paused and not event.asked_for:
            await _supersede(transaction, state, telemetry)
            await transaction.save_merge_request(replace(state, closed=False))
        else:
            previous = await _supersede(transaction, state, telemetry)
            await transaction.save_run(run.model_copy(update={"pushes": pushes}))
            if held is not None:
                await transaction.save_verdict(held)
            await transaction.save_merge_request(replace(state, closed=False, head_sha=head, run_id=run.id))
            hurried = previous is not None and _soon_after(run, previous, debounce)
            transaction.emit(
                FetchRequested(ref=event.ref, run_id=run.id), delay=debounce if hurried else timedelta()
            )


async def _checked(event: MergeRequestChanged, forge: Forge, store: Store) -> MergeRequestChanged:
    """Return *event* as the forge shows it, where the event leaves open what is true now.

    That is a head that nobody has named, and a close without a time of its own: a reopening that was handled
    before it may have come later. The forge counts in whole seconds in its hooks.
    """
    if event.action is Action.changed:
        if event.head_sha is not None:
            return event
        return event.model_copy(update={"head_sha": (await forge.merge_request(event.ref)).head_sha})
    handled = (await store.merge_request(event.ref)).updated_at
    if event.updated_at is not None and event.updated_at != handled:
        return event
    try:
        found = await forge.merge_request(event.ref)
    except Refused:
        return event
    if found.state != "opened":
        return event
    return event.model_copy(update={"action": Action.changed, "head_sha": found.head_sha})


async def _hold(event: MergeRequestChanged, forge: Forge, approvals: Approvals, store: Store) -> None:
    """Keep the gate shut for what comes while reviews are paused, a head or a target branch: nobody has looked at it."""
    state = await store.merge_request(event.ref)
    if (
        not state.paused
        or event.asked_for
        or event.action is Action.closed
        or (event.head_sha == state.head_sha and not event.again)
    ):
        return
    found = await forge.merge_request(event.ref)
    if found.head_sha is None or found.head_sha != event.head_sha:
        return
    run = await store.run(state.run_id) if state.run_id else None
    language = run.policy.review.language if run else "en"
    try:
        await forge.set_status(found, found.head_sha, "pending", wording(language).talk.paused_status)
    except Permanent as error:
        log.warning("status.not_set", error=str(error))
    if run is not None and run.policy.approves:
        try:
            await approvals.unapprove(event.ref)
        except Permanent as error:
            log.warning("approval.not_withdrawn", error=str(error))


async def _shut(
    event: MergeRequestChanged,
    run: Run | None,
    debounce: timedelta,
    *,
    forge: Forge,
    announcing: Announcing,
    store: Store,
    instance_url: str,
) -> GateVerdict | None:
    """Keep the gate shut while the review of *run* waits for further pushes, and return what is said so far.

    Otherwise a quick pipeline would open it. None where nothing waits; what goes wrong is done when the review begins.
    """
    state = await store.merge_request(event.ref)
    known = event.head_sha == state.head_sha and not event.again
    if run is None or state.run_id is None or event.action is Action.closed or known:
        return None
    previous = await store.run(state.run_id)
    stays = (state.paused and not event.asked_for) or _overtaken(event, state)
    if stays or not _soon_after(run, previous, debounce):
        return None
    try:
        found = await forge.merge_request(event.ref)
    except (Permanent, Transient) as error:
        log.warning("status.not_set", error=str(error))
        return None
    if found.state != "opened" or found.head_sha != run.head_sha:
        return None
    places = await announcing.begin(found, run, ())
    await announcing.withdraw(run.model_copy(update={"policy": previous.policy}))
    return waiting(run, found, project_url(instance_url, found.web_url), places)


async def _outdated(event: MergeRequestChanged, store: Store, verdicts: Verdicts) -> list[VerdictOutdated]:
    """Return which verdicts have to be said anew once the merge request is closed: it may have been the stricter one."""
    run_id = (await store.merge_request(event.ref)).run_id if event.action is Action.closed else None
    standing = await verdicts.of_run(run_id) if run_id else None
    if run_id is None or standing is None or standing.verdict is None:
        return []
    beside = await verdicts.beside(event.ref, standing.verdict.head_sha)
    return [VerdictOutdated(ref=one.ref, cause=run_id) for one in sharing(standing.verdict, beside)]


def _overtaken(event: MergeRequestChanged, state: MergeRequestState) -> bool:
    """Say whether a later change of the merge request was handled already: deliveries overtake each other."""
    return bool(event.updated_at and state.updated_at and event.updated_at < state.updated_at)


def _news(event: MergeRequestChanged, state: MergeRequestState) -> Why | None:
    """Return what people may have done with our comments by what happened, None where there are none."""
    if state.run_id is None:
        return None
    if event.action is Action.closed:
        return Why.ended
    if state.closed:
        return Why.reopened
    return Why.pushed if event.head_sha not in {None, state.head_sha} else None


async def _known(
    transaction: Transaction, event: MergeRequestChanged, state: MergeRequestState, head: str
) -> bool:
    """Say whether *head* has a run that is not lost; an edit of the title alone changes nothing.

    A draft that nobody has looked at begins with its being ready.
    """
    if event.again or state.head_sha != head or state.run_id is None:
        return False
    run = await transaction.run(state.run_id)
    if run.left_out and event.redecide and not event.draft:
        return False
    return run.state not in {RunState.superseded, RunState.failed}


async def _supersede(transaction: Transaction, state: MergeRequestState, telemetry: Telemetry) -> Run | None:
    """End the run on the old head and return it as it was, None if there is none."""
    if state.run_id is None:
        return None
    run = await transaction.run(state.run_id)
    if not run.ended:
        await transaction.save_run(run.supersede())
        telemetry.count("cloister_runs", ended=RunState.superseded.value)
    return run


async def _hear_of_push(
    transaction: Transaction, event: MergeRequestChanged, state: MergeRequestState
) -> Pushes:
    """Return what is known of pushes, and remember it: of late hooks too, and where no review begins."""
    run = await transaction.run(state.run_id) if state.run_id else None
    before = run.pushes if run else Pushes()
    late = event.pushed_by is None and _overtaken(event, state)
    if event.action is Action.closed or event.head_sha is None or late:
        return before
    pushes = before.heard(event.head_sha, event.pushed_by, event.pushed_over)
    if run is not None and pushes != before:
        await transaction.save_run(run.model_copy(update={"pushes": pushes}))
    return pushes


def _soon_after(run: Run, previous: Run, debounce: timedelta) -> bool:
    """Say whether *run* follows *previous* so quickly that more may come; clocks that differ mean no."""
    return timedelta() <= run.created_at - previous.created_at < debounce


def _run(run_id: uuid.UUID, event: MergeRequestChanged, head: str, now: datetime) -> Run:
    return Run(id=run_id, ref=event.ref, head_sha=head, created_at=now, full=event.again)
