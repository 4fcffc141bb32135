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
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from pydantic import AwareDatetime, Field

from bot.domain.events import DeadlineReached, Event, PublishRequested
from bot.domain.merge_request import MergeRequestRef, Revision, Sha, Value

#: The step of the model; the others are ``scan:<scanner>``.
REVIEW_STEP = "review"

#: How long finished static results wait for a quick model, so that most reviews appear in one piece.
GRACE = timedelta(seconds=1)


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


class Step(Value):
    """Hold how far one scanner or the model got, and what it could not look at (path -> reason)."""

    outcome: Outcome = Outcome.pending
    problem: str = ""
    not_analysed: dict[str, str] = Field(default_factory=dict)
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Due:
    """Pair an event with the delay after which it shall be handed out."""

    event: Event
    delay: timedelta = timedelta()


class Run(Value):
    """Hold the state of one review run."""

    id: uuid.UUID
    ref: MergeRequestRef
    head_sha: Sha
    state: RunState = RunState.started
    revision: Revision | None = None
    steps: dict[str, Step] = Field(default_factory=dict)
    skipped: dict[str, str] = Field(default_factory=dict, description="path -> why nobody looked at it")
    problems: tuple[str, ...] = Field(default=(), description="what the reader of the summary must know")
    results: int = 0
    published: int = 0
    rounds: int = 0
    created_at: AwareDatetime

    @property
    def ended(self) -> bool:
        """Say whether nothing more can happen to this run."""
        return self.state in ENDED

    @property
    def pending(self) -> frozenset[str]:
        """Return the steps that have not ended."""
        return frozenset(name for name, step in self.steps.items() if step.outcome is Outcome.pending)

    def plan(
        self,
        revision: Revision,
        steps: frozenset[str],
        *,
        skipped: Mapping[str, str],
        problems: tuple[str, ...],
        deadline: timedelta,
    ) -> tuple[Self, list[Due]]:
        """Start the work on *revision*; without any step the (empty) result is published at once."""
        run = self.model_copy(
            update={
                "state": RunState.working,
                "revision": revision,
                "steps": {name: Step() for name in sorted(steps)},
                "skipped": dict(skipped),
                "problems": problems,
                "results": 1,
            }
        )
        if not steps:
            return run.request_publish()
        return run, [Due(event=DeadlineReached(ref=run.ref, run_id=run.id, step="total"), delay=deadline)]

    def finish_step(self, name: str, step: Step) -> tuple[Self, list[Due]]:
        """Record how a step ended and say what follows; a step that ended before stays as it is."""
        before = self.steps.get(name)
        if self.ended or before is None or before.outcome not in {Outcome.pending, Outcome.late}:
            return self, []
        run = self.model_copy(update={"steps": {**self.steps, name: step}, "results": self.results + 1})
        if not run.pending:
            return run.request_publish()
        if run.pending == {REVIEW_STEP} and run.rounds == 0:
            return run, [Due(event=DeadlineReached(ref=run.ref, run_id=run.id, step="grace"), delay=GRACE)]
        return run, []

    def reach_deadline(self, step: str) -> tuple[Self, list[Due]]:
        """Publish what there is: static results after the grace, everything at the total deadline."""
        if self.ended or not self.pending:
            return self, []
        if step == "grace":
            return self.request_publish() if self.rounds == 0 else (self, [])
        late = {
            name: step.model_copy(update={"outcome": Outcome.late, "problem": "not finished in time"})
            if step.outcome is Outcome.pending
            else step
            for name, step in self.steps.items()
        }
        return self.model_copy(update={"steps": late, "results": self.results + 1}).request_publish()

    def request_publish(self) -> tuple[Self, list[Due]]:
        """Ask for the next round of publishing."""
        run = self.model_copy(update={"rounds": self.rounds + 1})
        return run, [Due(event=PublishRequested(ref=run.ref, run_id=run.id, round=run.rounds))]

    def mark_published(self, results: int) -> Self:
        """Record that *results* results are visible now; the run is finished when none is missing."""
        if self.ended:
            return self
        waiting = any(step.outcome in {Outcome.pending, Outcome.late} for step in self.steps.values())
        complete = results == self.results and not waiting
        state = RunState.finished if complete else RunState.published
        return self.model_copy(update={"state": state, "published": max(self.published, results)})

    def supersede(self) -> Self:
        """End the run because a newer head won or the merge request was closed."""
        return self if self.ended else self.model_copy(update={"state": RunState.superseded})

    def fail(self, problem: str) -> Self:
        """End the run because it cannot go on; *problem* says what to do."""
        if self.ended:
            return self
        return self.model_copy(update={"state": RunState.failed, "problems": (*self.problems, problem)})
