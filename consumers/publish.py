"""When results are to be visible, make the merge request say what was found: no more, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.commented import commented
from bot.domain.declining import declined_now, taken_back
from bot.domain.diff import Diff
from bot.domain.errors import Obsolete
from bot.domain.events import FeedbackExpected, PublishRequested, Stage, VerifyRequested
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of, places
from bot.domain.forge import ForgeMergeRequest
from bot.domain.marker import Marker
from bot.domain.merge_request import Revision
from bot.domain.ours import Ours, deleted, forgotten, opened, ours, remember
from bot.domain.proof import waits
from bot.domain.publication import Publication, analysed, decide, status
from bot.domain.reconcile import Thread
from bot.domain.result import result
from bot.domain.run import Run, RunState
from bot.domain.summary import project_url, summary
from bot.domain.watching import Watch, Why
from bot.ports import Clock, Forge, Store, Telemetry, Transaction, Workspaces
from bot.reviewer.moves import followed, renamed, under_old_names
from bot.reviewer.parting import declined_at_the_end
from bot.reviewer.posting import Posting
from bot.runtime.consumer import Work, consumer
from bot.syntax import language_of


@consumer(Stage.publish)
async def publish(
    event: PublishRequested,
    *,
    forge: Forge,
    workspaces: Workspaces,
    store: Store,
    marker: Marker,
    fingerprint_key: bytes,
    instance_url: str,
    redact: Callable[[str], str],
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Publish one run as far as it got."""
    run = await store.run(event.run_id)
    if event.parting:
        said = await declined_at_the_end(run, forge=forge, store=store, marker=marker, now=clock.now())
        async with work.commit() as transaction:
            await transaction.decline(event.ref, said)
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
        if found.state != "opened" or found.head_sha != run.head_sha:
            await work.follow(run, found)
            return
        run = run.model_copy(update={"facts": run.facts.as_of(found)})
        known = await store.threads(event.ref)
        me = (await forge.whoami()).id
        mine = ours(await forge.discussions(event.ref), event.ref, me=me, marker=marker, known=known)
        diff = await workspaces.diff(run.revision) if run.revision else Diff(())
        moves = await renamed(run, diff, mine.threads, known, store=store, workspaces=workspaces)
        mine = replace(mine, threads=followed(mine.threads, moves))
        standing = await _standing(mine, workspaces, run.revision, fingerprint_key)
        gone = deleted(mine, known)
        publication = decide(
            run,
            under_old_names(findings, moves, known, key=fingerprint_key),
            mine.threads,
            diff,
            standing=standing,
            deleted=gone,
            declined=await store.declined(event.ref),
        )
        state = await store.merge_request(event.ref)
        drafts_left = state.posting or state.summary_note_id != mine.summary_id
        posting = Posting(run, diff, forge, store, workspaces, marker, still_held)
        refused = await posting.post(publication.posts, drafts_left=drafts_left)
        await posting.explain(publication.actions, known)
        unsettled = await posting.settle(publication.actions)
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
        body = summary(content, marker=marker.of_summary(event.ref), redact=redact)
        note_id = await posting.summarise(body, mine)
        await posting.set_status(found, *status(run, publication))
        async with work.commit() as transaction:
            lost = forgotten(publication.actions, known)
            threads = [
                *remember(mine, [act for act in publication.actions if act not in unsettled], known),
                *opened(run, [*publication.posts, *lost], refused),
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
            await transaction.save_merge_request(replace(state, summary_note_id=note_id, posting=interrupted))
            published = (await transaction.run(run.id)).mark_published(run.results)
            run = published.model_copy(update={"facts": run.facts})
            await transaction.save_run(run)
    telemetry.observe("cloister_push_to_publish", seconds)
    if run.ended:
        telemetry.count("cloister_runs", ended=run.state.value)


async def _standing(
    mine: Ours, workspaces: Workspaces, revision: Revision | None, key: bytes
) -> Callable[[Thread], int]:
    """Return what counts the places at the head that have the code of a thread."""
    paths = sorted({thread.path for thread in mine.threads if thread.path and not thread.resolved})
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
