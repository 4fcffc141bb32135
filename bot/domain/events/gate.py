"""Events of the gate: verdicts, pipelines and waivers."""

from __future__ import annotations

import uuid

from pydantic import Field

from bot.domain.events.base import Event, Stage


class VerdictOutdated(Event):
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


class PipelineSeen(Event):
    """A pipeline of the merge request is there; our commit status belongs into it, if its head is still the newest."""

    kind = "pipeline.seen"
    stage = Stage.publish

    pipeline_id: int = Field(gt=0, lt=2**63)

    @property
    def discriminator(self) -> str:
        """Return the pipeline: a head may have several."""
        return str(self.pipeline_id)


class WaiverRequested(Event):
    """Somebody who has signed in asks on a page for a waiver, grants one, or takes one back."""

    kind = "waiver.requested"
    stage = Stage.converse

    user_id: int = Field(gt=0)
    words: str = Field(
        max_length=1_000, description="what would follow the command in a comment, secrets masked"
    )
    back: bool = Field(default=False, description="take it back")
