"""Verdicts of the gate as they are kept: read by pages and jobs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Protocol

from bot.domain.gate_verdict import GateVerdict, Removed, Standing
from bot.domain.merge_request import MergeRequestRef


class Verdicts(Protocol):
    """Read verdicts; every method raises ``Transient`` when the store is out of reach."""

    async def of_run(self, run_id: uuid.UUID) -> Standing | None:
        """Return where a run stands, None if there is no such run."""

    async def removed(self, run_id: uuid.UUID) -> Removed | None:
        """Return that retention removed a run that was published, None if it did not."""

    async def of_head(
        self, instance: str, project_id: int, head_sha: str, iid: int | None = None
    ) -> Standing | None:
        """Return where the newest run on a head stands, None if there is none.

        *project_id* is the merge request's own project, or without *iid* that of its source branch too. Of several
        merge requests with that head, one that is open and still has it comes first.
        """

    async def mark_of(self, run_id: uuid.UUID) -> str:
        """Return the mark of `Standing` alone, which is cheap; empty if the run is gone."""

    async def left_waiting(self, ref: MergeRequestRef, run_id: uuid.UUID) -> Sequence[GateVerdict]:
        """Return the verdicts of earlier runs of *ref* than *run_id* that were never made, and so never will be."""

    async def beside(self, ref: MergeRequestRef, head_sha: str) -> Sequence[GateVerdict]:
        """Return the newest verdicts of other open merge requests that have this head as well."""

    async def on_head(self, instance: str, project_id: int, head_sha: str) -> Sequence[GateVerdict]:
        """Return the newest verdicts of open merge requests from branches of a project that have this head."""
