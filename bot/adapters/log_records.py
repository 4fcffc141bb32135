"""Records of the event log as rows of Postgres."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.events import Record

#: More partitions than any sensible number of processes; the first migration makes them.
PARTITIONS = 16

#: What makes a record one of its own: id and attempt.
Key = tuple[uuid.UUID, int]

#: Rows are locked in partition order, so that two appends never wait for each other in a circle.
_APPEND = """
WITH incoming AS MATERIALIZED (
    SELECT t.* FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[],
                           $8::jsonb[], $9::jsonb[])
        WITH ORDINALITY AS t(id, attempt, kind, version, stage, key, partition, body, trace, n)
    WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.id = t.id AND e.attempt = t.attempt)
), locked AS MATERIALIZED (
    SELECT partition FROM event_partition
    WHERE partition IN (SELECT partition FROM incoming) ORDER BY partition FOR UPDATE
), slot AS (
    UPDATE event_partition p SET next_offset = p.next_offset + c.count
    FROM (SELECT i.partition, count(*) FROM incoming i JOIN locked USING (partition) GROUP BY 1) c
    WHERE p.partition = c.partition RETURNING p.partition, p.next_offset - c.count AS base
)
INSERT INTO event (partition, log_offset, id, attempt, kind, version, stage, key, body, trace)
SELECT i.partition, slot.base + row_number() OVER (PARTITION BY i.partition ORDER BY i.n) - 1,
       i.id, i.attempt, i.kind, i.version, i.stage, i.key, i.body, i.trace
FROM incoming i JOIN slot USING (partition)
ON CONFLICT (id, attempt) DO NOTHING RETURNING id, attempt
"""

#: Times are the database's: the clock that a record's ``due_at`` was read from may be wrong.
_DELAY = """
INSERT INTO delayed_event (id, attempt, kind, version, stage, key, body, trace, due_at)
SELECT t.id, t.attempt, t.kind, t.version, t.stage, t.key, t.body, t.trace, clock_timestamp() + t.wait
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[],
            $9::interval[]) AS t(id, attempt, kind, version, stage, key, body, trace, wait)
WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.id = t.id AND e.attempt = t.attempt)
ON CONFLICT DO NOTHING RETURNING id, attempt
"""


def partition_of(key: str) -> int:
    """Return the partition of *key*, the same in every process and release."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % PARTITIONS


async def append(connection: Any, records: Sequence[Record]) -> set[Key]:
    """Store *records* on an open connection, inside its transaction if there is one; return which were new."""
    now = [record for record in records if record.due_at is None]
    later = [record for record in records if record.due_at is not None]
    stored = []
    if now:
        stored += await connection.fetch(_APPEND, *_columns(now, [partition_of(r.key) for r in now]))
    if later:
        columns = _columns(later, [0] * len(later))
        del columns[6]
        now_here = datetime.now(UTC)
        waits = [record.due_at - now_here for record in later if record.due_at is not None]
        stored += await connection.fetch(_DELAY, *columns, waits)
    return {(row["id"], row["attempt"]) for row in stored}


def _columns(records: Sequence[Record], partitions: list[int]) -> list[list[Any]]:
    return [
        [record.id for record in records],
        [record.attempt for record in records],
        [record.kind for record in records],
        [record.version for record in records],
        [record.stage for record in records],
        [record.key for record in records],
        partitions,
        [record.body for record in records],
        [record.trace for record in records],
    ]


def record_of(row: Mapping[str, Any]) -> Record:
    """Return the record that a row of the log or of the delayed events holds."""
    return Record(
        id=row["id"],
        kind=row["kind"],
        version=row["version"],
        stage=row["stage"],
        key=row["key"],
        body=row["body"],
        trace=row["trace"],
        attempt=row["attempt"],
    )


def record_or_remains_of(row: Mapping[str, Any], place: Mapping[str, str | int]) -> Record:
    """Return the record that *row* holds; of a damaged one what is left, which its stage sets aside.

    Args:
        row: of the log or of the delayed events.
        place: where it is or was among the rows of its stage, the same however often it is read.
    """
    try:
        return record_of(row)
    except ValueError as error:
        raw = json.dumps(dict(row), default=str).encode()
        problem = f"not a record of Cloister: {str(error).partition(chr(10))[0]}"
        stage = row["stage"]
        return Record.unreadable(raw, stage=stage, place={"topic": stage, **place}, problem=problem)
