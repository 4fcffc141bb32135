"""When results are to be visible, make the merge request say what was found: no more, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.domain.declining import declined_now, taken_back
from bot.domain.diff import Diff
from bot.domain.errors import Obsolete, Permanent, Refused
from bot.domain.events import PublishRequested, Stage, VerifyRequested
from bot.domain.findings import Finding
from bot.domain.fingerprint import anchor_present, lines_of
from bot.domain.forge import ForgeMergeRequest, PositionRefused
from bot.domain.marker import Marker
from bot.domain.merge_request import Revision
from bot.domain.ours import Ours, deleted, forgotten, opened, ours, remember
from bot.domain.proof import evidence, waits
from bot.domain.publication import Publication, analysed, decide, result, status
from bot.domain.reconcile import Action, Explain, Reopen, Resolve, Thread, owed
from bot.domain.records import ThreadRecord
from bot.domain.render import comment, word
from bot.domain.run import Run, RunState
from bot.domain.suggestion import SuggestionBlock, offer
from bot.domain.summary import project_url, summary
from bot.gitlab.positions import NoPosition, Target, position
from bot.ports import Clock, Forge, StillHeld, Store, Telemetry, Workspaces
from bot.reviewer.moves import followed, renamed, under_old_names
from bot.reviewer.parting import declined_at_the_end
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()


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
        refused = await _post(
            run, publication, diff, forge, store, workspaces, marker, still_held, drafts_left=drafts_left
        )
        await _explain(run, publication, known, forge, workspaces, marker, still_held)
        unsettled = await _settle(run, publication, forge, marker, still_held)
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
        await still_held()
        note_id = await _summarise(run, body, mine, forge)
        await _set_status(run, publication, found, forge)
        async with work.commit() as transaction:
            threads = [
                *remember(mine, [act for act in publication.actions if act not in unsettled], known),
                *opened(run, [*publication.posts, *forgotten(publication.actions, known)], refused),
            ]
            await transaction.save_threads(event.ref, threads)
            back = taken_back(publication, mine.threads, analysed(run, diff, mine.threads))
            await transaction.undecline(event.ref, back)
            said = declined_now(run, publication, deleted=gone, now=clock.now())
            await transaction.decline(event.ref, said)
            # Once a publication was broken off, a draft of it may still come: GitLab can be slow.
            interrupted = state.posting
            state = await transaction.merge_request(event.ref)
            await transaction.save_merge_request(replace(state, summary_note_id=note_id, posting=interrupted))
            run = (await transaction.run(run.id)).mark_published(run.results)
            await transaction.save_run(run)
    telemetry.observe("cloister_push_to_publish", seconds)
    if run.ended:
        telemetry.count("cloister_runs", ended=run.state.value)


async def _standing(
    mine: Ours, workspaces: Workspaces, revision: Revision | None, key: bytes
) -> Callable[[Thread], bool]:
    """Return a test whether the code that a thread points at is still there at the head."""
    paths = sorted({thread.path for thread in mine.threads if thread.path and not thread.resolved})
    blobs = await workspaces.read(revision, paths) if revision and paths else {}
    lines = {path: lines_of(blob.content) for path, blob in blobs.items() if blob.content is not None}
    return lambda thread: anchor_present(thread.anchor, lines.get(thread.path, ()), key=key)


async def _post(
    run: Run,
    publication: Publication,
    diff: Diff,
    forge: Forge,
    store: Store,
    workspaces: Workspaces,
    marker: Marker,
    still_held: StillHeld,
    *,
    drafts_left: bool,
) -> Collection[str]:
    """Post the new threads as one batch, and return the fingerprints that found no place.

    Publishing makes all our drafts visible. So those that a broken-off try has left are adopted or deleted, if
    there may be any: some try did not end, or the database does not know what stands on the merge request, as
    after a restored backup. That is done twice, since a draft can come late when GitLab is slow and whoever sent
    it has died.
    """
    posts = {finding.fingerprint: finding for finding in publication.posts}
    drafted = await _adopt(run, posts, forge, marker) if drafts_left else set()
    if not posts or run.revision is None:
        return ()
    await store.mark_posting(run.ref, opened(run, posts.values(), ()))
    blobs = await workspaces.read(run.revision, sorted({finding.path for finding in posts.values()}))
    refused = set()
    for fingerprint, finding in posts.items():
        blob = blobs.get(finding.path)
        lines = lines_of(blob.content) if blob and blob.content is not None else []
        if fingerprint not in drafted and not await _draft(run, finding, diff, lines, forge, marker):
            refused.add(fingerprint)
    if len(refused) < len(posts):
        if drafts_left:
            await _adopt(run, posts, forge, marker)
        await still_held()
        try:
            await forge.publish_drafts(run.ref)
        except PositionRefused as error:
            late = (marker.read(run.ref, draft.body) for draft in error.drafts)
            refused.update(fingerprint for fingerprint in late if fingerprint)
    return refused


async def _adopt(run: Run, posts: Mapping[str, Finding], forge: Forge, marker: Marker) -> set[str]:
    adopted: set[str] = set()
    for draft in await forge.drafts(run.ref):
        fingerprint = marker.read(run.ref, draft.body)
        if fingerprint is None:
            continue  # somebody shares our account, and writes a review of their own
        if fingerprint in posts and fingerprint not in adopted:
            adopted.add(fingerprint)
        else:
            await forge.delete_draft(run.ref, draft.id)
    return adopted


async def _draft(
    run: Run, finding: Finding, diff: Diff, lines: Sequence[str], forge: Forge, marker: Marker
) -> bool:
    """Draft the thread on *finding* at the best position that GitLab accepts; say whether there was one."""
    assert run.revision is not None, "there are findings only for a known revision"
    body = _body(run, finding, lines, marker)
    whole, last = Target(finding.line, finding.end_line), Target(finding.end_line, finding.end_line)
    for target in dict.fromkeys((whole, last)):
        try:
            place = position(diff.by_new_path[finding.path], run.revision, target)
            await forge.create_draft(run.ref, body, place)
        except (NoPosition, PositionRefused, Refused) as error:
            log.info("position.refused", rule=finding.rule, error=str(error))
        else:
            return True
    return False


def _body(run: Run, finding: Finding, lines: Sequence[str], marker: Marker) -> str:
    fix, proven = None, list[str]()
    if finding.fix is not None:
        fix = offer(finding.fix, path=finding.path, anchor=finding.end_line, lines=lines)
        proven = evidence(finding.fix.verified, run.head_sha) if isinstance(fix, SuggestionBlock) else []
    return comment(
        finding,
        marker=marker.of(run.ref, finding.fingerprint),
        fix=fix,
        evidence=proven,
        language=run.policy.review.language,
    )


async def _explain(
    run: Run,
    publication: Publication,
    known: Mapping[str, ThreadRecord],
    forge: Forge,
    workspaces: Workspaces,
    marker: Marker,
    still_held: StillHeld,
) -> None:
    """Add explanations to notes that were written before there were any."""
    asked = [action for action in publication.actions if isinstance(action, Explain)]
    if not asked or run.revision is None:
        return
    blobs = await workspaces.read(run.revision, sorted({action.finding.path for action in asked}))
    for action in asked:
        finding, blob = action.finding, blobs.get(action.finding.path)
        record = known.get(finding.fingerprint)
        if record is None or record.run_id != run.id:
            # Its position is that of an older head, where a suggestion would replace other lines.
            finding = finding.model_copy(update={"fix": None})
        lines = lines_of(blob.content) if blob and blob.content is not None else []
        await still_held()
        try:
            await forge.edit_note(run.ref, action.thread.note_id, _body(run, finding, lines, marker))
        except Refused as error:
            log.warning("thread.not_explained", error=str(error))


async def _settle(
    run: Run, publication: Publication, forge: Forge, marker: Marker, still_held: StillHeld
) -> Collection[Action]:
    """Resolve the threads whose finding is gone, reopen those whose finding is back; return what GitLab refused.

    The thread says so first: a note that stands there tells the next try that only the rest is to be done.
    """
    refused = []
    for action in publication.actions:
        if isinstance(action, Resolve | Reopen):
            gone, thread = isinstance(action, Resolve), action.thread
            await still_held()
            try:
                if what := owed(action):
                    mark = marker.of_word(run.ref, what, thread.fingerprint)
                    said = word(what, sha=run.head_sha, marker=mark, language=run.policy.review.language)
                    await forge.reply(run.ref, thread.discussion_id, said)
                await forge.resolve(run.ref, thread.discussion_id, resolved=gone)
            except Refused as error:
                log.warning("thread.not_settled", error=str(error))
                refused.append(action)
    return refused


async def _summarise(run: Run, body: str, mine: Ours, forge: Forge) -> int:
    """Write the summary note, or edit it if it says something else; return its id."""
    if mine.summary_id is not None:
        try:
            if body != mine.summary_body:
                await forge.edit_note(run.ref, mine.summary_id, body)
        except Refused:
            log.info("summary.gone")
        else:
            return mine.summary_id
    return (await forge.create_note(run.ref, body)).id


async def _set_status(run: Run, publication: Publication, found: ForgeMergeRequest, forge: Forge) -> None:
    state, description = status(run, publication)
    try:
        await forge.set_status(found, run.head_sha, state, description)
    except Permanent as error:
        log.warning("status.not_set", error=str(error))


def _count(telemetry: Telemetry, publication: Publication) -> None:
    for action in publication.actions:
        telemetry.count("cloister_comments", action=type(action).__name__.lower())
