"""What decides about waivers on a merge request, as forge and store say it now, and what follows from their steps."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.diff import Diff
from bot.domain.errors import Obsolete
from bot.domain.events import CommandTaken, VerdictOutdated, WaiverRequested
from bot.domain.findings import Finding
from bot.domain.forge import ForgeMergeRequest
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Mode, governed, mode_of
from bot.domain.publication import Publication, analysed, explained, recognised
from bot.domain.reconcile import Thread
from bot.domain.records import ThreadRecord
from bot.domain.run import Run
from bot.domain.waiver_audit import acts
from bot.domain.waiver_effects import (
    asked_in_code,
    overtaken,
    threads_of,
    used_here,
)
from bot.domain.waivers import Deed, Source, Waiver, WaiverStep, ends_at
from bot.domain.waivers_standing import Standing, standing, terms
from bot.domain.waiving import Docket, Occasion, waive, withdraw
from bot.ports import AsOfNow, Forge, People, Store, Transaction, WaiverBook, Workspaces
from bot.reviewer.moves import followed, renamed, under_old_names

#: Clocks differ: a verdict that is made anew a moment before the day has ended would stay as it is.
_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class WaiversHere:
    """Hold the waivers that may count for one run, into ``branch``.

    ``threads`` are what threads on their findings would be, at the paths of now; ``moves`` leads from the paths of then
    to these.
    """

    run: Run
    branch: str
    now: datetime
    all: Sequence[Waiver] = ()
    standing: Standing = field(default_factory=Standing)
    threads: tuple[Thread, ...] = ()
    moves: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    async def on(cls, run: Run, found: ForgeMergeRequest, book: WaiverBook, now: datetime) -> WaiversHere:
        """Return those that may count for *run*, before anything is known about moved files."""
        waivers = await book.of(run.ref)
        count = standing(waivers, run.ref, found.target_branch, run.policy, now)
        return cls(run, found.target_branch, now, waivers, count, tuple(threads_of(waivers, run, now)))

    @property
    def records(self) -> dict[str, ThreadRecord]:
        """Return what we would know of their threads."""
        return {
            one.fingerprint: ThreadRecord(
                fingerprint=one.fingerprint,
                run_id=one.about.run_id,
                state="",
                scanner=one.about.scanner,
                rule=one.about.rule,
                severity=one.about.severity.value,
                path=one.about.path,
                anchor=one.about.anchor,
            )
            for one in self.all
            if one.ref == self.run.ref and one.about.run_id is not None
        }

    def moved(self, moves: Mapping[str, str]) -> WaiversHere:
        """Return them where their files are now."""
        return replace(self, threads=followed(self.threads, moves), moves=moves)

    def steps(
        self,
        publication: Publication,
        findings: Mapping[str, Sequence[Finding]],
        threads: Sequence[Thread],
        diff: Diff,
        *,
        count: Callable[[Thread], int],
        author_id: int | None,
        event: uuid.UUID,
    ) -> list[WaiverStep]:
        """Return what *publication* makes of them: what has ended, what the code asks for, what is used here."""
        run, branch, now = self.run, self.branch, self.now
        ended = overtaken(
            run,
            branch,
            self.all,
            recognised(explained(findings), threads, waivers=self.standing),
            paths=lambda path: self.moves.get(path, path),
            scope=analysed(run, diff, [*threads, *self.threads]),
            standing=lambda thread: count(replace(thread, path=self.moves.get(thread.path, thread.path))),
            now=now,
        )
        gone = {step.waiver for step in ended}
        left = [waiver for waiver in self.all if waiver.id not in gone]
        verdict = publication.verdict
        asked = asked_in_code(run, branch, verdict, left, author_id=author_id, event=event, now=now)
        return [*ended, *asked, *used_here(run, verdict, now)]


def is_about(run: Run | None, found: ForgeMergeRequest) -> bool:
    """Say whether *run* is about the head of *found* and the branch that it goes into, whose policy it has read.

    A run that has left out a draft is about none that became ready meanwhile: nobody has looked at it.
    """
    if run is None or run.head_sha != found.head_sha or (run.left_out and not found.draft):
        return False
    return run.facts.target_branch in {None, found.target_branch}


async def has_a_hand(
    found: ForgeMergeRequest, run: Run | None, user_id: int, people: People | AsOfNow
) -> bool:
    """Say whether the account has a hand in the code of *found*: it opened it, pushed to it, or wrote commits of it."""
    if user_id == found.author_id or (run is not None and user_id in run.pushes.by):
        return True
    # Only where two have to agree it matters who wrote what.
    asks = run is not None and terms(run.policy).second_person
    return asks and await people.wrote(found.ref, user_id)


async def docket_of(
    found: ForgeMergeRequest,
    run: Run | None,
    store: Store,
    workspaces: Workspaces,
    book: WaiverBook,
    *,
    key: bytes,
    own: str,
    redact: Callable[[str], str],
    now: datetime,
) -> Docket:
    """Return what can be waived on *found*, under the names that people see; *own* is the finding of the thread."""
    if run is None:
        return Docket(waivers=await book.of(found.ref), own=own)
    here = await WaiversHere.on(run, found, book, now)
    count = here.standing
    counting = {waiver.id for waiver in (*count.granted.values(), *count.asked.values())}
    waivers = [one for one in here.all if one.ref == found.ref or one.id in counting]
    docket = Docket(terms(run.policy), waivers=waivers, own=own, run_id=run.id)
    if run.revision is None:
        return docket
    known = await store.threads(found.ref)
    threads = [Thread(one.discussion_id or "", 0, mark, path=one.path) for mark, one in known.items()]
    findings = await store.findings(run.id)
    diff = await workspaces.diff(run.revision)
    records = here.records | known
    moves = await renamed(run, diff, [*threads, *here.threads], records, store=store, workspaces=workspaces)
    named = under_old_names(findings, moves, records, key=key)
    facts = run.facts.as_of(found)
    heard = governed(recognised(explained(named), threads, waivers=count), run.policy, facts)
    blocking = [one for one in heard if mode_of(one, run.policy, facts) is Mode.block]
    marks = {one.fingerprint for one in blocking}
    return replace(
        docket,
        blocking=blocking,
        others=[one for one in heard if one.fingerprint not in marks],
        places={one.fingerprint: f"{redact(one.path)}:{one.line}" for one in heard},
    )


async def requested(
    event: WaiverRequested,
    run: Run | None,
    *,
    forge: Forge,
    people: People,
    store: Store,
    workspaces: Workspaces,
    book: WaiverBook,
    key: bytes,
    redact: Callable[[str], str],
    id: uuid.UUID,  # noqa: A002 - that of the event, the same in its copies
    now: datetime,
) -> Sequence[WaiverStep]:
    """Return what comes of *event*, decided like a comment of that account, by what the forge says of it now.

    Raises:
        Obsolete: nothing does; the message says why.
    """
    member = await people.member(event.ref.project_id, event.user_id)
    if member.bot:
        raise Obsolete("a bot asked for it, and bots grant nothing")
    found = await forge.merge_request(event.ref)
    if not event.back and not (is_about(run, found) and found.state == "opened"):
        raise Obsolete("the merge request is closed, or its head is not reviewed")
    docket = await docket_of(found, run, store, workspaces, book, key=key, own="", redact=redact, now=now)
    occasion = Occasion(
        event=id,
        ref=event.ref,
        branch=found.target_branch,
        member=member,
        participant=member.user.id in found.participants,
        author=await has_a_hand(found, run, member.user.id, people),
        unsure=run is not None and bool(run.pushes.untold),
        at=now,
        source=Source.page,
    )
    if any(step.event == id for waiver in docket.waivers for step in waiver.steps):
        raise Obsolete("it was acted on before")
    ruling = (withdraw if event.back else waive)(redact(event.words), docket, occasion)
    if not ruling.acts:
        raise Obsolete(f"the waiver is refused: {ruling.said.value}")
    return ruling.steps


async def take(
    transaction: Transaction,
    ref: MergeRequestRef,
    steps: Sequence[WaiverStep],
    now: datetime,
) -> None:
    """Write *steps* down, and have every verdict made anew that rests on them: at once, or when a waiver ends.

    The verdict on *ref* itself is the caller's, unless it used a waiver of another merge request that has ended while
    it was being made.
    """
    if not steps:
        return
    known = {waiver.id: waiver for waiver in await transaction.add_waiver_steps(steps)}
    for step in steps:
        waiver = known[step.waiver]
        if step.deed is Deed.granted and step.until is not None:
            outdated = VerdictOutdated(ref=ref, cause=step.waiver)
            transaction.emit(outdated, delay=ends_at(step.until) - now + _AFTER)
            mark = step.about.fingerprint
            transaction.emit(
                CommandTaken(
                    ref=ref, command="waive", fingerprint=mark, note_id=step.note_id, actor_id=step.by
                )
            )
        elif step.deed is Deed.used and waiver.end is not None:
            transaction.emit(VerdictOutdated(ref=ref, cause=step.waiver))
        elif step.deed is Deed.used and waiver.said.until is not None:
            outdated = VerdictOutdated(ref=ref, cause=step.waiver)
            transaction.emit(outdated, delay=ends_at(waiver.said.until) - now + _AFTER)
        elif step.deed in {Deed.withdrawn, Deed.revoked}:
            for other in sorted({waiver.ref, *waiver.used_on} - {ref}, key=lambda one: one.key):
                transaction.emit(VerdictOutdated(ref=other, cause=step.waiver))


async def written_down(transaction: Transaction, steps: Sequence[WaiverStep]) -> None:
    """Write what people decided in *steps* into the audit log; it is the last thing to do in *transaction*."""
    for act in acts(steps):
        await transaction.audit(act)
