"""Review cases one after the other, as merge requests would be reviewed, and judge what would be commented."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.cli.evaluation.cases import CASE_FILE, CaseDirectory
from bot.cli.evaluation.checkout import TARGET, check_out
from bot.cli.evaluation.observed import Tally
from bot.cli.local_review import Reviewed
from bot.cli.subject import Subject, collect
from bot.domain.errors import CloisterError, Permanent
from bot.domain.evaluation.case import Case
from bot.domain.evaluation.matching import reachable
from bot.domain.evaluation.report import Outcome, Report, judge
from bot.domain.findings import Finding
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import commentable, governed, verdict
from bot.domain.reconcile import Post, reconcile
from bot.gitlab.positions import NoPosition, Target, position

#: Positions name a merge request's commits; any will do, since nothing is posted.
_REF = MergeRequestRef(instance="eval.invalid", project_id=1, iid=1)

Review = Callable[[Subject], Awaitable[Reviewed]]


@dataclass(frozen=True)
class Replay:
    """Replay cases.

    Args:
        review: reviews one change.
        environ: what git gets from our environment.
        tally: counts what models are asked while *review* runs.
        progress: told about each case, for people who wait.
    """

    review: Review
    environ: Mapping[str, str]
    tally: Tally = field(default_factory=Tally)
    progress: Callable[[str], None] = lambda _: None

    async def all(self, cases: Sequence[CaseDirectory], *, model: str, prompts: Mapping[str, str]) -> Report:
        """Return the report on *cases*; one that cannot be reviewed is in it with the reason."""
        outcomes = []
        for number, directory in enumerate(cases, start=1):
            outcome = await self.one(directory)
            outcomes.append(outcome)
            self.progress(f"[{number}/{len(cases)}] {directory.name}: {_short(outcome)}")
        return Report(model=model, digest=self.tally.digest, prompts=dict(prompts), cases=tuple(outcomes))

    async def one(self, directory: CaseDirectory) -> Outcome:
        """Return what the review of one case came to."""
        case = directory.case
        self.tally.reset()
        try:
            with tempfile.TemporaryDirectory(prefix="cloister-eval-") as place:
                tree = check_out(directory, Path(place, "repository"), self.environ)
                subject = collect(tree, TARGET, staged=False)
                subject = replace(subject, title=case.title, description=case.description)
                revision = Revision(
                    ref=_REF,
                    base_sha=subject.since,
                    start_sha=subject.since,
                    head_sha=tree.head() or subject.since,
                )
                _refuse_impossible(case, subject)
                started = time.monotonic()
                reviewed = await self.review(subject)
                seconds = time.monotonic() - started
        except CloisterError as error:
            return Outcome(
                name=directory.name,
                language=case.language,
                clean=case.clean,
                calls=self.tally.calls,
                error=str(error),
            )
        comments, listed = shown(reviewed.findings, subject)
        outcome = judge(directory.name, case, comments, listed, lambda one: has_place(one, subject, revision))
        return outcome.model_copy(
            update={
                "calls": self.tally.calls,
                "seconds": round(seconds, 3),
                "not_reviewed": {**_left_out(case, subject), **reviewed.not_reviewed},
            }
        )


def shown(findings: Sequence[Finding], subject: Subject) -> tuple[list[Finding], list[Finding]]:
    """Return what a first review would comment in the diff, and what only its summary would list."""
    policy = subject.policy
    said = [one for one in governed(findings, policy) if not one.commit and not one.suppressed]
    actions = reconcile(
        [one for one in said if commentable(one, policy)],
        (),
        scope=(),
        standing=lambda _: True,
        first={one.fingerprint for one in verdict(said, policy).blocking},
        max_inline=policy.comments.max_inline,
    )
    comments = [action.finding for action in actions if isinstance(action, Post)]
    posted = {one.fingerprint for one in comments}
    return comments, [one for one in said if one.fingerprint not in posted]


def has_place(finding: Finding, subject: Subject, revision: Revision) -> bool:
    """Say whether GitLab has a position for a comment on *finding*."""
    file = subject.everything.by_new_path.get(finding.path)
    if file is None:
        return False
    try:
        position(file, revision, Target(finding.line, finding.end_line))
    except NoPosition:
        return False
    return True


def _refuse_impossible(case: Case, subject: Subject) -> None:
    """Refuse expectations that no review could meet: they would look like misses for ever.

    Raises:
        Permanent: one is about a file or lines that the change does not touch.
    """
    for number, one in enumerate(case.expected, start=1):
        if one.path in subject.excluded:
            continue
        file = subject.everything.by_new_path.get(one.path)
        if file is None:
            raise Permanent(
                f"{CASE_FILE}: expected {number}: the change does not touch {one.path}; name a file as it is at the head"
            )
        if not reachable(one, file.added_lines):
            raise Permanent(
                f"{CASE_FILE}: expected {number}: the change adds nothing near the lines {one.lines[0]} to"
                f" {one.lines[1]} of {one.path}, so no comment can stand there; count lines at the head"
            )


def _left_out(case: Case, subject: Subject) -> dict[str, str]:
    """Return the files with something to find that the policy of the base leaves out, with the reason."""
    paths = {one.path for one in case.expected}
    return {path: why for path, why in subject.excluded.items() if path in paths}


def _short(outcome: Outcome) -> str:
    if outcome.error:
        return f"not carried out: {outcome.error}"
    found = "clean" if outcome.clean else f"{outcome.found} of {outcome.expected} found"
    wrong = outcome.false_positives
    return f"{found}, {wrong} false positive{'' if wrong == 1 else 's'}, {outcome.seconds:.1f} s"
