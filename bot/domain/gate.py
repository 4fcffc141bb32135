"""What the gate of a CI job answers, by the same decision that sets the commit status."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.domain.commit_status import undecided
from bot.domain.diff import Diff
from bot.domain.findings import Finding
from bot.domain.policy import Gate
from bot.domain.publication import decide
from bot.domain.reconcile import urgency
from bot.domain.run import Run
from bot.domain.steps import spoken

_UNREAD = "a scanner that decides could not read it"


class Answer(enum.StrEnum):
    """What the gate says; each has its own exit status, so that a pipeline can tell them apart."""

    passed = "passed"
    blocked = "blocked"
    undecided = "undecided"
    #: Somebody pushed since: nobody decides about this commit any more, and nothing opens for it.
    superseded = "superseded"

    @property
    def exit_status(self) -> int:
        """Return the exit status of `cloister gate`; 2 is left to what was asked for wrongly."""
        return {Answer.passed: 0, Answer.blocked: 1}.get(self, 3)


@dataclass(frozen=True, slots=True)
class GateResult:
    """Hold the answer and what it rests on, gravest findings first.

    ``exceeded`` says which limits of the policy block. ``advice`` are findings that do not block, ``suppressed`` those of them that the code asks to ignore. ``broken``
    maps scanners that decide and gave no answer to the reason, ``not_reviewed`` what nobody looked at. ``problems``
    are what the reader must know besides.
    """

    answer: Answer
    rules: Gate = field(default_factory=Gate)
    blocking: tuple[Finding, ...] = ()
    advice: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    exceeded: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    not_reviewed: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    files: int = 0
    added_lines: int = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, those that block first."""
        return (*self.blocking, *self.advice, *self.suppressed)


def answer(run: Run, findings: Mapping[str, Iterable[Finding]], diff: Diff) -> GateResult:
    """Return what the gate says to *run*, whose steps have all ended.

    What blocks wins over a scanner that gave no answer: whatever that one would have said, the change stays blocked.

    Args:
        run: the run.
        findings: by step.
        diff: the change.
    """
    publication = decide(run, findings, (), diff, standing=lambda _: False)
    blocking, exceeded = publication.verdict.blocking, publication.verdict.exceeded
    broken = {spoken(name): run.steps[name].problem for name in undecided(run)}
    broken |= dict.fromkeys(publication.verdict.unread, _UNREAD)
    marks = {finding.fingerprint for finding in blocking}
    shown = [*publication.posts, *(listed.finding for listed in publication.listed)]
    said = Answer.blocked if blocking or exceeded else Answer.undecided if broken else Answer.passed
    return GateResult(
        answer=said,
        rules=run.policy.gate,
        blocking=blocking,
        exceeded=exceeded,
        advice=tuple(sorted((one for one in shown if one.fingerprint not in marks), key=urgency)),
        suppressed=tuple(one for one in publication.suppressed if one.fingerprint not in marks),
        broken=broken,
        not_reviewed=_not_reviewed(run),
        problems=(*run.problems, *publication.verdict.warned),
        files=len(diff.files),
        added_lines=sum(len(file.added_lines) for file in diff.files),
    )


def _not_reviewed(run: Run) -> dict[str, str]:
    """Return who did not look at what, with the reason."""
    missing = {**run.absent, **run.skipped}
    for name, step in run.steps.items():
        scanner = spoken(name)
        missing |= {f"{path} ({scanner})": why for path, why in step.not_analysed.items()}
        if step.past:
            missing[f"commits of the branch ({scanner})"] = step.past
    return missing
