"""When results are to be visible, make the merge request say what was found: no more, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from bot.domain.commented import commented
from bot.domain.declining import declined_now, taken_back
from bot.domain.diff import Diff
from bot.domain.errors import Obsolete, Permanent
from bot.domain.events import (
    FeedbackExpected,
    PipelineSeen,
    PublishRequested,
    Stage,
    VerdictOutdated,
    VerifyRequested,
)
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of, places
from bot.domain.forge import ForgeMergeRequest
from bot.domain.gate_verdict import GateVerdict, sharing, verdict_on, waiting
from bot.domain.marker import Marker
from bot.domain.merge_request import Revision
from bot.domain.ours import Ours, deleted, forgotten, opened, ours, remember
from bot.domain.proof import waits
from bot.domain.publication import Publication, analysed, decide
from bot.domain.reconcile import Thread
from bot.domain.result import result
from bot.domain.review_fact import review_fact
from bot.domain.run import Run, RunState
from bot.domain.summary import project_path, project_url, summary
from bot.domain.verdict_links import VerdictLinks
from bot.domain.waiver_effects import merged_into, tellings
from bot.domain.waivers import WaiverStep
from bot.domain.watching import Watch, Why
from bot.ports import (
    Approvals,
    Clock,
    Forge,
    MergeRules,
    Store,
    Telemetry,
    Transaction,
    Verdicts,
    WaiverBook,
    Workspaces,
)
from bot.reviewer.announcing import Announcing
from bot.reviewer.moves import followed, renamed, under_old_names
from bot.reviewer.parting import declined_at_the_end
from bot.reviewer.posting import Posting
from bot.reviewer.quieting import Quieting
from bot.reviewer.waiving import WaiversHere, is_about, take
from bot.runtime.consumer import Work, consumer
from bot.syntax import language_of

log = structlog.get_logger()


@consumer(Stage.publish)
async def publish(
    event: PublishRequested | PipelineSeen,
    *,
    forge: Forge,
    merge_rules: MergeRules,
    approvals: Approvals,
    verdicts: Verdicts,
    links: VerdictLinks,
    workspaces: Workspaces,
    store: Store,
    waivers: WaiverBook,
    quieting: Quieting,
    marker: Marker,
    fingerprint_key: bytes,
    instance_url: str,
    redact: Callable[[str], str],
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Publish one run as far as it got, or say its verdict in one more pipeline."""
    announcing = Announcing(forge, approvals, links)
    if isinstance(event, PipelineSeen):
        await _join(event, forge, verdicts, announcing, work)
        return
    run = await store.run(event.run_id)
    if event.parting:
        said = await declined_at_the_end(run, forge=forge, store=store, marker=marker, now=clock.now())
        kept = await _merged(run, forge, waivers, clock)
        async with work.commit() as transaction:
            await transaction.decline(event.ref, said)
            await transaction.add_waiver_steps(kept)
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
        found = await forge.merge_request(event.ref)
        if not await store.is_current(run):
            raise Obsolete("a newer head won, or the merge request was closed")
        if found.state != "opened" or not is_about(run, found):
            await work.follow(run, found)
            return
        run = run.model_copy(update={"facts": run.facts.as_of(found)})
        known = await store.threads(event.ref)
        me = (await forge.whoami()).id
        mine = ours(await forge.discussions(event.ref), event.ref, me=me, marker=marker, known=known)
        diff = await workspaces.diff(run.revision) if run.revision else Diff(())
        here = await WaiversHere.on(run, found, waivers, clock.now())
        records = here.records | known
        moves = await renamed(
            run, diff, [*mine.threads, *here.threads], records, store=store, workspaces=workspaces
        )
        mine, here = replace(mine, threads=followed(mine.threads, moves)), here.moved(moves)
        standing = await _standing([*mine.threads, *here.threads], workspaces, run.revision, fingerprint_key)
        gone = deleted(mine, known)
        named = under_old_names(findings, moves, records, key=fingerprint_key)
        decided_with = partial(
            decide,
            run,
            named,
            mine.threads,
            diff,
            standing=standing,
            deleted=gone,
            declined=await store.declined(event.ref),
            waivers=here.standing,
            threads_block=bool(findings or mine.threads) and await _threads_block(run, merge_rules),
        )
        publication = await quieting.settle(
            run, lambda silences: decided_with(silences=silences), clock.now()
        )
        state = await store.merge_request(event.ref)
        drafts_left = state.posting or state.summary_note_id != mine.summary_id
        posting = Posting(run, diff, forge, store, workspaces, marker, still_held)
        refused = await posting.post(publication.posts, drafts_left=drafts_left)
        await posting.explain(publication.actions, known)
        unsettled = await posting.settle(publication.actions)
        await posting.tell(tellings(mine.threads, publication.verdict, here.all, branch=here.branch))
        hushed = await posting.hush(publication.quiet - set(refused))
        _count(telemetry, publication)
        seconds = (clock.now() - run.created_at).total_seconds()
        content = result(
            run,
            publication,
            refused=refused,
            diff=diff,
            project_url=project_url(instance_url, found.web_url),
            tokens=sum(step.tokens for step in run.steps.values()),
            seconds=seconds,
            paused=state.paused,
        )
        earlier = await verdicts.of_run(run.id)
        before = (earlier and earlier.verdict) or waiting(run, found, content.project_url, ())
        decided = verdict_on(run, publication, before, redact=redact)

        def body(problems: tuple[str, ...]) -> str:
            told = replace(content, problems=(*content.problems, *problems))
            return summary(told, marker=marker.of_summary(event.ref), redact=redact)

        # What GitLab did not let us do the last time it will hardly do now: then one edit is enough.
        mine = await _summarised(posting, mine, body(before.problems))
        beside = await verdicts.beside(event.ref, run.head_sha)
        decided = await announcing.say(found, run, decided, before, beside)
        if decided.problems != before.problems:
            mine = await _summarised(posting, mine, body(decided.problems))
        async with work.commit() as transaction:
            lost = forgotten(publication.actions, known)
            threads = [
                *remember(mine, [act for act in publication.actions if act not in unsettled], known),
                *opened(run, [*publication.posts, *lost], refused, hushed),
            ]
            await transaction.save_threads(event.ref, threads)
            await _keep_comments(run, found, [*publication.posts, *lost], refused, clock.now(), transaction)
            back = taken_back(publication, mine.threads, analysed(run, diff, mine.threads))
            await transaction.undecline(event.ref, back)
            said = declined_now(run, publication, deleted=gone, now=clock.now())
            await transaction.decline(event.ref, said)
            # Once a publication was broken off, a draft of it may still come: GitLab can be slow.
            interrupted = state.posting
            state = await transaction.merge_request(event.ref)
            await transaction.save_merge_request(
                replace(state, summary_note_id=mine.summary_id, posting=interrupted)
            )
            published = (await transaction.run(run.id)).mark_published(run.results)
            run = published.model_copy(update={"facts": run.facts})
            await transaction.save_run(run)
            await transaction.save_verdict(decided)
            _tell(decided, before, beside, transaction)
            await transaction.save_withheld(event.ref, run.id, publication.withheld)
            steps = here.steps(
                publication,
                named,
                mine.threads,
                diff,
                count=standing,
                author_id=found.author_id,
                event=work.record.id,
            )
            await take(transaction, event.ref, steps, here.all, here.now)
            fact = review_fact(
                run,
                findings,
                publication,
                diff,
                threads=[*known.values(), *threads],
                refused=refused,
                project=project_path(instance_url, found.web_url),
                now=clock.now(),
            )
            await transaction.save_fact(fact)
    telemetry.observe("cloister_push_to_publish", seconds)
    if run.ended:
        telemetry.count("cloister_runs", ended=run.state.value)


async def _summarised(posting: Posting, mine: Ours, body: str) -> Ours:
    """Write the summary and return what is ours now."""
    return replace(mine, summary_id=await posting.summarise(body, mine), summary_body=body)


async def _threads_block(run: Run, rules: MergeRules) -> bool:
    """Say whether open threads keep the merge request from being merged, and some of ours should not."""
    always = run.policy.comments.block_merge == "always"
    return not always and await rules.needs_resolved_threads(run.ref.project_id)


def _tell(
    decided: GateVerdict, before: GateVerdict, beside: Iterable[GateVerdict], transaction: Transaction
) -> None:
    """Have those who share the commit status say it anew, if that may change what it is."""
    if decided.status != before.status:
        for other in sharing(before, beside):
            transaction.emit(VerdictOutdated(ref=other.ref, waiver=decided.run_id))


async def _join(
    event: PipelineSeen, forge: Forge, verdicts: Verdicts, announcing: Announcing, work: Work
) -> None:
    """Set the commit status in a pipeline that began after the status was set; without it the pipeline may pass."""
    async with work.store.exclusive(event.ref):
        run_id = (await work.store.merge_request(event.ref)).run_id
        standing = await verdicts.of_run(run_id) if run_id else None
        verdict = standing.verdict if standing else None
        if verdict is None or event.pipeline_id in {place.pipeline_id for place in verdict.places}:
            raise Obsolete("the status is there, or will be")
        found = await forge.merge_request(event.ref)
        if found.state != "opened" or found.head_sha != verdict.head_sha:
            raise Obsolete("the merge request was closed, or has another head by now")
        try:
            verdict = await announcing.join(found, verdict, event.pipeline_id)
        except Permanent as error:
            log.warning("status.not_set", error=str(error))
            raise Obsolete("GitLab does not let us set the status there") from None
        async with work.commit() as transaction:
            await transaction.save_verdict(verdict)


async def _merged(run: Run, forge: Forge, waivers: WaiverBook, clock: Clock) -> list[WaiverStep]:
    """Return that waivers go with their code into the target branch, if that is where it went."""
    found = await forge.merge_request(run.ref)
    if found.state != "merged":
        return []
    return merged_into(run, found.target_branch, await waivers.of(run.ref), clock.now())


async def _standing(
    threads: Iterable[Thread], workspaces: Workspaces, revision: Revision | None, key: bytes
) -> Callable[[Thread], int]:
    """Return what counts the places at the head that have the code of a thread."""
    paths = sorted({thread.path for thread in threads if thread.path and not thread.resolved})
    blobs = await workspaces.read(revision, paths) if revision and paths else {}
    lines = {path: lines_of(blob.content) for path, blob in blobs.items() if blob.content is not None}
    return lambda thread: places(thread.anchor, lines.get(thread.path, ()), key=key)


async def _keep_comments(
    run: Run,
    found: ForgeMergeRequest,
    findings: Sequence[Finding],
    refused: Collection[str],
    now: datetime,
    transaction: Transaction,
) -> None:
    """Have the ledger watch what becomes of the comments on *findings*."""
    comments = commented(
        run, findings, refused, at=now, language_of=language_of, author_is_bot=found.author_bot
    )
    watch = Watch(run.ref, now, found.author_id, target_branch=found.target_branch)
    await transaction.add_comments(run.ref, comments, watch)
    if comments:
        transaction.emit(FeedbackExpected(ref=run.ref, why=Why.posted))


def _count(telemetry: Telemetry, publication: Publication) -> None:
    for action in publication.actions:
        telemetry.count("cloister_comments", action=type(action).__name__.lower())
    for one in publication.withheld:
        telemetry.count("cloister_withheld", cause=one.silence.cause.value)
