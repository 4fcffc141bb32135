"""The verdict of a server as a CI job gets it, and which one the job asks for.

What a server sends is not trusted to be one of ours: wrong types, contradictions and verdicts on something else are
errors, so none of them can open a gate.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final, Self

from pydantic import Field, ValidationError, model_validator

from bot.domain.errors import Permanent
from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import Sha, Value
from bot.domain.pipeline import COMMIT_ID, Pipeline

_LOCALLY: Final = "use --local, which needs no merge request"
_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LAST_IID, _LAST_ID = 2**31 - 1, 2**63 - 1


class State(enum.StrEnum):
    """What the server says of a head."""

    waiting = "waiting"
    passed = "passed"
    blocked = "blocked"
    undecided = "undecided"
    superseded = "superseded"


class StepState(enum.StrEnum):
    """How far one part of a review is."""

    running = "running"
    done = "done"
    partial = "partial"
    failed = "failed"
    late = "late"
    absent = "absent"


class AwaitedStep(Value):
    """One part of a review, and what went wrong in it."""

    step: str
    state: StepState
    problem: str | None = None


class AwaitedFinding(Value):
    """A finding that blocks; ``finding`` is the short name by which people speak of it.

    ``commit`` is set when its place is not at the head but in that commit of the branch. ``waive`` is the comment that
    asks for a waiver, empty where nobody may have one.
    """

    fingerprint: str
    finding: str = ""
    rule: str = Field(min_length=1)
    scanner: str = Field(min_length=1)
    severity: Severity
    category: str = Field(min_length=1)
    path: str = Field(min_length=1)
    line: int = Field(gt=0)
    title: str = Field(min_length=1)
    why: str = ""
    remedy: str = ""
    commit: str = ""
    waive: str = ""

    def as_finding(self) -> Finding:
        """Return it as reports take it, as far as the server tells."""
        return Finding(
            scanner=self.scanner,
            rule=self.rule,
            category=self.category,
            severity=self.severity,
            path=self.path,
            line=self.line,
            end_line=self.line,
            title=self.title,
            message=self.why,
            fingerprint=self.fingerprint,
            commit=self.commit,
        )


class AwaitedWaiver(Value):
    """A finding that would block, and who lets it pass until when, or asks for that; no day where the code asks."""

    finding: str
    title: str = ""
    until: str | None = None
    by: str = ""
    reason: str = ""


class AwaitedVerdict(Value):
    """What a server says of one head; it is about to change unless it is ``final``.

    ``blocking`` may be cut off at the first of ``blocking_count``; ``suppressed`` would block, had the code not asked to
    ignore them. ``exceeded`` says which limits block, ``unread`` which files nobody could read, ``broken`` maps what gave no answer
    to the reason, ``url`` leads people to the page that says more.
    """

    state: State
    final: bool
    sha: Sha
    project_id: int
    iid: int | None = None
    run_id: str | None = None
    url: str | None = None
    description: str = ""
    steps: tuple[AwaitedStep, ...] = Field(default=(), strict=False)
    blocking: tuple[AwaitedFinding, ...] = Field(default=(), strict=False)
    blocking_count: int = 0
    suppressed: tuple[AwaitedFinding, ...] = Field(default=(), strict=False)
    exceeded: tuple[str, ...] = Field(default=(), strict=False)
    unread: tuple[str, ...] = Field(default=(), strict=False)
    broken: dict[str, str] = Field(default_factory=dict)
    waived: tuple[AwaitedWaiver, ...] = Field(default=(), strict=False)
    asked: tuple[AwaitedWaiver, ...] = Field(default=(), strict=False)
    warnings: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def found(self) -> int:
        """Return how many findings block."""
        return max(self.blocking_count, len(self.blocking))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.state is State.passed and (self.found or self.exceeded or self.unread):
            raise ValueError("it passes, and names what keeps it from passing")
        if self.state is State.waiting and self.final:
            raise ValueError("it is final, and waits")
        return self


@dataclass(frozen=True, slots=True)
class Question:
    """Name the head that a job asks about, and for people what it is of.

    ``target_branch`` is the one whose policy shall decide, empty where the job does not know.
    """

    project_id: int
    sha: str
    iid: int
    why: str
    target_branch: str = ""

    def read(self, answer: bytes) -> AwaitedVerdict:
        """Return the verdict in *answer*.

        Raises:
            ValueError: there is none, or one on something else; the message says so, and quotes nothing.
        """
        try:
            found = AwaitedVerdict.model_validate_json(answer)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))[:80]
            msg = f"the answer is no verdict ({place + ': ' if place else ''}{first['msg'][:120]})"
            raise ValueError(msg) from None
        about = found.sha, found.project_id, found.iid or self.iid
        if about != (self.sha, self.project_id, self.iid):
            msg = "the answer is about another commit or merge request"
            raise ValueError(msg)
        return found


def asked(pipeline: Pipeline) -> Question:
    """Return which verdict the job of *pipeline* asks for.

    In pipelines of merged results and of merge trains the commit is a merge that GitLab made. What was reviewed is
    its source, so that is asked about.

    Raises:
        Permanent: the variables name no merge request, or contradict each other.
    """
    head = pipeline.head
    project = pipeline["CI_MERGE_REQUEST_PROJECT_ID"] or pipeline["CI_PROJECT_ID"]
    if not head or not project:
        name = "CI_PROJECT_ID" if head else "CI_COMMIT_SHA"
        raise Permanent(f"--wait is for jobs of GitLab's, and {name} is not set here; in a clone {_LOCALLY}")
    if not COMMIT_ID.fullmatch(head):
        raise Permanent(f"the job is about {head[:80]!r}, which is no commit id; set CI_COMMIT_SHA to one")
    named = pipeline["CI_MERGE_REQUEST_IID"]
    if not named and pipeline.of_merge_request:
        raise Permanent(f"CI_MERGE_REQUEST_IID is not set in a merge request pipeline; set it, or {_LOCALLY}")
    iid = _number("CI_MERGE_REQUEST_IID", named, _LAST_IID) if named else _open(pipeline)
    known = "CI_MERGE_REQUEST_PROJECT_ID" if pipeline["CI_MERGE_REQUEST_PROJECT_ID"] else "CI_PROJECT_ID"
    return Question(
        _number(known, project, _LAST_ID),
        head,
        iid,
        f"commit {head[:8]} of merge request !{iid}",
        pipeline["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
    )


def _open(pipeline: Pipeline) -> int:
    """Return the one open merge request of a branch: GitLab names them like ``group/app!7,group/other!3``."""
    found = [one.strip() for one in pipeline["CI_OPEN_MERGE_REQUESTS"].split(",") if one.strip()]
    if not found:
        raise Permanent(
            "there is no verdict without a merge request, and this pipeline has none; run the job in merge request"
            f" pipelines only, or {_LOCALLY}"
        )
    project, _, iid = found[0].rpartition("!")
    if len(found) > 1 or project != pipeline["CI_PROJECT_PATH"]:
        names = ", ".join(found)[:200]
        raise Permanent(
            f"this pipeline is that of a branch, and its open merge requests are {names!r}: it takes exactly one, of"
            " this project; run the job in merge request pipelines, where each asks for its own"
        )
    return _number("CI_OPEN_MERGE_REQUESTS", iid, _LAST_IID)


def _number(name: str, text: str, most: int) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > most:
        raise Permanent(f"{name} is no number of GitLab's ({text[:80]!r}); unset it where a job sets it")
    return int(text)
