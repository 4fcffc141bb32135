"""What the ledger knows besides labels, for those who make data sets."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Protocol

from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Run


class Learning(Protocol):
    """Say what may be learned from, and what the models were asked.

    Every method raises ``Transient`` when the database is out of reach.
    """

    async def consenting(self) -> frozenset[tuple[str, int]]:
        """Return instance and id of the projects whose newest run had a policy that allows exports."""

    async def opted_out(self) -> frozenset[tuple[str, int]]:
        """Return instance and id of the people who do not want to be part of a data set."""

    async def opt_out(self, instance: str, user_id: int, *, out: bool = True) -> bool:
        """Remember, or forget, that somebody does not want to be part; say whether that is news."""

    async def authors(self, refs: Collection[MergeRequestRef]) -> Mapping[MergeRequestRef, int]:
        """Return the authors of merge requests, as far as they are known."""

    async def run(self, run_id: uuid.UUID) -> Run | None:
        """Return a run, None if it is gone."""

    async def run_at(self, ref: MergeRequestRef, head_sha: str) -> Run | None:
        """Return the newest run of *ref* at a head whose model review ended well, None if there is none."""

    async def inputs(self, run_id: uuid.UUID) -> frozenset[str]:
        """Return the SHA-256 of all that the reviewing model was asked in a run, by its audit."""
