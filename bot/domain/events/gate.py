"""Events of the gate: verdicts, pipelines and waivers."""

from __future__ import annotations

import uuid

from pydantic import Field

from bot.domain.events.base import Event, MergeRequestEvent, Stage
from bot.domain.merge_request import Sha


class VerdictOutdated(MergeRequestEvent):
    """What the gate of a merge request rests on has changed, so its verdict shall be made anew.

    ``cause`` is the waiver that has ended, or the run of another merge request that shares its commit status.
    """

    kind = "verdict.outdated"
    stage = Stage.collect

    cause: uuid.UUID

    @property
    def discriminator(self) -> str:
        """Return the cause and the merge request: several may rest on one, and one on several."""
        return f"{self.cause}:{self.ref.key}"


class PipelineSeen(MergeRequestEvent):
    """A pipeline of the merge request is there; our commit status belongs into it, if its head is still the newest."""

    kind = "pipeline.seen"
    stage = Stage.publish

    pipeline_id: int = Field(gt=0, lt=2**63)
    branch: bool = Field(
        default=False, description="of the branch: other merge requests from it have the pipeline too"
    )

    @property
    def discriminator(self) -> str:
        """Return pipeline and merge request: a head may have several of both."""
        return f"{self.pipeline_id}:{self.ref.key}"


class BranchPipelineSeen(Event):
    """A pipeline of a branch is there; merge requests whose head it runs on want our commit status in it."""

    kind = "pipeline.seen_on_branch"
    stage = Stage.publish

    instance: str = Field(min_length=1)
    project_id: int = Field(gt=0, lt=2**63, description="the project that it runs in, which may be a fork")
    sha: Sha
    pipeline_id: int = Field(gt=0, lt=2**63)

    @property
    def key(self) -> str:
        """Return what the pipeline is of: only the hook of one of a merge request names that."""
        return f"{self.instance}:{self.project_id}:{self.sha}"


class WaiverRequested(MergeRequestEvent):
    """Somebody who has signed in asks on a page for a waiver, grants one, or takes one back."""

    kind = "waiver.requested"
    stage = Stage.converse

    user_id: int = Field(gt=0)
    words: str = Field(
        max_length=1_000, description="what would follow the command in a comment, secrets masked"
    )
    back: bool = Field(default=False, description="take it back")
