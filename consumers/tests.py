"""When unit tests are asked for, have them written, find out what they are worth, and deliver them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from bot.domain.errors import Obsolete, Refused
from bot.domain.events import Stage, TestsRequested
from bot.domain.findings import Finding
from bot.domain.forge import ForgeMergeRequest, ForgeNote, Proposal
from bot.domain.marker import Marker
from bot.domain.run import Run
from bot.domain.unit_tests import Offer, Problem, answer, verdict
from bot.domain.wording import Wording, wording
from bot.ports import Forge, Proposals, Store, Telemetry, Workspaces
from bot.reviewer.asking import Ledger
from bot.reviewer.threads import finding_of
from bot.reviewer.unit_testing import Drafted, UnitTesting
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()

#: Branches of ours begin like this; for a merge request of tests no tests are written.
BRANCHES = "cloister/tests-"
_NO_MODEL = "no model is configured"
_OFF = "the project's policy has switched them off"
_FORK = "the source branch is in a fork, where we do not push; apply the patch there"
_NO_GOOD = "no test passed that could be proposed"
_UNPROVEN = "only tests that ran and passed are proposed, and the sandbox, which runs them, is off or lacks what they need"


async def give_up(
    event: TestsRequested, *, problem: str, forge: Forge, store: Store, marker: Marker, work: Work
) -> None:
    """Tell whoever asked that there are no tests, and why."""
    run = await store.run(event.run_id)
    if await store.is_current(run):
        words = wording(run.policy.review.language)
        body = answer((), [Problem(problem)], words=words, marker=_marker(event, marker))
        await _deliver(event, body, forge, marker)
    async with work.commit():
        pass


@consumer(Stage.tests, exhausted=give_up)
async def tests(
    event: TestsRequested,
    *,
    workspaces: Workspaces,
    store: Store,
    forge: Forge,
    proposals: Proposals,
    unit_testing: UnitTesting | None,
    marker: Marker,
    fingerprint_key: bytes,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Answer one request for unit tests."""
    run = await store.run(event.run_id)
    ledger = Ledger(run.id)
    async with work.while_current(run):
        found = await forge.merge_request(event.ref)
        if found.state != "opened" or found.head_sha != run.head_sha or run.revision is None:
            raise Obsolete("a newer head won, or the merge request was closed")
        if event.discussion_id and await _standing(event, forge, marker):
            log.info("tests.delivered_before", run=str(run.id))
        elif event.note_id or not found.source_branch.startswith(BRANCHES):
            finding = partial(finding_of, store=store, workspaces=workspaces, key=fingerprint_key)
            place = await _place(event, run, forge, marker, finding)
            drafted = await _drafted(run, unit_testing, workspaces, place, ledger)
            words = wording(run.policy.review.language)
            body = await _body(event, found, drafted, proposals, words, marker)
            if event.note_id or drafted.offers:
                await _deliver(event, body, forge, marker)
            for offer in drafted.offers:
                telemetry.count("cloister_unit_tests", verdict=verdict(offer.proof))
    async with work.commit():
        pass


def _marker(event: TestsRequested, marker: Marker) -> str:
    return marker.of_tests(event.ref, str(event.note_id))


async def _standing(event: TestsRequested, forge: Forge, marker: Marker) -> ForgeNote | None:
    """Return our note that answers *event*; a delivery that was broken off may have posted it."""
    me = (await forge.whoami()).id
    if event.discussion_id:
        discussions = [await forge.discussion(event.ref, event.discussion_id)]
    else:
        discussions = await forge.discussions(event.ref)
    notes = (note for discussion in discussions for note in discussion.notes if note.author_id == me)
    request = str(event.note_id)
    return next((note for note in notes if marker.delivers_tests(event.ref, request, note.body)), None)


async def _place(
    event: TestsRequested,
    run: Run,
    forge: Forge,
    marker: Marker,
    finding: Callable[[str, Run], Awaitable[Finding | None]],
) -> tuple[str, int] | None:
    """Return path and line that the discussion is about, if it is one of our threads."""
    if not event.discussion_id:
        return None
    discussion = await forge.discussion(event.ref, event.discussion_id)
    first = discussion.notes[0] if discussion.notes else None
    if first is None or first.author_id != (await forge.whoami()).id:
        return None
    fingerprint = marker.read(event.ref, first.body)
    found = await finding(fingerprint, run) if fingerprint else None
    return (found.path, found.line) if found else None


async def _drafted(
    run: Run,
    unit_testing: UnitTesting | None,
    workspaces: Workspaces,
    place: tuple[str, int] | None,
    ledger: Ledger,
) -> Drafted:
    if run.policy.review.unit_tests == "off" or not run.policy.review.model:
        return Drafted(problems=(Problem(_OFF),))
    if unit_testing is None:
        return Drafted(problems=(Problem(_NO_MODEL),))
    assert run.revision is not None, "only a fetched revision gets here"
    diff = await workspaces.diff(run.revision)
    return await unit_testing.draft(run.revision, diff, skipped=run.skipped, place=place, ledger=ledger)


async def _body(
    event: TestsRequested,
    found: ForgeMergeRequest,
    drafted: Drafted,
    proposals: Proposals,
    words: Wording,
    marker: Marker,
) -> str:
    """Return what to say, after proposing what passed if that was asked for."""
    url = not_proposed = ""
    good = [offer for offer in drafted.offers if offer.proof.passed]
    if event.commit and found.source_project_id != event.ref.project_id:
        not_proposed = _FORK
    elif event.commit and not good:
        not_proposed = _UNPROVEN if any(offer.proof.not_run for offer in drafted.offers) else _NO_GOOD
    elif event.commit:
        try:
            url = (await proposals.propose(event.ref, _proposal(event, found, good, words))).web_url
        except Refused as error:
            not_proposed = str(error)
    return answer(
        drafted.offers,
        drafted.problems,
        words=words,
        marker=_marker(event, marker),
        url=url,
        not_proposed=not_proposed,
    )


def _proposal(
    event: TestsRequested, found: ForgeMergeRequest, offers: Sequence[Offer], words: Wording
) -> Proposal:
    assert found.head_sha is not None, "compared with the run's"
    # The same for a repeat of the request, another one for another request on the same head.
    name = hashlib.sha256(f"{found.head_sha}:{event.discussion_id}:{event.note_id}".encode()).hexdigest()
    return Proposal(
        branch=f"{BRANCHES}{event.ref.iid}-{name[:10]}",
        start_sha=found.head_sha,
        target_branch=found.source_branch,
        files={offer.written.path: offer.written.code for offer in offers},
        title=words.tests.proposal.format(iid=event.ref.iid),
        description=words.tests.proposal_text.format(iid=event.ref.iid),
    )


async def _deliver(event: TestsRequested, body: str, forge: Forge, marker: Marker) -> None:
    """Say *body* once: in the discussion that asked, or in the one comment that the policy asks for."""
    standing = await _standing(event, forge, marker)
    if event.discussion_id:
        if standing is None:
            await forge.reply(event.ref, event.discussion_id, body)
    elif standing is None:
        await forge.create_note(event.ref, body)
    elif standing.body != body:
        await forge.edit_note(event.ref, standing.id, body)
