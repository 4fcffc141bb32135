"""What one review came to, in numbers: what was found, what was said, and why the rest was not."""

from __future__ import annotations

import enum
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.coverage import uncovered
from bot.domain.diff import Diff
from bot.domain.findings import Finding
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import commentable, governed
from bot.domain.publication import Publication
from bot.domain.quiet.withholding import Cause
from bot.domain.reconcile import Explain, Keep, Overflow, Reopen
from bot.domain.records import ThreadRecord
from bot.domain.run import Run

#: So many findings that were not said, and files that were not read, are kept by name; all are counted.
MOST_NAMED = 200


class Reason(enum.StrEnum):
    """Why a finding did not become a comment."""

    rejected = "rejected"
    """What the model claimed did not hold; steps keep a bounded number of them."""
    merged = "merged"
    """It explains a scanner's finding, and is said there."""
    policy = "policy"
    """The policy does not want to hear of it."""
    duplicate = "duplicate"
    """Another finding says the same."""
    shadow = "shadow"
    """The policy only records it."""
    suppressed = "suppressed"
    """The code asks to ignore it."""
    past = "past"
    """It is in an earlier commit, where no comment can stand."""
    mild = "mild"
    """Too mild or unsure for a comment."""
    declined = "declined"
    """People did not want to hear of it."""
    muted = "muted"
    """Its rule or category is muted."""
    similar = "similar"
    """People rejected several like it."""
    budget = "budget"
    """The merge request has comments enough."""
    refused = "refused"
    """GitLab has no place for a comment there."""
    known = "known"
    """An earlier review has said it."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Name a finding that did not become a comment, or one of the model's that did not hold."""

    reason: Reason
    scanner: str
    rule: str
    severity: str
    path: str
    line: int
    title: str
    fingerprint: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """Hold what a run came to as far as it is published; ``generated`` is ``posted`` and all ``filtered``.

    ``posted`` are comments of this run in all its rounds. ``standing`` says whether any comment of ours, old or new,
    is left on the merge request. ``project`` is the path of the project as the forge tells it. ``author_id`` is who
    made the merge request, None where the account is gone: it decides who may see the review, and is not shown.
    """

    run_id: uuid.UUID
    ref: MergeRequestRef
    project: str
    created_at: datetime
    published_at: datetime
    generated: int
    posted: int
    standing: bool
    filtered: Mapping[Reason, int]
    left_out: tuple[LeftOut, ...]
    unread: Mapping[str, str]
    files: int
    files_read: int
    blocking: int
    undecided: bool
    waived: int
    author_id: int | None = None


def review_fact(
    run: Run,
    findings: Mapping[str, Iterable[Finding]],
    publication: Publication,
    diff: Diff,
    *,
    threads: Collection[ThreadRecord],
    refused: Collection[str],
    project: str,
    now: datetime,
    author_id: int | None = None,
) -> ReviewFact:
    """Return what *run* came to; a repeated or later publication of the run gives all of it once more.

    Args:
        run: the run.
        findings: all of them, by step.
        publication: what was decided.
        diff: the reviewed diff.
        threads: our records of the merge request's threads, those of this publication included.
        refused: fingerprints of findings whose position the forge did not accept.
        project: the path of the project.
        now: the time.
        author_id: who made the merge request.
    """
    found = [finding for step in findings.values() for finding in step]
    posted = {thread.fingerprint for thread in threads if thread.run_id == run.id} - set(refused)
    left_out = [*_rejected(run), *_left_out(run, publication, refused, posted)]
    filtered = Counter(one.reason for one in left_out)
    filtered[Reason.merged] += sum(bool(one.explains) for one in found)
    said = [one for one in found if not one.explains]
    filtered[Reason.policy] += len(said) - len(governed(said, run.policy, run.facts))
    generated = len(found) + filtered[Reason.rejected]
    # Findings of one place are one to people, and nothing but that is left to explain what is missing.
    filtered[Reason.duplicate] += max(0, generated - len(posted) - filtered.total())
    unread = uncovered(run, diff)
    verdict = publication.verdict
    return ReviewFact(
        run_id=run.id,
        ref=run.ref,
        project=project,
        created_at=run.created_at,
        published_at=now,
        generated=len(posted) + filtered.total(),
        posted=len(posted),
        standing=bool(posted) or any(isinstance(act, Keep | Explain | Reopen) for act in publication.actions),
        filtered={reason: count for reason, count in sorted(filtered.items()) if count},
        left_out=tuple(left_out[:MOST_NAMED]),
        unread=dict(list(unread.items())[:MOST_NAMED]),
        files=len(diff.files),
        files_read=sum(file.new_path not in unread for file in diff.files),
        blocking=len(verdict.blocking) + len(verdict.exceeded),
        undecided=verdict.undecided,
        waived=len(verdict.waived),
        author_id=author_id,
    )


def _rejected(run: Run) -> list[LeftOut]:
    """Return the findings of the model that did not hold."""
    return [
        LeftOut(Reason.rejected, "model", "", "", one.path, one.line, one.title, detail=one.reason)
        for step in run.steps.values()
        for one in step.rejected
        if one.subject == "finding"
    ]


def _left_out(
    run: Run, publication: Publication, refused: Collection[str], posted: Collection[str]
) -> list[LeftOut]:
    known = [
        act.finding
        for act in publication.actions
        if isinstance(act, Keep | Explain | Reopen) and act.finding.fingerprint not in posted
    ]
    listed = {item.finding.fingerprint for item in publication.listed}
    return [
        *(_named(Reason.shadow, finding) for finding in publication.verdict.shadowed),
        *(_named(Reason.suppressed, finding) for finding in publication.suppressed),
        *(
            _named(_why(item.finding, run, publication), item.finding, item.reason)
            for item in publication.listed
        ),
        *(
            _named(
                Reason.similar if one.silence.cause is Cause.veto else Reason.muted,
                one.finding,
                one.silence.explanation,
            )
            for one in publication.withheld
        ),
        *(_named(Reason.refused, one) for one in publication.posts if one.fingerprint in refused),
        *(_named(Reason.known, finding) for finding in known if finding.fingerprint not in listed),
    ]


def _why(finding: Finding, run: Run, publication: Publication) -> Reason:
    """Return why a finding is only listed; what deserved a comment and got none was declined."""
    if finding.commit:
        return Reason.past
    if any(isinstance(act, Overflow) and act.finding is finding for act in publication.actions):
        return Reason.budget
    return Reason.declined if commentable(finding, run.policy, run.facts) else Reason.mild


def _named(reason: Reason, finding: Finding, detail: str = "") -> LeftOut:
    return LeftOut(
        reason,
        finding.scanner,
        finding.rule,
        finding.severity.value,
        finding.path,
        finding.line,
        finding.title,
        finding.fingerprint,
        detail,
    )
