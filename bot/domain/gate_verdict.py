"""The verdict of the gate on one run, as it is kept for pages, jobs and commit statuses."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from pydantic import Field

from bot.domain.findings import Finding, Severity
from bot.domain.forge import StatusPlace
from bot.domain.merge_request import MergeRequestRef, Sha, Value
from bot.domain.run import Run, RunState
from bot.domain.steps import spoken
from bot.domain.waivers import Source, State, ends_at, names_of
from bot.domain.wording import spoken_in

#: More are counted; nobody reads further, and jobs ask for it again and again.
MOST_SHOWN = 200

_SUPERSEDED = "a newer commit took over before there was a verdict"
_CLOSED = "the merge request was closed before there was a verdict"
_WAITING = "waiting for {steps}"
_BEGINNING = "the review begins"
_OUTLIVED = "a waiver has ended, and the verdict is being made anew"

#: Commit statuses, strict to stricter than what is not among them.
_STRICT = {"pending": 1, "running": 1, "failed": 2}


class VerdictState(enum.StrEnum):
    """What the gate says."""

    waiting = "waiting"
    passed = "passed"
    blocked = "blocked"
    undecided = "undecided"
    superseded = "superseded"


class Blocking(Value):
    """Hold one finding that blocks, or would: where it is, by which rules, and what makes it go away. Never code."""

    fingerprint: str
    rule: str
    scanner: str
    severity: Severity
    category: str
    path: str
    line: int
    end_line: int
    title: str
    why: tuple[str, ...] = ()
    remedy: str = ""
    commit: str = ""
    suppressed: bool = False
    anchor: str = ""
    whole: str = ""

    def as_finding(self) -> Finding:
        """Return it as far as it decides whether it may be waived; what it says stays behind."""
        return Finding(
            scanner=self.scanner,
            rule=self.rule,
            category=self.category,
            severity=self.severity,
            path=self.path,
            line=self.line,
            end_line=self.end_line,
            title=self.title,
            message="",
            fingerprint=self.fingerprint,
            anchor=self.anchor,
            whole=self.whole,
            commit=self.commit,
            suppressed=self.suppressed,
        )


class ShownWaiver(Value):
    """Hold how the waiver of a finding stands: until when, by whom and why.

    ``waiver`` is its id, None where a comment in the code is all that asks for it: then there is no day either. ``iid``
    is the merge request that it is from.
    """

    finding: Blocking
    state: State
    waiver: uuid.UUID | None = None
    until: date | None = None
    by: str = ""
    reason: str = ""
    source: Source = Source.code
    iid: int | None = None


class GateVerdict(Value):
    """Hold what the gate says to one run.

    It is ``final`` once nothing that decides is still to come. ``status`` and ``description`` are what the commit status
    says, ``places`` where it stands. ``suppressed`` are findings that would block, had the code not asked to ignore
    them. ``waived`` are those that would block without a waiver, ``asked`` those of the blocking ones for which one is asked
    for. ``broken`` maps steps that decide and gave no answer to the reason, ``problems`` are what GitLab did not let us
    do. ``participants`` are the merge request's own people when its review began.
    """

    run_id: uuid.UUID
    ref: MergeRequestRef
    head_sha: Sha
    source_project_id: int | None = None
    project_url: str = ""
    merge_request_url: str = ""
    state: VerdictState = VerdictState.waiting
    final: bool = False
    round: int = 0
    status: str = "pending"
    description: str = ""
    blocking: tuple[Blocking, ...] = ()
    blocking_count: int = 0
    suppressed: tuple[Blocking, ...] = ()
    waived: tuple[ShownWaiver, ...] = ()
    asked: tuple[ShownWaiver, ...] = ()
    exceeded: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    broken: dict[str, str] = Field(default_factory=dict)
    shadowed: int = 0
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    places: tuple[StatusPlace, ...] = ()
    participants: tuple[int, ...] = ()

    @property
    def ids(self) -> Mapping[str, str]:
        """Return by fingerprint what people call the finding."""
        waived = (one.finding for one in self.waived)
        return names_of(one.fingerprint for one in (*self.blocking, *self.suppressed, *waived))

    def superseded(self) -> GateVerdict:
        """Return it for a run that ended before there was a verdict."""
        return self.model_copy(update={"state": VerdictState.superseded, "final": True, "status": "canceled"})


@dataclass(frozen=True, slots=True)
class Removed:
    """Hold of which project a run was that retention removed, and when it did."""

    project_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold where a run stands, in the eyes of those who wait for its verdict.

    ``verdict`` is None before its code is there. ``mark`` changes with everything that a reader sees. ``successor`` is
    the run that took over, ``closed`` says that the merge request is no longer open.
    """

    run: Run
    verdict: GateVerdict | None
    mark: str
    changed_at: datetime
    successor: uuid.UUID | None = None
    closed: bool = False

    @property
    def state(self) -> VerdictState:
        """Return what the gate says; a run that was broken off will not say anything any more."""
        made = self.verdict is not None and self.verdict.final
        if self.run.state is RunState.superseded and not made:
            return VerdictState.superseded
        return self.verdict.state if self.verdict else VerdictState.waiting

    @property
    def final(self) -> bool:
        """Say whether it stays so by itself: only people can change it now."""
        if self.state is VerdictState.superseded:
            return True
        return self.verdict is not None and self.verdict.final

    @property
    def description(self) -> str:
        """Return it in a few words."""
        if self.state is VerdictState.superseded:
            return _CLOSED if self.closed else _SUPERSEDED
        if self.verdict and self.verdict.description:
            return self.verdict.description
        pending = ", ".join(spoken(name) for name in sorted(self.run.pending))
        return _WAITING.format(steps=pending) if pending else _BEGINNING

    @property
    def language(self) -> str:
        """Return the language of the description: what the commit status says is in that of the policy."""
        kept = self.verdict.description if self.verdict else ""
        ours = self.description != kept or kept == _OUTLIVED
        return "en" if ours else spoken_in(self.run.policy.review.language)

    def as_of(self, now: datetime) -> Standing:
        """Return it at that time: nothing passes by a waiver that has ended, though nobody has said so yet."""
        verdict = self.verdict
        if self.closed or self.successor or verdict is None or verdict.state is not VerdictState.passed:
            return self
        if not any(one.until and now >= ends_at(one.until) for one in verdict.waived):
            return self
        waits = {"state": VerdictState.waiting, "final": False, "description": _OUTLIVED}
        return replace(self, verdict=verdict.model_copy(update=waits))


def sharing(verdict: GateVerdict, beside: Iterable[GateVerdict]) -> list[GateVerdict]:
    """Return those of *beside* whose commit status stands in a place of *verdict*, or may."""
    return [
        one for one in beside if any(_one(here, there) for here in verdict.places for there in one.places)
    ]


def _one(here: StatusPlace, there: StatusPlace) -> bool:
    """Say whether both are one place: older releases of GitLab do not say in which pipeline a status stands."""
    pipelines = {here.pipeline_id, there.pipeline_id}
    same_commit = (here.project_id, here.sha) == (there.project_id, there.sha)
    return same_commit and (len(pipelines) == 1 or None in pipelines)


def shown(verdict: GateVerdict, before: GateVerdict, beside: Iterable[GateVerdict]) -> tuple[str, str]:
    """Return status and description where it stood *before*: merge requests of one head may share its pipeline.

    There the strictest of them counts. Otherwise a second merge request, into a branch with a mild policy, would open
    the gate of the first. Where it has not stood anywhere, it may come to stand with that of any from the same project.
    """
    if before.places:
        return strictest(verdict, sharing(before, beside))
    return strictest(
        verdict, [one for one in beside if one.source_project_id == before.source_project_id and one.places]
    )


def strictest(verdict: GateVerdict, others: Iterable[GateVerdict]) -> tuple[str, str]:
    """Return status and description where *verdict* and *others* stand in one place."""
    found = max((verdict, *others), key=lambda one: _STRICT.get(one.status, 0))
    if found is verdict:
        return verdict.status, verdict.description
    return found.status, f"!{found.ref.iid} has the same head: {found.description or 'not decided yet'}"
