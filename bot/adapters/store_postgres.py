"""The store in Postgres, in plain SQL over asyncpg."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
from bot.adapters.log_records import append
from bot.adapters.postgres import give_up_locks, storable, translated
from bot.domain.audit_log import Act
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import Event, Record, event_id
from bot.domain.findings import Finding
from bot.domain.gate_verdict import GateVerdict
from bot.domain.merge_request import MergeRequestRef
from bot.domain.quiet.withholding import Withheld
from bot.domain.records import AnsweredComment, Declined, MergeRequestState, ThreadRecord
from bot.domain.review_fact import ReviewFact
from bot.domain.run import REVIEW_STEP, Run
from bot.domain.signals import Comment
from bot.domain.waivers import WaiverStep
from bot.domain.watching import Watch
from bot.ports import Start, StillHeld, Transaction

_REF = "instance = $1 AND project_id = $2 AND iid = $3"

#: The setting holds for this statement's transaction; as statements of their own, it and the transaction's begin and
#: end would take three more round trips. Taking over from a process that lives, and that lost its partition without
#: knowing it yet, does not mean that the event ended it.
_START = """
INSERT INTO inbox (consumer_group, event_id, starts, failures, starter)
SELECT $1, $2, 1, $3, current_setting('application_name') WHERE set_config('synchronous_commit', 'off', true) = 'off'
ON CONFLICT (consumer_group, event_id) DO UPDATE SET
    starts = inbox.starts + CASE WHEN inbox.starter <> excluded.starter AND EXISTS (
        SELECT FROM pg_stat_activity s WHERE s.application_name = inbox.starter) THEN 0 ELSE 1 END,
    failures = greatest(inbox.failures, excluded.failures), starter = excluded.starter
RETURNING starts, failures, done_at
"""

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

_SAVE_THREAD = """
INSERT INTO thread (instance, project_id, iid, fingerprint, run_id, state, scanner, rule, severity, path, anchor, discussion_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (instance, project_id, iid, fingerprint) DO UPDATE SET state = excluded.state,
    severity = excluded.severity, anchor = excluded.anchor, discussion_id = coalesce(excluded.discussion_id, thread.discussion_id), changed_at = now()
"""

_LAST_REVIEWED = f"""
SELECT body FROM review_run
WHERE {_REF} AND body->'steps'->$4->>'outcome' IN ('done', 'partial') ORDER BY created_at DESC LIMIT 1
"""
_FINDINGS = "SELECT step, body FROM finding WHERE run_id = $1 ORDER BY path, body->'line', fingerprint"

#: How many merge requests one process writes to at a time; each costs a connection.
_MOST_HOLDERS = 6


def _key(ref: MergeRequestRef) -> tuple[str, int, int]:
    return ref.instance, ref.project_id, ref.iid


def _run(row: Any) -> Run:
    if row is None:
        raise Permanent("the review run does not exist; it may have been deleted by retention")
    return Run.model_validate(row["body"], strict=False)


def _state(ref: MergeRequestRef, row: Any) -> MergeRequestState:
    if row is None:
        return MergeRequestState(ref)
    return MergeRequestState(
        ref=ref,
        head_sha=row["head_sha"],
        updated_at=row["updated_at"],
        closed=row["closed"],
        run_id=row["run_id"],
        summary_note_id=row["summary_note_id"],
        posting=row["posting_since"] is not None,
        paused=row["paused"],
    )


def _findings(rows: Sequence[Any]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for row in rows:
        found.setdefault(row["step"], []).append(Finding.model_validate(row["body"], strict=False))
    return found


async def _save_threads(connection: Any, ref: MergeRequestRef, threads: Sequence[ThreadRecord]) -> None:
    await connection.executemany(
        _SAVE_THREAD,
        [
            (
                *_key(ref),
                t.fingerprint,
                t.run_id,
                t.state,
                t.scanner,
                t.rule,
                t.severity,
                storable(t.path),
                t.anchor,
                t.discussion_id,
            )
            for t in threads
        ],
    )


async def _unlock(connection: Any) -> None:
    async with translated():
        await give_up_locks(connection)


class PostgresTransaction:
    """Collect the changes of one handled event; see the port."""

    def __init__(self, connection: Any, parent: Record, trace: dict[str, str]) -> None:
        self._connection = connection
        self._parent = parent
        self._trace = trace
        self.emitted: list[Record] = []

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return and lock the state; see the port."""
        return _state(ref, await self._connection.fetchrow(_LOCK_MERGE_REQUEST, *_key(ref)))

    async def save_merge_request(self, state: MergeRequestState) -> None:
        """Replace the state; see the port."""
        await self._connection.execute(
            "UPDATE merge_request SET head_sha = $4, updated_at = $5, closed = $6, run_id = $7,"
            " summary_note_id = $8, posting_since = CASE WHEN $9 THEN coalesce(posting_since, now()) END, paused = $10"
            f" WHERE {_REF}",
            *_key(state.ref),
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
        return _run(
            await self._connection.fetchrow("SELECT body FROM review_run WHERE id = $1 FOR UPDATE", run_id)
        )

    async def save_run(self, run: Run) -> None:
        """Store a run; see the port."""
        await self._connection.execute(
            _SAVE_RUN,
            run.id,
            *_key(run.ref),
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
        return _findings(await self._connection.fetch(_FINDINGS, run_id))

    async def save_threads(self, ref: MergeRequestRef, threads: Sequence[ThreadRecord]) -> None:
        """Store threads; see the port."""
        await _save_threads(self._connection, ref, threads)

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

    async def add_waiver_steps(self, steps: Sequence[WaiverStep]) -> None:
        """Add to the trail of waivers; see the port."""
        await waivers_postgres.add(self._connection, steps)

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


class PostgresStore:
    """Implement the store on a pool of connections.

    Args:
        pool: where connections come from.
        announce: called with the emitted records after each commit, so that their readers wake up.
        trace_context: the trace context that travels with emitted events.
    """

    def __init__(
        self,
        pool: Any,
        *,
        announce: Callable[[Sequence[Record]], None] = lambda _: None,
        trace_context: Callable[[], dict[str, str]] = dict,
    ) -> None:
        self._pool = pool
        self._announce = announce
        self._trace_context = trace_context
        self._holders = asyncio.Semaphore(_MOST_HOLDERS)

    async def start(self, group: str, event_id: uuid.UUID, failures: int) -> Start:
        """Count a start; see the port. Losing the count to a power cut is harmless, so nobody waits for the disk."""
        async with translated():
            row = await self._pool.fetchrow(_START, group, event_id, failures)
        return Start(done=row["done_at"] is not None, crashes=max(0, row["starts"] - 1 - row["failures"]))

    async def unstart(self, group: str, event_id: uuid.UUID) -> None:
        """Take back a start; see the port."""
        async with translated():
            await self._pool.execute(
                "UPDATE inbox SET starts = starts - 1 WHERE consumer_group = $1 AND event_id = $2",
                group,
                event_id,
            )

    @asynccontextmanager
    async def commit(self, group: str, parent: Record) -> AsyncIterator[Transaction]:
        """Open the transaction that ends the handling of *parent*; see the port."""
        async with translated(), self._pool.acquire() as connection:
            async with connection.transaction():
                await self._mark_done(connection, group, parent.id)
                transaction = PostgresTransaction(connection, parent, self._trace_context())
                yield transaction
                await append(connection, transaction.emitted)
            self._announce(transaction.emitted)

    async def park(self, group: str, record: Record, *, attempts: int, error: str, reason: str) -> None:
        """Store a dead letter; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO dead_letter (consumer_group, event_id, attempts, error, reason, record)"
                " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                group,
                record.id,
                attempts,
                storable(error),
                storable(reason),
                record.model_dump(mode="json"),
            )
            await connection.execute(
                "INSERT INTO inbox (consumer_group, event_id, starts, failures, done_at) VALUES ($1, $2, $3, $3, now())"
                " ON CONFLICT (consumer_group, event_id) DO UPDATE SET done_at = now()",
                group,
                record.id,
                attempts,
            )

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return a run; see the port."""
        async with translated():
            return _run(await self._pool.fetchrow("SELECT body FROM review_run WHERE id = $1", run_id))

    async def is_current(self, run: Run) -> bool:
        """Say whether *run* is still wanted; see the port."""
        async with translated():
            row = await self._pool.fetchrow(
                f"SELECT run_id, closed FROM merge_request WHERE {_REF}", *_key(run.ref)
            )
        return row is not None and row["run_id"] == run.id and not row["closed"]

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return what is known of *ref*; see the port."""
        async with translated():
            return _state(
                ref, await self._pool.fetchrow(f"SELECT * FROM merge_request WHERE {_REF}", *_key(ref))
            )

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return findings by step; see the port."""
        async with translated():
            return _findings(await self._pool.fetch(_FINDINGS, run_id))

    async def threads(self, ref: MergeRequestRef) -> dict[str, ThreadRecord]:
        """Return threads by fingerprint; see the port."""
        async with translated():
            rows = await self._pool.fetch(
                "SELECT fingerprint, run_id, state, scanner, rule, severity, path, anchor, discussion_id"
                f" FROM thread WHERE {_REF}",
                *_key(ref),
            )
        return {row["fingerprint"]: ThreadRecord(**dict(row)) for row in rows}

    async def declined(self, ref: MergeRequestRef) -> Mapping[str, Declined]:
        """Return what was declined; see the port."""
        async with translated():
            return await declined_postgres.declined(self._pool, ref)

    async def last_reviewed(self, ref: MergeRequestRef) -> Run | None:
        """Return the run whose model review counts; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_LAST_REVIEWED, *_key(ref), REVIEW_STEP)
        return None if row is None else _run(row)

    async def was_answered(self, ref: MergeRequestRef, note_id: int) -> bool:
        """Say whether a comment was acted on; see the port."""
        async with translated():
            return await answered_postgres.contains(self._pool, ref, note_id)

    async def answered_since(self, ref: MergeRequestRef, since: datetime) -> int:
        """Count answered comments; see the port."""
        async with translated():
            return await answered_postgres.count_since(self._pool, ref, since)

    async def mark_posting(self, ref: MergeRequestRef, threads: Sequence[ThreadRecord] = ()) -> None:
        """Remember that drafts may exist; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                f"UPDATE merge_request SET posting_since = coalesce(posting_since, now()) WHERE {_REF}",
                *_key(ref),
            )
            await _save_threads(connection, ref, threads)

    @asynccontextmanager
    async def exclusive(self, ref: MergeRequestRef) -> AsyncIterator[StillHeld]:
        """Hold the lock of *ref*; see the port. It ends with the database session, so a crash frees it."""
        # The body needs connections too: holders must never have them all.
        async with self._holders, AsyncExitStack() as stack:
            async with translated():
                connection = await stack.enter_async_context(self._pool.acquire())
                locked = await connection.fetchval(
                    "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", f"cloister.publish.{ref.key}"
                )
            if not locked:
                raise Transient("another process writes to this merge request", retry_after_s=1.0)
            stack.push_async_callback(_unlock, connection)

            async def still_held() -> None:
                # The lock ends with its connection, and only with that.
                async with translated():
                    await connection.execute("SELECT 1")

            yield still_held

    async def secret(self, name: str) -> bytes:
        """Return the secret *name*; see the port."""
        async with translated():
            await self._pool.execute(
                "INSERT INTO instance_key (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                name,
                secrets.token_bytes(32),
            )
            value: bytes = await self._pool.fetchval("SELECT value FROM instance_key WHERE name = $1", name)
            return value

    @staticmethod
    async def _mark_done(connection: Any, group: str, event_id: uuid.UUID) -> None:
        marked = await connection.fetchval(
            "INSERT INTO inbox (consumer_group, event_id, starts, failures, done_at) VALUES ($1, $2, 1, 0, now())"
            " ON CONFLICT (consumer_group, event_id) DO UPDATE SET done_at = now() WHERE inbox.done_at IS NULL"
            " RETURNING 1",
            group,
            event_id,
        )
        if marked is None:
            raise Obsolete("this event was handled meanwhile")
