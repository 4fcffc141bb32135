"""What a look at the head makes of waivers, and what is said about them in the threads of their findings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.findings import MODEL, Finding
from bot.domain.marker import Word
from bot.domain.policy_decision import Verdict
from bot.domain.reconcile import Thread
from bot.domain.run import Run
from bot.domain.waivers import About, Deed, Source, State, Waiver, WaiverStep


@dataclass(frozen=True, slots=True)
class Telling:
    """Say in *thread* what became of the waiver of its finding."""

    thread: Thread
    word: Word
    waiver: Waiver


def threads_of(waivers: Iterable[Waiver], run: Run, now: datetime) -> list[Thread]:
    """Return for each open waiver of the merge request what a thread on its finding would be, with or without one."""
    return [
        Thread(
            "",
            0,
            waiver.fingerprint,
            scanner=waiver.about.scanner,
            path=waiver.about.path,
            anchor=waiver.about.anchor,
        )
        for waiver in waivers
        if waiver.ref == run.ref and waiver.open(now)
    ]


def overtaken(
    run: Run,
    branch: str,
    waivers: Iterable[Waiver],
    present: Iterable[Finding],
    *,
    paths: Callable[[str], str],
    scope: Collection[tuple[str, str]],
    standing: Callable[[Thread], int],
    now: datetime,
) -> list[WaiverStep]:
    """Return the end of waivers whose code is not there any more as it was, or that were given for another branch.

    Args:
        run: the run.
        branch: the target branch.
        waivers: of the project.
        present: all findings of the run, under the fingerprints by which they are known.
        paths: says where a file is now that had that path.
        scope: (scanner, path) pairs fully analysed; a scanner that did not look proves nothing.
        standing: says in how many places the code is still there, for the model, which does not repeat itself.
        now: the time.
    """
    found = list(present)
    ended = []
    for waiver in waivers:
        if waiver.ref != run.ref or waiver.merged or not waiver.open(now):
            continue
        about = waiver.about
        gone = (
            not any(map(about.fits, found))
            and (about.scanner, paths(about.path)) in scope
            and (about.scanner != MODEL or not any(map(standing, threads_of([waiver], run, now))))
        )
        if gone or waiver.branch != branch:
            reason = "the code under it has changed" if gone else "the target branch is another one"
            ended.append(_step(run, waiver.id, Deed.revoked, about, branch, now, reason=reason))
    return ended


def asked_in_code(
    run: Run,
    branch: str,
    verdict: Verdict,
    waivers: Iterable[Waiver],
    *,
    author_id: int | None,
    event: uuid.UUID,
    now: datetime,
) -> list[WaiverStep]:
    """Return the requests of comments in the code that ask to ignore what blocks; each is written down once."""
    known = {waiver.fingerprint for waiver in waivers if waiver.ref == run.ref and waiver.open(now)}
    return [
        _step(
            run,
            uuid.uuid5(event, f"waiver:{finding.fingerprint}"),
            Deed.asked,
            About.of(finding, run.id),
            branch,
            now,
            source=Source.code,
            by=author_id,
        )
        for finding in verdict.blocking
        if finding.excused and finding.fingerprint not in known
    ]


def used_here(run: Run, verdict: Verdict, now: datetime) -> list[WaiverStep]:
    """Return that the gate passes because of waivers of other merge requests, once for each."""
    return [
        _step(run, one.waiver.id, Deed.used, one.waiver.about, one.waiver.branch, now)
        for one in verdict.waived
        if one.waiver.ref != run.ref and run.ref not in one.waiver.used_on
    ]


def merged_into(run: Run, branch: str, waivers: Iterable[Waiver], now: datetime) -> list[WaiverStep]:
    """Return that waivers of a merge request count from now on in *branch*, into which it was merged."""
    return [
        _step(run, waiver.id, Deed.merged, waiver.about, branch, now)
        for waiver in waivers
        if waiver.ref == run.ref
        and waiver.branch == branch
        and not waiver.merged
        and waiver.state(now) is State.granted
    ]


def tellings(
    threads: Iterable[Thread], verdict: Verdict, waivers: Iterable[Waiver], *, branch: str
) -> list[Telling]:
    """Return what is to be said in *threads*: that their finding is waived, or that it blocks again.

    Where it was waived in the thread itself, the answer stands there already. A thread that has been told so is not
    told again.
    """
    waived = {one.finding.fingerprint: one.waiver for one in verdict.waived}
    blocking = {finding.fingerprint for finding in verdict.blocking}
    given = {one.fingerprint: one for one in waivers if one.grant is not None and one.branch == branch}
    said = []
    for thread in threads:
        waiver = waived.get(thread.fingerprint)
        last = given.get(thread.fingerprint)
        if waiver is not None:
            here = waiver.said.discussion_id == thread.discussion_id
            if thread.told is not Word.waived and not here:
                said.append(Telling(thread, Word.waived, waiver))
        elif thread.fingerprint in blocking and last is not None and thread.told is not Word.unwaived:
            here = last.end is not None and last.end.discussion_id == thread.discussion_id
            if not here:
                said.append(Telling(thread, Word.unwaived, last))
    return said


def _step(
    run: Run,
    waiver: uuid.UUID,
    deed: Deed,
    about: About,
    branch: str,
    now: datetime,
    *,
    source: Source = Source.review,
    by: int | None = None,
    reason: str = "",
) -> WaiverStep:
    return WaiverStep(
        waiver=waiver,
        deed=deed,
        ref=run.ref,
        about=about,
        branch=branch,
        at=now,
        source=source,
        by=by,
        reason=reason,
    )
