"""When results are to be visible, make the merge request say what was found: no more, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from bot.domain.diff import Diff
from bot.domain.errors import Obsolete, Permanent, Refused
from bot.domain.events import PublishRequested, Stage
from bot.domain.findings import Finding, Severity
from bot.domain.fingerprint import anchor_present, lines_of
from bot.domain.marker import Marker
from bot.domain.merge_request import Revision
from bot.domain.publication import Publication, decide, result, status
from bot.domain.reconcile import Cause, Reopen, Resolve, Thread
from bot.domain.render import comment
from bot.domain.run import Run, RunState
from bot.domain.suggestion import suggestion
from bot.domain.summary import project_url, summary
from bot.gitlab.positions import NoPosition, Target, position
from bot.ports import (
    Clock,
    Forge,
    ForgeDiscussion,
    ForgeMergeRequest,
    MergeRequestState,
    PositionRefused,
    Store,
    Telemetry,
    ThreadRecord,
    Workspaces,
)
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()

#: States of a thread in our records: what we did to it last.
OPEN = "open"
FIXED = "fixed"


@dataclass
class _Page:
    """Hold what stands on the merge request now, as far as it is ours."""

    forge: Forge
    marker: Marker
    found: ForgeMergeRequest
    run: Run
    threads: list[Thread] = field(default_factory=list)
    summary_note_id: int | None = None
    summary_body: str = ""
    refused: set[str] = field(default_factory=set)


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
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Publish one run as far as it got."""
    run = await store.run(event.run_id)
    if run.published >= run.results or run.state is RunState.superseded:
        raise Obsolete("there is nothing new to publish")
    async with store.exclusive(event.ref):
        found = await forge.merge_request(event.ref)
        if found.state != "opened" or not await store.is_current(run):
            raise Obsolete("a newer head won, or the merge request was closed")
        if found.head_sha != run.head_sha:
            await work.follow(run, found)
            return
        known = await store.threads(event.ref)
        state = await store.merge_request(event.ref)
        page = _read(await forge.discussions(event.ref), forge, await _me(forge), marker, found, run, known)
        records: list[ThreadRecord] = []
        publication = None
        diff = Diff(())
        if run.revision is not None:
            diff = await workspaces.diff(run.revision)
            standing = await _standing(page, workspaces, run.revision, fingerprint_key)
            publication = decide(run, await store.findings(run.id), page.threads, diff, standing=standing)
            await _post(page, publication, diff, state, store, workspaces)
            records = await _resolve(page, publication, known)
            _count(telemetry, publication)
        else:
            publication = decide(run, {}, (), diff, standing=lambda _: True)
        seconds = (clock.now() - run.created_at).total_seconds()
        note_id = await _summarise(page, publication, diff, instance_url, seconds)
        await _set_status(page, publication)
        async with work.commit() as transaction:
            await transaction.save_threads(event.ref, [*records, *_opened(run, publication, page)])
            state = await transaction.merge_request(event.ref)
            await transaction.save_merge_request(replace(state, summary_note_id=note_id, posting=False))
            run = (await transaction.run(run.id)).mark_published(run.results)
            await transaction.save_run(run)
    telemetry.observe("cloister_push_to_publish", seconds)
    if run.ended:
        telemetry.count("cloister_runs", ended=run.state.value)


async def _me(forge: Forge) -> int:
    return (await forge.whoami()).id


def _read(
    discussions: Sequence[ForgeDiscussion],
    forge: Forge,
    me: int,
    marker: Marker,
    found: ForgeMergeRequest,
    run: Run,
    known: Mapping[str, ThreadRecord],
) -> _Page:
    """Pick out what is ours: written by our account and signed with our key."""
    page = _Page(forge, marker, found, run)
    for discussion in discussions:
        first = discussion.notes[0] if discussion.notes else None
        if first is None or first.author_id != me:
            continue
        if marker.is_summary(run.ref, first.body) and page.summary_note_id is None:
            page.summary_note_id, page.summary_body = first.id, first.body
        fingerprint = marker.read(run.ref, first.body)
        if fingerprint is not None:
            record = known.get(fingerprint)
            others = any(note.author_id != me and not note.system for note in discussion.notes)
            page.threads.append(
                Thread(
                    discussion_id=discussion.id,
                    note_id=first.id,
                    fingerprint=fingerprint,
                    scanner=record.scanner if record else "",
                    path=record.path if record else "",
                    anchor=record.anchor if record else "",
                    severity=Severity(record.severity) if record else None,
                    resolved=first.resolved,
                    touched=others or (record is not None and record.state == FIXED and not first.resolved),
                    mended=record is not None and record.state == FIXED,
                )
            )
    return page


async def _standing(
    page: _Page, workspaces: Workspaces, revision: Revision, key: bytes
) -> Callable[[Thread], bool]:
    """Return a test whether the code that a thread points at is still there at the head."""
    paths = sorted({thread.path for thread in page.threads if thread.path and not thread.resolved})
    blobs = await workspaces.read(revision, paths) if paths else {}
    lines = {path: lines_of(blob.content) for path, blob in blobs.items() if blob.content is not None}
    return lambda thread: anchor_present(thread.anchor, lines.get(thread.path, ()), key=key)


async def _post(
    page: _Page,
    publication: Publication,
    diff: Diff,
    state: MergeRequestState,
    store: Store,
    workspaces: Workspaces,
) -> None:
    """Post the new threads as one batch; drafts that a broken-off try left are adopted or deleted."""
    ref = page.run.ref
    posts = {finding.fingerprint: finding for finding in publication.posts}
    drafted: set[str] = set()
    if state.posting:
        for draft in await page.forge.drafts(ref):
            fingerprint = page.marker.read(ref, draft.body)
            if fingerprint in posts and fingerprint not in drafted:
                drafted.add(fingerprint)
            else:
                await page.forge.delete_draft(ref, draft.id)
    if not posts:
        return
    await store.mark_posting(ref)
    assert page.run.revision is not None, "there are findings only for a known revision"
    paths = sorted({finding.path for finding in posts.values()})
    blobs = await workspaces.read(page.run.revision, paths)
    lines = {path: lines_of(blob.content) for path, blob in blobs.items() if blob.content is not None}
    for fingerprint, finding in posts.items():
        if fingerprint not in drafted and not await _draft(page, finding, diff, lines.get(finding.path, [])):
            page.refused.add(fingerprint)
    if len(page.refused) == len(posts):
        return
    try:
        await page.forge.publish_drafts(ref)
    except PositionRefused as error:
        refused = {page.marker.read(ref, draft.body) for draft in error.drafts}
        page.refused.update(fingerprint for fingerprint in refused if fingerprint)


async def _draft(page: _Page, finding: Finding, diff: Diff, lines: Sequence[str]) -> bool:
    """Draft the thread on *finding* at the best position that GitLab accepts; say whether there was one."""
    assert page.run.revision is not None, "there are findings only for a known revision"
    fix = (
        suggestion(finding.fix, path=finding.path, anchor=finding.end_line, lines=lines)
        if finding.fix
        else None
    )
    body = comment(finding, marker=page.marker.of(page.run.ref, finding.fingerprint), fix=fix)
    for target in dict.fromkeys(
        (Target(finding.line, finding.end_line), Target(finding.end_line, finding.end_line))
    ):
        try:
            place = position(diff.by_new_path[finding.path], page.run.revision, target)
            await page.forge.create_draft(page.run.ref, body, place)
        except (NoPosition, PositionRefused) as error:
            log.info("position.refused", rule=finding.rule, error=str(error))
        else:
            return True
    return False


async def _resolve(
    page: _Page, publication: Publication, known: Mapping[str, ThreadRecord]
) -> list[ThreadRecord]:
    """Resolve threads whose finding is gone, reopen those whose finding is back; return what is now known."""
    states: dict[str, str] = {}
    for action in publication.actions:
        if isinstance(action, Resolve | Reopen):
            gone = isinstance(action, Resolve)
            await page.forge.resolve(page.run.ref, action.thread.discussion_id, resolved=gone)
            if action != Resolve(action.thread, Cause.duplicate):
                states[action.thread.fingerprint] = FIXED if gone else OPEN
    return [
        replace(
            known[thread.fingerprint],
            discussion_id=thread.discussion_id,
            state=states.get(thread.fingerprint, known[thread.fingerprint].state),
        )
        for thread in page.threads
        if thread.fingerprint in known
    ]


def _opened(run: Run, publication: Publication, page: _Page) -> list[ThreadRecord]:
    return [
        ThreadRecord(
            fingerprint=finding.fingerprint,
            run_id=run.id,
            state=OPEN,
            scanner=finding.scanner,
            rule=finding.rule,
            severity=finding.severity.value,
            path=finding.path,
            anchor=finding.anchor,
        )
        for finding in publication.posts
        if finding.fingerprint not in page.refused
    ]


async def _summarise(
    page: _Page, publication: Publication, diff: Diff, instance_url: str, seconds: float
) -> int:
    """Write the summary note, or edit it if it says something else; return its id."""
    ref = page.run.ref
    content = result(
        page.run,
        publication,
        refused=page.refused,
        diff=diff,
        project_url=project_url(instance_url, page.found.web_url),
        tokens=sum(step.tokens for step in page.run.steps.values()),
        seconds=seconds,
    )
    body = summary(content, marker=page.marker.of_summary(ref))
    if page.summary_note_id is not None:
        try:
            if body != page.summary_body:
                await page.forge.edit_note(ref, page.summary_note_id, body)
        except Refused:
            log.info("summary.gone")
        else:
            return page.summary_note_id
    return (await page.forge.create_note(ref, body)).id


async def _set_status(page: _Page, publication: Publication) -> None:
    state, description = status(page.run, publication)
    try:
        await page.forge.set_status(page.found, page.run.head_sha, state, description)
    except Permanent as error:
        log.warning("status.not_set", error=str(error))


def _count(telemetry: Telemetry, publication: Publication) -> None:
    for action in publication.actions:
        telemetry.count("cloister_comments", action=type(action).__name__.lower())
