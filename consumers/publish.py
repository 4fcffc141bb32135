"""When results are to be visible, make the merge request say what was found: no more, and nothing twice."""

from __future__ import annotations

from bot.domain.errors import Obsolete, Refused
from bot.domain.events import BranchPipelineSeen, PipelineSeen, PublishRequested, Stage, VerifyRequested
from bot.domain.forge import ForgeMergeRequest
from bot.domain.proof import waits
from bot.domain.run import Run, RunState
from bot.domain.summary import project_path
from bot.ports import Clock, Forge, Store, Telemetry
from bot.reviewer.publishing import Overtaken, Publishing
from bot.reviewer.recording import keep
from bot.reviewer.waiving import is_about
from bot.runtime.consumer import Work, consumer


@consumer(Stage.publish)
async def publish(
    event: PublishRequested | PipelineSeen | BranchPipelineSeen,
    *,
    publishing: Publishing,
    store: Store,
    instance_url: str,
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Publish one run as far as it got, or say its verdict in one more pipeline."""
    if not isinstance(event, PublishRequested):
        await _in_pipeline(event, publishing, store, work)
        return
    run = await store.run(event.run_id)
    if event.parting:
        declined, steps = await publishing.part(run)
        async with work.commit() as transaction:
            await transaction.decline(event.ref, declined)
            await transaction.add_waiver_steps(steps)
        return
    if run.published >= run.results or run.state is RunState.superseded:
        raise Obsolete("there is nothing new to publish")
    findings = await store.findings(run.id)
    if waits(run, findings):
        # They came in while the others were being checked.
        async with work.commit() as transaction:
            transaction.emit(VerifyRequested(ref=event.ref, run_id=run.id, round=event.round))
        return
    async with store.exclusive(event.ref) as still_held:
        found = await _seen(publishing.forge, run)
        if not await store.is_current(run):
            raise Obsolete("a newer head won, or the merge request was closed")
        if found.state != "opened" or not is_about(run, found):
            await work.follow(run, found)
            return
        met = await publishing.look(run, found, findings)
        said = await publishing.say(met, await publishing.decide(met), still_held)
        project = project_path(instance_url, found.web_url)
        async with work.commit() as transaction:
            run = await keep(transaction, met, said, event=work.record.id, project=project, now=clock.now())
    for action in said.publication.actions:
        telemetry.count("cloister_comments", action=type(action).__name__.lower())
    for one in said.publication.withheld:
        telemetry.count("cloister_withheld", cause=one.silence.cause.value)
    telemetry.observe("cloister_push_to_publish", said.seconds)
    if run.ended:
        telemetry.count("cloister_runs", ended=run.state.value)


async def _in_pipeline(
    event: PipelineSeen | BranchPipelineSeen, publishing: Publishing, store: Store, work: Work
) -> None:
    if isinstance(event, BranchPipelineSeen):
        seen = await publishing.shown_in(event)
        async with work.commit() as transaction:
            for one in seen:
                transaction.emit(one)
        return
    async with store.exclusive(event.ref):
        verdict = await publishing.join(event)
        if isinstance(verdict, Overtaken):
            await work.follow(verdict.run, verdict.found)
            return
        async with work.commit() as transaction:
            await transaction.save_verdict(verdict)


async def _seen(forge: Forge, run: Run) -> ForgeMergeRequest:
    """Return the merge request; where it is gone, a dead letter says already why its run has failed."""
    try:
        return await forge.merge_request(run.ref)
    except Refused as error:
        if run.state is RunState.failed:
            raise Obsolete(f"nobody is left to be told that the review failed: {error}") from None
        raise
