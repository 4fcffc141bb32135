"""Events of reviews: from a change of a merge request to what is visible on it."""

from __future__ import annotations

import enum
import uuid

from pydantic import AwareDatetime, Field

from bot.domain.events.base import MergeRequestEvent, Stage
from bot.domain.merge_request import Sha


class Action(enum.StrEnum):
    """What happened to a merge request, reduced to what a review cares about."""

    changed = "changed"
    closed = "closed"


class MergeRequestChanged(MergeRequestEvent):
    """A merge request was opened, reopened, pushed to, edited, closed or merged."""

    kind = "merge_request.changed"
    stage = Stage.intake

    action: Action
    head_sha: Sha | None = Field(description="newest commit as the sender saw it; None when unknown")
    updated_at: AwareDatetime | None = Field(
        default=None, description="the forge's time, to order deliveries that overtake each other"
    )
    draft: bool = False
    again: bool = Field(default=False, description="review although the head is known, e.g. for a new target")
    redecide: bool = Field(
        default=False,
        description="the code is the same, but labels or such that the gate may ask for are not",
    )
    pushed_by: int | None = Field(default=None, gt=0, description="who pushed the head, where a hook says so")
    pushed_over: Sha | None = Field(default=None, description="the head before, where a hook says so")
    source: str = Field(description="hook, reconciler, forge, command or comment")

    @property
    def asked_for(self) -> bool:
        """Say whether a person wants the review, now, whatever is paused."""
        return self.source in {"command", "comment"}


class FetchRequested(MergeRequestEvent):
    """A review run has started and needs its code."""

    kind = "fetch.requested"
    stage = Stage.fetch

    run_id: uuid.UUID


class ScanRequested(MergeRequestEvent):
    """One scanner shall look at the revision."""

    kind = "scan.requested"
    stage = Stage.scan

    run_id: uuid.UUID
    scanner: str

    @property
    def discriminator(self) -> str:
        """Return the scanner: one request goes out for each."""
        return self.scanner


class ReportRequested(MergeRequestEvent):
    """A report of the project's own pipeline shall join the findings, once it is there."""

    kind = "report.requested"
    stage = Stage.report

    run_id: uuid.UUID
    scanner: str = Field(description="sarif:<job>, as the policy names it")
    attempt: int = Field(default=0, ge=0, description="how often it was not there yet")

    @property
    def discriminator(self) -> str:
        """Return the scanner: one request goes out for each."""
        return self.scanner


class ReviewRequested(MergeRequestEvent):
    """The model shall look at the revision."""

    kind = "review.requested"
    stage = Stage.review

    run_id: uuid.UUID


class StepFinished(MergeRequestEvent):
    """A scanner or the model is done with the revision, well or badly; the run's row says how."""

    kind = "step.finished"
    stage = Stage.collect

    run_id: uuid.UUID
    step: str = Field(description="scan:<scanner> or review")

    @property
    def discriminator(self) -> str:
        """Return the step."""
        return self.step


class DeadlineReached(MergeRequestEvent):
    """It is time to publish what there is; ``step`` names what we waited for."""

    kind = "deadline.reached"
    stage = Stage.collect

    run_id: uuid.UUID
    step: str = Field(description="grace: the model had its moment; total: stop waiting")

    @property
    def discriminator(self) -> str:
        """Return the step: a run has several deadlines."""
        return self.step


class VerifyRequested(MergeRequestEvent):
    """The fixes among the results so far shall be checked, so that the results can be published."""

    kind = "verify.requested"
    stage = Stage.verify

    run_id: uuid.UUID
    round: int = Field(gt=0, description="that of the publish.requested which follows")

    @property
    def discriminator(self) -> str:
        """Return the round: a run is published more than once."""
        return str(self.round)


class PublishRequested(MergeRequestEvent):
    """The results so far shall be visible on the merge request."""

    kind = "publish.requested"
    stage = Stage.publish

    run_id: uuid.UUID
    round: int = Field(gt=0, description="1 for the first result of a run, then 2, ...")
    parting: bool = Field(
        default=False, description="the merge request was closed: only see what people declined on it"
    )

    @property
    def discriminator(self) -> str:
        """Return the round: a run is published more than once."""
        return str(self.round)


class TestsRequested(MergeRequestEvent):
    """The model shall write unit tests: for the code that a discussion is about, or for all that changed."""

    __test__ = False  # pytest takes classes of this name for tests

    kind = "tests.requested"
    stage = Stage.tests

    run_id: uuid.UUID
    discussion_id: str = Field(
        default="",
        pattern=r"^[0-9A-Za-z_-]{0,80}$",
        description="where the answer goes; empty for a comment of its own",
    )
    note_id: int = Field(default=0, ge=0, description="the comment that asked, 0 when the policy did")
    commit: bool = Field(default=False, description="as a merge request rather than a patch")

    @property
    def discriminator(self) -> str:
        """Return the comment: each may ask once."""
        return str(self.note_id)
