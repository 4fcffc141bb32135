"""The store in Postgres, in plain SQL over asyncpg."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from bot.adapters import answered_postgres, declined_postgres
from bot.adapters.log_records import append
from bot.adapters.postgres import give_up_locks, storable, translated
from bot.adapters.store_rows import FINDINGS, REF, findings_of, key_of, run_of, save_threads, state_of
from bot.adapters.transaction_postgres import PostgresTransaction
from bot.domain.errors import Obsolete, Transient
from bot.domain.events import Record
from bot.domain.findings import Finding
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import Declined, MergeRequestState, ThreadRecord
from bot.domain.run import REVIEW_STEP, Run
from bot.ports import Start, StillHeld, Transaction

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

_LAST_REVIEWED = f"""
SELECT body FROM review_run
WHERE {REF} AND body->'steps'->$4->>'outcome' IN ('done', 'partial') ORDER BY created_at DESC LIMIT 1
"""

#: How many merge requests one process writes to at a time; each costs a connection.
_MOST_HOLDERS = 6


async def _unlock(connection: Any) -> None:
    async with translated():
        await give_up_locks(connection)


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
            return run_of(await self._pool.fetchrow("SELECT body FROM review_run WHERE id = $1", run_id))

    async def is_current(self, run: Run) -> bool:
        """Say whether *run* is still wanted; see the port."""
        async with translated():
            row = await self._pool.fetchrow(
                f"SELECT run_id, closed FROM merge_request WHERE {REF}", *key_of(run.ref)
            )
        return row is not None and row["run_id"] == run.id and not row["closed"]

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return what is known of *ref*; see the port."""
        async with translated():
            return state_of(
                ref, await self._pool.fetchrow(f"SELECT * FROM merge_request WHERE {REF}", *key_of(ref))
            )

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return findings by step; see the port."""
        async with translated():
            return findings_of(await self._pool.fetch(FINDINGS, run_id))

    async def threads(self, ref: MergeRequestRef) -> dict[str, ThreadRecord]:
        """Return threads by fingerprint; see the port."""
        async with translated():
            rows = await self._pool.fetch(
                "SELECT fingerprint, run_id, state, scanner, rule, severity, path, anchor, discussion_id"
                f" FROM thread WHERE {REF}",
                *key_of(ref),
            )
        return {row["fingerprint"]: ThreadRecord(**dict(row)) for row in rows}

    async def declined(self, ref: MergeRequestRef) -> Mapping[str, Declined]:
        """Return what was declined; see the port."""
        async with translated():
            return await declined_postgres.declined(self._pool, ref)

    async def last_reviewed(self, ref: MergeRequestRef) -> Run | None:
        """Return the run whose model review counts; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_LAST_REVIEWED, *key_of(ref), REVIEW_STEP)
        return None if row is None else run_of(row)

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
                f"UPDATE merge_request SET posting_since = coalesce(posting_since, now()) WHERE {REF}",
                *key_of(ref),
            )
            await save_threads(connection, ref, threads)

    @asynccontextmanager
    async def exclusive(self, ref: MergeRequestRef) -> AsyncIterator[StillHeld]:
        """Hold the lock of *ref*; see the port. It ends with the database session, so a crash frees it."""
        # The body needs connections too: holders must never have them all.
        async with self._holders, AsyncExitStack() as stack:
            async with translated():
                connection = await stack.enter_async_context(self._pool.acquire())
                # Before the lock: whoever is broken off while it is taken may have it, and the session lives on.
                stack.push_async_callback(_unlock, connection)
                locked = await connection.fetchval(
                    "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", f"cloister.publish.{ref.key}"
                )
            if not locked:
                raise Transient("another process writes to this merge request", retry_after_s=1.0)

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
