"""What people declined, by project, in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bot.adapters.postgres import storable
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import Declined

#: A repeated look at the same thread must not prolong what was said once; a reason is something new.
_DECLINE = """
INSERT INTO declined_finding (instance, project_id, fingerprint, iid, rule, reason, user_id, until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (instance, project_id, fingerprint) DO UPDATE SET iid = excluded.iid, rule = excluded.rule,
    reason = excluded.reason, user_id = excluded.user_id, declined_at = now(), until = excluded.until
WHERE declined_finding.iid <> excluded.iid OR excluded.reason <> ''
"""
_UNDECLINE = """
DELETE FROM declined_finding
WHERE instance = $1 AND project_id = $2 AND iid = $3 AND fingerprint = ANY($4::text[])
"""
_DECLINED = """
SELECT fingerprint, rule, iid, until, reason, user_id FROM declined_finding
WHERE instance = $1 AND project_id = $2 AND until > now()
"""


async def decline(connection: Any, ref: MergeRequestRef, declined: Sequence[Declined]) -> None:
    """Store what was declined on *ref*; see `bot.ports.Transaction`."""
    await connection.executemany(
        _DECLINE,
        [
            (
                ref.instance,
                ref.project_id,
                one.fingerprint,
                ref.iid,
                one.rule,
                storable(one.reason),
                one.user_id,
                one.until,
            )
            for one in declined
        ],
    )


async def undecline(connection: Any, ref: MergeRequestRef, fingerprints: Collection[str]) -> None:
    """Forget what was declined on *ref*; see `bot.ports.Transaction`."""
    await connection.execute(_UNDECLINE, ref.instance, ref.project_id, ref.iid, list(fingerprints))


async def declined(pool: Any, ref: MergeRequestRef) -> Mapping[str, Declined]:
    """Return what still counts as declined; see `bot.ports.Store`."""
    rows = await pool.fetch(_DECLINED, ref.instance, ref.project_id)
    return {row["fingerprint"]: Declined(**dict(row)) for row in rows}
