"""Rows of runs, findings, threads and merge requests, as the store and its transactions read and write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.adapters.postgres import storable
from bot.domain.errors import Permanent
from bot.domain.findings import Finding
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import MergeRequestState, ThreadRecord
from bot.domain.run import Run

#: Names one merge request by its first three values, those of `key_of`.
REF: Final = "instance = $1 AND project_id = $2 AND iid = $3"

#: In the same order whatever the language of the database, and where two steps have found the same.
FINDINGS: Final = """
SELECT step, body FROM finding WHERE run_id = $1 ORDER BY path COLLATE "C", body->'line', fingerprint, step
"""

_SAVE_THREAD = """
INSERT INTO thread (instance, project_id, iid, fingerprint, run_id, state, scanner, rule, severity, path, anchor, discussion_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (instance, project_id, iid, fingerprint) DO UPDATE SET state = excluded.state,
    severity = excluded.severity, anchor = excluded.anchor, discussion_id = coalesce(excluded.discussion_id, thread.discussion_id), changed_at = now()
"""


def key_of(ref: MergeRequestRef) -> tuple[str, int, int]:
    """Return the values that `REF` compares with."""
    return ref.instance, ref.project_id, ref.iid


def run_of(row: Any) -> Run:
    """Return the run in a row.

    Raises:
        Permanent: there is none.
    """
    if row is None:
        raise Permanent("the review run does not exist; it may have been deleted by retention")
    return Run.model_validate(row["body"], strict=False)


def state_of(ref: MergeRequestRef, row: Any) -> MergeRequestState:
    """Return the state in a row, that of an unknown merge request where there is none."""
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


def findings_of(rows: Sequence[Any]) -> dict[str, list[Finding]]:
    """Return the findings in rows, by step."""
    found: dict[str, list[Finding]] = {}
    for row in rows:
        found.setdefault(row["step"], []).append(Finding.model_validate(row["body"], strict=False))
    return found


async def save_threads(connection: Any, ref: MergeRequestRef, threads: Sequence[ThreadRecord]) -> None:
    """Store threads; one that is known keeps who raised it."""
    await connection.executemany(
        _SAVE_THREAD,
        [
            (
                *key_of(ref),
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
