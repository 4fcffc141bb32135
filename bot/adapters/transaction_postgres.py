"""The transaction that ends the handling of an event, in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters import (
    answered_postgres,
    audit_log_postgres,
    declined_postgres,
    feedback_postgres,
    suppressions_postgres,
    verdicts_postgres,
    waivers_postgres,
)
from bot.adapters.facts_postgres import save_fact
from bot.adapters.postgres import storable
from bot.adapters.store_rows import FINDINGS, REF, findings_of, key_of, run_of, save_threads, state_of
from bot.domain.audit_log import Act
from bot.domain.events import Event, Record, event_id
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

#: The update changes nothing: it locks a row that is there already, and returns it.
_LOCK_MERGE_REQUEST = """
INSERT INTO merge_request (instance, project_id, iid) VALUES ($1, $2, $3)
ON CONFLICT (instance, project_id, iid) DO UPDATE SET iid = excluded.iid RETURNING *
"""

_SAVE_RUN = """
INSERT INTO review_run (id, instance, project_id, iid, head_sha, state, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body, changed_at = now()
"""


class PostgresTransaction:
    """Collect the changes of one handled event; see the port."""

    def __init__(self, connection: Any, parent: Record, trace: dict[str, str]) -> None:
        self._connection = connection
        self._parent = parent
        self._trace = trace
        self.emitted: list[Record] = []

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return and lock the state; see the port."""
        return state_of(ref, await self._connection.fetchrow(_LOCK_MERGE_REQUEST, *key_of(ref)))

    async def save_merge_request(self, state: MergeRequestState) -> None:
        """Replace the state; see the port."""
        await self._connection.execute(
            "UPDATE merge_request SET head_sha = $4, updated_at = $5, closed = $6, run_id = $7,"
            " summary_note_id = $8, posting_since = CASE WHEN $9 THEN coalesce(posting_since, now()) END, paused = $10"
            f" WHERE {REF}",
            *key_of(state.ref),
            state.head_sha,
            state.updated_at,
            state.closed,
            state.run_id,
            state.summary_note_id,
            state.posting,
            state.paused,
        )

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return and lock a run; see the port."""
        return run_of(
            await self._connection.fetchrow("SELECT body FROM review_run WHERE id = $1 FOR UPDATE", run_id)
        )

    async def save_run(self, run: Run) -> None:
        """Store a run; see the port."""
        await self._connection.execute(
            _SAVE_RUN,
            run.id,
            *key_of(run.ref),
            run.head_sha,
            run.state.value,
            run.model_dump(mode="json"),
            run.created_at,
        )

    async def replace_findings(self, run_id: uuid.UUID, step: str, findings: Sequence[Finding]) -> None:
        """Store what a step found; see the port."""
        await self._connection.execute("DELETE FROM finding WHERE run_id = $1 AND step = $2", run_id, step)
        await self._connection.executemany(
            "INSERT INTO finding (run_id, step, fingerprint, rule, category, severity, path, body)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            [
                (
                    run_id,
                    step,
                    f.fingerprint,
                    f.rule,
                    f.category,
                    f.severity.value,
                    storable(f.path),
                    f.model_dump(mode="json"),
                )
                for f in findings
            ],
        )

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return findings by step; see the port."""
        return findings_of(await self._connection.fetch(FINDINGS, run_id))

    async def save_threads(self, ref: MergeRequestRef, threads: Sequence[ThreadRecord]) -> None:
        """Store threads; see the port."""
        await save_threads(self._connection, ref, threads)

    async def decline(self, ref: MergeRequestRef, declined: Sequence[Declined]) -> None:
        """Remember what was declined; see the port."""
        await declined_postgres.decline(self._connection, ref, declined)

    async def undecline(self, ref: MergeRequestRef, fingerprints: Collection[str]) -> None:
        """Forget what was declined; see the port."""
        await declined_postgres.undecline(self._connection, ref, fingerprints)

    async def add_answered(self, ref: MergeRequestRef, comment: AnsweredComment) -> None:
        """Remember an answered comment; see the port."""
        await answered_postgres.add(self._connection, ref, comment)

    async def save_verdict(self, verdict: GateVerdict) -> None:
        """Store a verdict; see the port."""
        await verdicts_postgres.save(self._connection, verdict)

    async def add_waiver_steps(self, steps: Sequence[WaiverStep]) -> list[Waiver]:
        """Add to the trail of waivers; see the port."""
        return await waivers_postgres.add(self._connection, steps)

    async def audit(self, act: Act) -> None:
        """Write an act into the audit log; see the port."""
        await audit_log_postgres.append(self._connection, act)

    async def add_comments(self, ref: MergeRequestRef, comments: Sequence[Comment], watch: Watch) -> None:
        """Add to the ledger of feedback; see the port."""
        await feedback_postgres.add_comments(self._connection, ref, comments, watch)

    async def save_fact(self, fact: ReviewFact) -> None:
        """Store what a run came to; see the port."""
        await save_fact(self._connection, fact, self._trace)

    async def save_withheld(
        self, ref: MergeRequestRef, run_id: uuid.UUID, withheld: Sequence[Withheld]
    ) -> None:
        """Store what a run did not say; see the port."""
        await suppressions_postgres.save(self._connection, ref, run_id, withheld)

    def emit(self, event: Event, *, delay: timedelta = timedelta()) -> None:
        """Append an event; see the port."""
        self.emitted.append(
            Record.of(
                event,
                id=event_id(self._parent.id, event),
                trace=self._trace,
                due_at=datetime.now(UTC) + delay if delay else None,
            )
        )
