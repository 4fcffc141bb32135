"""The store: runs, findings and what was posted."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.audit_log import Act
from bot.domain.events import Event, Record
from bot.domain.findings import Finding
from bot.domain.gate_verdict import GateVerdict
from bot.domain.merge_request import MergeRequestRef
from bot.domain.quiet.withholding import Withheld
from bot.domain.records import AnsweredComment, Declined, MergeRequestState, ThreadRecord
from bot.domain.review_fact import ReviewFact
from bot.domain.run import Run
from bot.domain.signals import Comment
from bot.domain.waivers import Waiver, WaiverStep
from bot.domain.watching import Watch


class Transaction(Protocol):
    """Change the store; everything becomes visible at once, or nothing does."""

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return the state of *ref*, made if new and locked until the end of the transaction."""

    async def save_merge_request(self, state: MergeRequestState) -> None:
        """Replace the state of a merge request that this transaction has locked."""

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return a run, locked until the end of the transaction.

        Raises:
            Permanent: there is no such run.
        """

    async def save_run(self, run: Run) -> None:
        """Store a run, new or changed."""

    async def replace_findings(self, run_id: uuid.UUID, step: str, findings: Sequence[Finding]) -> None:
        """Store what a step found, instead of what an earlier try of it found."""

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return the findings of a run by step; once the run is locked nobody else changes them."""

    async def save_threads(self, ref: MergeRequestRef, threads: Sequence[ThreadRecord]) -> None:
        """Store threads by fingerprint, new or changed."""

    async def decline(self, ref: MergeRequestRef, declined: Sequence[Declined]) -> None:
        """Remember for the project of *ref* what somebody on it does not want to hear of.

        What was said on *ref* before stays as it was, its end included, unless a reason is given now.
        """

    async def undecline(self, ref: MergeRequestRef, fingerprints: Collection[str]) -> None:
        """Forget what was declined on *ref* itself."""

    async def add_answered(self, ref: MergeRequestRef, comment: AnsweredComment) -> None:
        """Remember that a comment was acted on.

        Raises:
            Obsolete: it was before; nothing of this transaction is written.
        """

    async def save_verdict(self, verdict: GateVerdict) -> None:
        """Store what the gate says to a run, in the place of what it said before."""

    async def add_waiver_steps(self, steps: Sequence[WaiverStep]) -> Sequence[Waiver]:
        """Add what happened to waivers, in this order; nothing of it is ever changed.

        Returns:
            What these waivers come to. Until this transaction ends nobody else adds a step to them.
        """

    async def audit(self, act: Act) -> None:
        """Write *act* into the audit log, together with this transaction.

        It is the last thing to await in it: from here on everybody else who writes there waits.
        """

    async def add_comments(self, ref: MergeRequestRef, comments: Sequence[Comment], watch: Watch) -> None:
        """Add comments that were just opened to the ledger of feedback; those that it knows stay as they are.

        The merge request is looked at from now on; of *watch* only the author and the target branch count.
        """

    async def save_fact(self, fact: ReviewFact) -> None:
        """Store what a run came to as far as it is published; the times of its first results and comment stay."""

    async def save_withheld(
        self, ref: MergeRequestRef, run_id: uuid.UUID, withheld: Sequence[Withheld]
    ) -> None:
        """Store which findings a run did not say, instead of what an earlier round of it did not say."""

    def emit(self, event: Event, *, delay: timedelta = timedelta()) -> None:
        """Append *event* to the log together with this transaction, to be handed out after *delay*."""


@dataclass(frozen=True, slots=True)
class Start:
    """Say what the inbox knows of a delivery that is about to be handled."""

    done: bool
    crashes: int


#: Raise `Transient` when a lock that was taken is not held any more.
StillHeld = Callable[[], Awaitable[None]]


class Store(Protocol):
    """Remember runs, findings and what was posted.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def start(self, group: str, event_id: uuid.UUID, failures: int) -> Start:
        """Count a start of handling *event_id* by *group*, before the work, so that a crash leaves a trace.

        *failures* is how often the handling failed in an orderly way; the other starts were crashes, unless the
        process that started it before still lives.
        """

    async def unstart(self, group: str, event_id: uuid.UUID) -> None:
        """Take back a start that was broken off in an orderly way, as at shutdown."""

    def commit(self, group: str, parent: Record) -> AbstractAsyncContextManager[Transaction]:
        """Open the one transaction that ends the handling of *parent*: rows, inbox mark and emitted events.

        Raises:
            Obsolete: the inbox says that *parent* was handled meanwhile; nothing is written.
        """

    async def park(self, group: str, record: Record, *, attempts: int, error: str, reason: str) -> None:
        """Store a dead letter and mark the event as handled."""

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return a run as it is now.

        Raises:
            Permanent: there is no such run.
        """

    async def is_current(self, run: Run) -> bool:
        """Say whether *run* still reviews the newest head of its open merge request."""

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return what is known of a merge request, empty when nothing is."""

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return the findings of a run by step."""

    async def threads(self, ref: MergeRequestRef) -> dict[str, ThreadRecord]:
        """Return the threads of a merge request by fingerprint."""

    async def declined(self, ref: MergeRequestRef) -> Mapping[str, Declined]:
        """Return by fingerprint what people have declined in the project of *ref*, as far as it still counts."""

    async def last_reviewed(self, ref: MergeRequestRef) -> Run | None:
        """Return the newest run of *ref* whose model review ended well, at least in part; None if there is none."""

    async def was_answered(self, ref: MergeRequestRef, note_id: int) -> bool:
        """Say whether a comment was acted on."""

    async def answered_since(self, ref: MergeRequestRef, since: datetime) -> int:
        """Return how many comments of *ref* were acted on since then."""

    async def mark_posting(self, ref: MergeRequestRef, threads: Sequence[ThreadRecord] = ()) -> None:
        """Remember, at once, that drafts may exist from now on, and the *threads* that they are to become.

        A saved state with ``posting=False`` ends it.
        """

    def exclusive(self, ref: MergeRequestRef) -> AbstractAsyncContextManager[StillHeld]:
        """Hold the one lock under which *ref* may be written to, across processes.

        It is lost when the store loses sight of us, as when this process was frozen for a while. The yielded check
        is to be awaited right before anything that people see.

        Raises:
            Transient: another process holds it; from the check: it is not ours any more.
        """

    async def secret(self, name: str) -> bytes:
        """Return 32 random bytes kept under *name*, made at first use and the same for every process."""
