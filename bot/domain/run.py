r"""A review run: one head of one merge request, from first event to published result.

The run is a state machine of pure transitions; consumers load it, call one transition, and store what it
returns. Its states::

    started --plan--> working --publish--> published ... --> finished
       \________________\_____________________\--> superseded (newer head, close) or failed

A run is published after the static steps when the model takes long, again after the model, and at the latest
at its deadline; ``results`` counts what came in and ``published`` what is visible, so a repeated request to
publish is recognised as done.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from pydantic import AwareDatetime, Field

from bot.domain.authorship import Pushes
from bot.domain.events import DeadlineReached, Event, VerifyRequested
from bot.domain.facts import Facts
from bot.domain.findings import Rejection
from bot.domain.merge_request import MergeRequestRef, Revision, Sha, Value
from bot.domain.policy import SARIF_PREFIX, Policy

#: The step of the model; the others are ``scan:<scanner>``, those of other tools among them.
REVIEW_STEP = "review"
REPORT_STEP = f"scan:{SARIF_PREFIX}"
#: Part of the review that is absent where nobody looks at anything.
WHOLE = "review"

#: The deadlines: the moment that finished static results wait for a quick model, and the end of all waiting.
GRACE = "grace"
TOTAL = "total"
GRACE_PERIOD = timedelta(seconds=1)


class RunState(enum.StrEnum):
    """Where a run stands."""

    started = "started"
    working = "working"
    published = "published"
    finished = "finished"
    superseded = "superseded"
    failed = "failed"


ENDED = frozenset({RunState.finished, RunState.superseded, RunState.failed})


class Outcome(enum.StrEnum):
    """How a step ended; ``late`` means that the deadline came first."""

    pending = "pending"
    done = "done"
    partial = "partial"
    failed = "failed"
    late = "late"


#: Outcomes that a later result may replace.
WAITING = frozenset({Outcome.pending, Outcome.late})


class Step(Value):
    """Hold how far one scanner or the model got, and what it could not look at (path -> reason).

    ``everywhere``: it also looked at files that reviews leave out unless the policy asks for it. ``past`` says what
    of the branch's commits it was to look at and could not. ``walkthrough`` says in one sentence per file what
    changed there. ``rejected`` are findings that did not hold, a bounded number of them; ``remarks`` are what the
    reader of the summary must know. ``shown`` says how often each file was looked at, which for the model is in how
    many prompts; one that ``not_analysed`` names too was not shown whole.
    """

    outcome: Outcome = Outcome.pending
    problem: str = ""
    not_analysed: dict[str, str] = Field(default_factory=dict)
    everywhere: bool = False
    past: str = ""
    shown: dict[str, int] = Field(default_factory=dict)
    walkthrough: dict[str, str] = Field(default_factory=dict)
    rejected: tuple[Rejection, ...] = ()
    remarks: tuple[str, ...] = ()
    duration_s: float = 0.0
    tokens: int = 0
    basis: str = Field(default="", description="what decides a model's answers besides the change")
    since: str = Field(
        default="", description="the head whose change the model had seen, if it was asked for the rest"
    )


@dataclass(frozen=True, slots=True)
class Due:
    """Pair an event with the delay after which it shall be handed out."""

    event: Event
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold what a run is going to do, known once the code is there."""

    revision: Revision
    policy: Policy
    steps: tuple[str, ...]
    title: str = ""
    description: str = ""
    skipped: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    problems: tuple[str, ...] = ()


class Run(Value):
    """Hold the state of one review run.

    ``results`` counts what came in, ``requested`` what somebody was asked to publish, ``published`` what is
    visible. ``title`` and ``description`` of the merge request are kept with secrets masked.
    """

    id: uuid.UUID
    ref: MergeRequestRef
    head_sha: Sha
    state: RunState = RunState.started
    revision: Revision | None = None
    policy: Policy = Policy()
    title: str = ""
    description: str = ""
    steps: dict[str, Step] = Field(default_factory=dict)
    skipped: dict[str, str] = Field(default_factory=dict, description="path -> why nobody looked at it")
    absent: dict[str, str] = Field(
        default_factory=dict, description="part of the review -> why it did not run"
    )
    facts: Facts = Facts()
    problems: tuple[str, ...] = Field(default=(), description="what the reader of the summary must know")
    results: int = 0
    requested: int = 0
    published: int = 0
    rounds: int = 0
    pushes: Pushes = Pushes()
    full: bool = Field(default=False, description="ask the model about everything, whatever it has seen")
    created_at: AwareDatetime

    @property
    def ended(self) -> bool:
        """Say whether nothing more can come in."""
        return self.state in ENDED

    @property
    def left_out(self) -> bool:
        """Say whether nobody looks at it because the policy leaves drafts out."""
        return self.revision is not None and not self.steps and WHOLE in self.absent

    @property
    def pending(self) -> frozenset[str]:
        """Return the steps that have not ended."""
        return frozenset(name for name, step in self.steps.items() if step.outcome is Outcome.pending)

    def start_work(self, plan: Plan) -> Self:
        """Begin the steps of *plan*, once more when the operator replays events."""
        return self.model_copy(
            update={
                "state": RunState.working,
                "revision": plan.revision,
                "policy": plan.policy,
                "title": plan.title,
                "description": plan.description,
                "steps": {name: Step() for name in plan.steps},
                "skipped": dict(plan.skipped),
                "absent": dict(plan.absent),
                "facts": plan.facts,
                "problems": plan.problems,
                "results": self.results + 1,
            }
        )

    def finish_step(self, name: str, step: Step) -> Self:
        """Record how a step ended; one that ended before stays as it is, unless it was given up as late."""
        before = self.steps.get(name)
        if self.ended or before is None or before.outcome not in WAITING:
            return self
        return self.model_copy(update={"steps": {**self.steps, name: step}, "results": self.results + 1})

    @property
    def waits_for_slow_ones(self) -> bool:
        """Say whether only the model, or jobs of the project's pipeline, are still to come."""
        return all(name == REVIEW_STEP or name.startswith(REPORT_STEP) for name in self.pending)

    def advance(self) -> tuple[Self, list[Due]]:
        """Say what follows from the steps that have ended.

        Everything is published when nothing is pending. When only slow steps are, the static results wait for
        a moment, so that most reviews appear in one piece; afterwards each slow result is published as it comes.
        """
        if self.ended or not self.waits_for_slow_ones:
            return self, []
        if self.pending and self.rounds == 0:
            return self, [Due(DeadlineReached(ref=self.ref, run_id=self.id, step=GRACE), GRACE_PERIOD)]
        return self.request_publish()

    def reach_deadline(self, step: str) -> tuple[Self, list[Due]]:
        """Publish what there is: static results after the grace, everything at the total deadline."""
        if self.ended or not self.pending:
            return self, []
        if step == GRACE:
            return self.request_publish() if self.rounds == 0 else (self, [])
        late = {name: self._late(one) for name, one in self.steps.items()}
        return self.model_copy(update={"steps": late, "results": self.results + 1}).request_publish()

    def request_publish(self) -> tuple[Self, list[Due]]:
        """Ask for the next round of publishing, which begins with the fixes, unless that was asked for already."""
        if self.requested == self.results:
            return self, []
        run = self.model_copy(update={"rounds": self.rounds + 1, "requested": self.results})
        return run, [Due(VerifyRequested(ref=run.ref, run_id=run.id, round=run.rounds))]

    def show_again(self) -> tuple[Self, list[Due]]:
        """Ask for another round of publishing, because people changed what is to be shown; not before the first."""
        if self.rounds == 0 or self.state is RunState.superseded:
            return self, []
        return self.model_copy(update={"results": self.results + 1}).request_publish()

    def mark_published(self, results: int) -> Self:
        """Record that *results* results are visible now; the run is finished when none can be missing."""
        waiting = any(step.outcome in WAITING for step in self.steps.values())
        complete = results == self.results and not waiting
        state = self.state if self.ended else RunState.finished if complete else RunState.published
        return self.model_copy(update={"state": state, "published": max(self.published, results)})

    def supersede(self) -> Self:
        """End the run because a newer head won or the merge request was closed."""
        return self if self.ended else self.model_copy(update={"state": RunState.superseded})

    def fail(self, problem: str) -> tuple[Self, list[Due]]:
        """End the run because it cannot go on, and have *problem*, which says what to do, shown."""
        if self.ended:
            return self, []
        update = {
            "state": RunState.failed,
            "problems": (*self.problems, problem),
            "results": self.results + 1,
        }
        return self.model_copy(update=update).request_publish()

    @staticmethod
    def _late(step: Step) -> Step:
        if step.outcome is not Outcome.pending:
            return step
        return step.model_copy(update={"outcome": Outcome.late, "problem": "not finished in time"})
