"""Dead letters in Postgres: look at them, hand them out again, drop them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.adapters.log_records import append
from bot.adapters.postgres import translated
from bot.adapters.transaction_postgres import PostgresTransaction
from bot.domain.dead_letters import DeadLetter, HandOut, Settled, retry, run_of
from bot.domain.errors import Permanent
from bot.domain.events import Event, MergeRequestEvent
from bot.domain.run import Run

#: A list leaves the bodies out: one that could not be read may be large.
_LIST = """
SELECT number, consumer_group, event_id, attempts, error, reason, parked_at, record - 'body' AS record
FROM dead_letter WHERE ($1::text IS NULL OR consumer_group = $1)
AND ($2::bigint IS NULL OR record->>'kind' <> 'unreadable' AND record->>'key' ~ (':' || $2 || ':[0-9]+$')) ORDER BY number DESC LIMIT $3
"""


def letter_of(row: Any) -> DeadLetter:
    """Return the dead letter in a row of its table."""
    return DeadLetter(
        number=row["number"],
        stage=row["consumer_group"],
        event_id=row["event_id"],
        attempts=row["attempts"],
        error=row["error"],
        reason=row["reason"],
        parked_at=row["parked_at"],
        content=row["record"],
    )


def _found(row: Any, number: int) -> DeadLetter:
    if row is None:
        raise Permanent(f"there is no dead letter {number}; see `cloister dlq list`")
    return letter_of(row)


class PostgresDeadLetters:
    """Look after the dead letters on a pool of connections.

    Every method raises ``Transient`` when the database is out of reach.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def newest(
        self, limit: int, *, stage: str | None = None, project_id: int | None = None
    ) -> list[DeadLetter]:
        """Return up to *limit* letters, the newest first, without their bodies."""
        async with translated():
            return [letter_of(row) for row in await self._pool.fetch(_LIST, stage, project_id, limit)]

    async def numbers(self, stage: str | None = None) -> list[int]:
        """Return the numbers of all letters, the oldest first."""
        async with translated():
            rows = await self._pool.fetch(
                "SELECT number FROM dead_letter WHERE $1::text IS NULL OR consumer_group = $1 ORDER BY number",
                stage,
            )
        return [row["number"] for row in rows]

    async def get(self, number: int) -> DeadLetter:
        """Return one letter, whole.

        Raises:
            Permanent: there is none with this number.
        """
        async with translated():
            return _found(
                await self._pool.fetchrow("SELECT * FROM dead_letter WHERE number = $1", number), number
            )

    async def retry(self, number: int) -> Settled | HandOut:
        """Take a letter away and append what it calls for, both or neither; return what that was.

        Readers in other processes find the event with their next look at the log.

        Raises:
            Permanent: there is no such letter, or it cannot be read; it stays.
        """
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow("SELECT * FROM dead_letter WHERE number = $1 FOR UPDATE", number)
            letter = _found(row, number)
            record, event = letter.read()
            transaction = PostgresTransaction(connection, record, {})
            run, newest = await _standing(transaction, event)
            decision = retry(letter, record, event, run, newest=newest)
            if isinstance(decision, HandOut) and not await append(connection, [decision.record]):
                decision = Settled("nothing to do: another letter of the same review has done it")
            await connection.execute("DELETE FROM dead_letter WHERE number = $1", number)
        return decision

    async def drop(self, numbers: Sequence[int]) -> list[int]:
        """Delete letters for good; return the numbers of those that were there."""
        async with translated():
            rows = await self._pool.fetch(
                "DELETE FROM dead_letter WHERE number = ANY($1::int[]) RETURNING number", numbers
            )
        return sorted(row["number"] for row in rows)


async def _standing(transaction: PostgresTransaction, event: Event) -> tuple[Run | None, bool]:
    """Return the run of *event*, locked, and whether it reviews the newest head of an open merge request."""
    run_id = run_of(event)
    if run_id is None or not isinstance(event, MergeRequestEvent):
        return None, False
    state = await transaction.merge_request(event.ref)
    try:
        run = await transaction.run(run_id)
    except Permanent:
        return None, False
    return run, state.run_id == run.id and not state.closed
