"""Waivers in Postgres: the table ``waiver_event``, to which rows are only added."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from bot.adapters import audit_log_postgres
from bot.adapters.log_records import append
from bot.adapters.postgres import translated
from bot.domain.audit_log import Act
from bot.domain.errors import Permanent
from bot.domain.events import Record, VerdictOutdated, event_id
from bot.domain.merge_request import MergeRequestRef
from bot.domain.waivers import Waiver, WaiverStep, fold

_ADD = """
INSERT INTO waiver_event (waiver, deed, instance, project_id, iid, fingerprint, user_id, until, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
#: Whoever uses a waiver and whoever ends it wait for each other, so that the second one sees what the first has done.
_LOCK = "SELECT FROM waiver_event WHERE waiver = ANY($1::uuid[]) ORDER BY number FOR UPDATE"
_THESE = "SELECT body FROM waiver_event WHERE waiver = ANY($1::uuid[]) ORDER BY number"

#: A day later than the clock here says, since the day of a waiver ends by the clock of whoever decides.
_OF = """
SELECT body FROM waiver_event WHERE waiver IN (
    SELECT waiver FROM waiver_event WHERE instance = $1 AND project_id = $2
    AND (iid = $3 OR until >= current_date - 2)
) ORDER BY number
"""
_LIST = """
SELECT body FROM waiver_event WHERE waiver IN (
    SELECT waiver FROM waiver_event WHERE ($1::bigint IS NULL OR project_id = $1)
    AND ($2::date IS NULL OR until <= $2)
) ORDER BY number
"""
_NAMED = """
SELECT body FROM waiver_event WHERE waiver IN (
    SELECT waiver FROM waiver_event WHERE waiver::text LIKE $1 || '%'
) ORDER BY number
"""


async def add(connection: Any, steps: Sequence[WaiverStep]) -> list[Waiver]:
    """Add *steps*, and return what their waivers come to; see `bot.ports.Transaction`."""
    waivers = list({step.waiver for step in steps})
    await connection.execute(_LOCK, waivers)
    await connection.executemany(
        _ADD,
        [
            (
                step.waiver,
                step.deed.value,
                step.ref.instance,
                step.ref.project_id,
                step.ref.iid,
                step.about.fingerprint,
                step.by,
                step.until,
                step.model_dump(mode="json"),
            )
            for step in steps
        ],
    )
    return folded(await connection.fetch(_THESE, waivers))


def folded(rows: Iterable[Any]) -> list[Waiver]:
    """Return the waivers that rows with steps, in their order, come to."""
    return fold(WaiverStep.model_validate(row["body"], strict=False) for row in rows)


class PostgresWaivers:
    """Read waivers on a pool of connections; see the port. The rest is for the operator."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def of(self, ref: MergeRequestRef) -> list[Waiver]:
        """Return the waivers that may count for *ref*; see the port."""
        async with translated():
            return folded(await self._pool.fetch(_OF, ref.instance, ref.project_id, ref.iid))

    async def all(self, *, project_id: int | None = None, until: date | None = None) -> list[Waiver]:
        """Return all waivers, the oldest first: of a project, or with a step that names a day up to *until*."""
        async with translated():
            return folded(await self._pool.fetch(_LIST, project_id, until))

    async def get(self, name: str) -> Waiver:
        """Return the waiver whose id begins with *name*.

        Raises:
            Permanent: there is none, or there are several.
        """
        async with translated():
            return _only(folded(await self._pool.fetch(_NAMED, name)), name)

    async def end(self, step: WaiverStep, act: Act) -> None:
        """End a waiver, have every verdict made anew that rests on it, and write it down; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            (waiver,) = await add(connection, [step])
            outdated = [
                VerdictOutdated(ref=ref, cause=waiver.id)
                for ref in sorted({waiver.ref, *waiver.used_on}, key=lambda one: one.key)
            ]
            event = step.event or uuid.uuid4()
            # In this order, as where people end one: otherwise both could wait for each other.
            await audit_log_postgres.append(connection, act)
            await append(connection, [Record.of(one, id=event_id(event, one)) for one in outdated])


def _only(found: Sequence[Waiver], name: str) -> Waiver:
    if len(found) == 1:
        return found[0]
    if not found:
        raise Permanent(f"there is no waiver {name}; see `cloister waivers list`")
    ids = ", ".join(str(one.id) for one in found[:5])
    raise Permanent(f"{name} may mean several waivers, write more of the id: {ids}")
