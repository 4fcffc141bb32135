"""What runs withheld, in Postgres: counted, and explained to who asks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from bot.adapters.postgres import storable, translated
from bot.domain.merge_request import MergeRequestRef
from bot.domain.quiet.withholding import Withheld

_FORGET = "DELETE FROM suppression WHERE run_id = $1 AND NOT fingerprint = ANY($2::text[])"
_SAVE = """
INSERT INTO suppression (run_id, fingerprint, instance, project_id, iid, scanner, rule, category, severity, cause,
    explanation, mute, neighbours)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (run_id, fingerprint) DO UPDATE SET severity = excluded.severity, cause = excluded.cause,
    explanation = excluded.explanation, mute = excluded.mute, neighbours = excluded.neighbours
"""
_NAMED = """
SELECT * FROM suppression WHERE instance = $1 AND fingerprint LIKE $2 || '%' ORDER BY at DESC, run_id LIMIT 50
"""


async def save(
    connection: Any, ref: MergeRequestRef, run_id: uuid.UUID, withheld: Sequence[Withheld]
) -> None:
    """Store what a run withheld, instead of what an earlier round of it did; see `bot.ports.Transaction`."""
    await connection.execute(_FORGET, run_id, [one.finding.fingerprint for one in withheld])
    await connection.executemany(
        _SAVE,
        [
            (
                run_id,
                one.finding.fingerprint,
                ref.instance,
                ref.project_id,
                ref.iid,
                one.finding.scanner,
                storable(one.finding.rule),
                one.finding.category,
                one.finding.severity.value,
                one.silence.cause.value,
                storable(one.silence.explanation),
                one.silence.mute,
                [
                    {"comment": str(near.comment), "likeness": round(near.likeness, 4)}
                    for near in one.silence.neighbours
                ],
            )
            for one in withheld
        ],
    )


async def named(pool: Any, instance: str, fingerprint: str) -> list[dict[str, Any]]:
    """Return what was withheld of findings whose fingerprint begins so, the newest first."""
    async with translated():
        return [dict(row) for row in await pool.fetch(_NAMED, instance, fingerprint)]
