"""Waivers that end soon, as the dashboard shows them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from bot.domain.dashboard import Filters, Waived
from bot.domain.merge_request import MergeRequestRef

#: What ends within so many days is shown.
SOON = timedelta(days=14)
_MOST = 50

#: A waiver lasts to the end of its day; only what was granted and not ended before can still end.
_EXPIRING = """
SELECT w.waiver AS id, w.project_id, w.iid, w.until, w.body->'about'->>'rule' AS rule, w.body->>'reason' AS reason
FROM waiver_event w JOIN project p USING (instance, project_id)
WHERE w.instance = $1 AND w.deed = 'granted' AND w.until >= $2 AND w.until <= $3
    AND ($4::bigint[] IS NULL OR w.project_id = ANY($4)) AND ($5::bigint IS NULL OR w.project_id = $5)
    AND ($6 = '' OR starts_with(lower(p.path), lower($6) || '/'))
    AND NOT EXISTS (
        SELECT FROM waiver_event e WHERE e.waiver = w.waiver AND e.deed IN ('withdrawn', 'revoked'))
ORDER BY w.until, w.number LIMIT $7
"""


async def expiring(connection: Any, instance: str, filters: Filters, today: date) -> tuple[Waived, ...]:
    """Return the waivers in force that end soon, the soonest first; the days of *filters* do not matter."""
    visible = None if filters.visible is None else list(filters.visible)
    rows = await connection.fetch(
        _EXPIRING, instance, today, today + SOON, visible, filters.project_id, filters.group, _MOST
    )
    return tuple(
        Waived(
            row["id"],
            MergeRequestRef(instance=instance, project_id=row["project_id"], iid=row["iid"]),
            row["rule"] or "",
            row["reason"] or "",
            row["until"],
        )
        for row in rows
    )
