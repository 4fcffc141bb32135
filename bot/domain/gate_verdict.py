"""The verdict of the gate on one run, as it is kept for pages, jobs and commit statuses."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeMergeRequest, StatusPlace
from bot.domain.merge_request import MergeRequestRef, Sha, Value
from bot.domain.policy import Mode, mode_of
from bot.domain.policy_extent import deciding
from bot.domain.policy_reasons import reasons
from bot.domain.publication import Publication, status, undecided
from bot.domain.remedy import remedy
from bot.domain.run import Run, RunState
from bot.domain.steps import spoken

#: More are counted; nobody reads further, and jobs ask for it again and again.
MOST_SHOWN = 200
#: So much of a fingerprint people type.
ID_CHARS = 8

_SUPERSEDED = "a newer commit took over before there was a verdict"
_CLOSED = "the merge request was closed before there was a verdict"
_WAITING = "waiting for {steps}"
_BEGINNING = "the review begins"

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


class GateVerdict(Value):
    """Hold what the gate says to one run.

    It is ``final`` once nothing that decides is still to come. ``status`` and ``description`` are what the commit status
    says, ``places`` where it stands. ``suppressed`` are findings that would block, had the code not asked to ignore
    them. ``broken`` maps steps that decide and gave no answer to the reason, ``problems`` are what GitLab did not let us do.
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
    exceeded: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    broken: dict[str, str] = Field(default_factory=dict)
    shadowed: int = 0
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    places: tuple[StatusPlace, ...] = ()

    @property
    def ids(self) -> dict[str, str]:
        """Return by fingerprint the shortest beginning of it that names it alone."""
        return short_ids(one.fingerprint for one in (*self.blocking, *self.suppressed))

    def superseded(self) -> GateVerdict:
        """Return it for a run that ended before there was a verdict."""
        return self.model_copy(update={"state": VerdictState.superseded, "final": True, "status": "canceled"})


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


def short_ids(fingerprints: Iterable[str]) -> dict[str, str]:
    """Return by fingerprint the beginning by which people name it: eight characters, or more where two agree."""
    known = sorted(set(fingerprints))
    named = {}
    for index, mark in enumerate(known):
        near = [*known[max(0, index - 1) : index], *known[index + 1 : index + 2]]
        length = ID_CHARS
        while length < len(mark) and any(one.startswith(mark[:length]) for one in near):
            length += 1
        named[mark] = mark[:length]
    return named


def sharing(verdict: GateVerdict, beside: Iterable[GateVerdict]) -> list[GateVerdict]:
    """Return those of *beside* whose commit status stands in a place of *verdict*."""
    return [one for one in beside if not set(one.places).isdisjoint(verdict.places)]


def shown(verdict: GateVerdict, before: GateVerdict, beside: Iterable[GateVerdict]) -> tuple[str, str]:
    """Return status and description where it stood *before*: merge requests of one head may share its pipeline.

    There the strictest of them counts. Otherwise a second merge request, into a branch with a mild policy, would open
    the gate of the first.
    """
    strictest = max((verdict, *sharing(before, beside)), key=lambda one: _STRICT.get(one.status, 0))
    if strictest is verdict:
        return verdict.status, verdict.description
    return (
        strictest.status,
        f"!{strictest.ref.iid} has the same head: {strictest.description or 'not decided yet'}",
    )


def waiting(
    run: Run, found: ForgeMergeRequest, project_url: str, places: Iterable[StatusPlace]
) -> GateVerdict:
    """Return the verdict on *run* before anything is known; *project_url* is empty where nothing may be linked."""
    return GateVerdict(
        run_id=run.id,
        ref=run.ref,
        head_sha=run.head_sha,
        source_project_id=found.source_project_id,
        project_url=project_url,
        merge_request_url=found.web_url if project_url else "",
        places=tuple(places),
    )


def verdict_on(
    run: Run,
    publication: Publication,
    before: GateVerdict,
    *,
    redact: Callable[[str], str] = str,
) -> GateVerdict:
    """Return the verdict on *run* as *publication* shows it; it is in the place of the one *before*."""
    said, description = status(run, publication)
    decided = publication.verdict
    state = _state(said, publication)
    blocking = [_blocking(one, run, redact) for one in decided.blocking[:MOST_SHOWN]]
    excused = [one for one in publication.suppressed if _would_block(one, run)]
    return before.model_copy(
        update={
            "state": state,
            "final": run.state is RunState.failed or not any(name in run.pending for name in deciding(run)),
            "round": run.rounds,
            "status": said,
            "description": description,
            "blocking": tuple(blocking),
            "blocking_count": len(decided.blocking),
            "suppressed": tuple(_blocking(one, run, redact, asked=False) for one in excused[:MOST_SHOWN]),
            "exceeded": decided.exceeded,
            "unread": tuple(map(redact, decided.unread[:MOST_SHOWN])),
            "broken": {spoken(name): redact(run.steps[name].problem) for name in undecided(run)},
            "shadowed": len(decided.shadowed),
            "warnings": tuple(redact(one) for one in (*run.problems, *decided.warned)),
        }
    )


def _state(said: str, publication: Publication) -> VerdictState:
    if said == "success":
        return VerdictState.passed
    if said == "running":
        return VerdictState.waiting
    blocked = publication.verdict.blocking or publication.verdict.exceeded
    return VerdictState.blocked if blocked else VerdictState.undecided


def _would_block(finding: Finding, run: Run) -> bool:
    """Say whether only the suppression in the code keeps *finding* from blocking."""
    bare = finding.model_copy(update={"suppressed": False})
    modes = (mode_of(one, run.policy, run.facts) for one in (bare, finding))
    return [Mode.block, Mode.advise] == list(modes)


def _blocking(finding: Finding, run: Run, redact: Callable[[str], str], *, asked: bool = True) -> Blocking:
    seen = finding if asked else finding.model_copy(update={"suppressed": False})
    return Blocking(
        fingerprint=finding.fingerprint,
        rule=finding.rule,
        scanner=finding.scanner,
        severity=finding.severity,
        category=finding.category,
        path=redact(finding.path),
        line=finding.line,
        end_line=finding.end_line,
        title=redact(finding.title),
        why=tuple(str(one) for one in reasons(seen, run.policy, run.facts)),
        remedy=remedy(finding),
        commit=finding.commit,
        suppressed=finding.suppressed,
    )
