"""Lists of the API in Postgres, each part found by an index however far one has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.audit_log_postgres import AS_READ, entry_of
from bot.adapters.dead_letters_postgres import letter_of
from bot.adapters.postgres import translated
from bot.adapters.waivers_postgres import folded
from bot.domain.audit_log import Checked, Entry, checked
from bot.domain.dead_letters import DeadLetter
from bot.domain.waivers import Waiver
from bot.ports.listings import Scoped, Sought

_PROJECTS = """
SELECT project_id, path FROM project WHERE instance = $1 AND ($2::bigint[] IS NULL OR project_id = ANY($2))
    AND ($3::bigint IS NULL OR project_id > $3) ORDER BY project_id LIMIT $4
"""
#: A waiver is as old as its first step; all its steps are of one project.
_WAIVERS = """
SELECT w.waiver, w.number AS first FROM waiver_event w
WHERE w.instance = $1 AND ($2::bigint[] IS NULL OR w.project_id = ANY($2))
    AND ($3::bigint IS NULL OR w.project_id = $3) AND ($4 = '' OR w.project_id IN (
        SELECT project_id FROM project WHERE instance = $1 AND starts_with(lower(path), lower($4) || '/')))
    AND ($5::bigint IS NULL OR w.number < $5)
    AND w.number = (SELECT min(e.number) FROM waiver_event e WHERE e.waiver = w.waiver)
ORDER BY w.number DESC LIMIT $6
"""
_STEPS = "SELECT body FROM waiver_event WHERE waiver = ANY($1::uuid[]) ORDER BY number"
_LETTERS = """
SELECT number, consumer_group, event_id, attempts, error, reason, parked_at, record - 'body' AS record
FROM dead_letter WHERE $1::bigint IS NULL OR number < $1 ORDER BY number DESC LIMIT $2
"""
#: What is compared with the name is in an index: who somebody is ends with it, an operator's command has nothing else.
_NAME = "left(lower(coalesce(nullif(split_part({who}, ':', 3), ''), {who})), 200)"
_ENTRIES = f"""
SELECT {AS_READ} FROM audit_entry
WHERE ($1::bigint IS NULL OR number < $1) AND ($3 = '' OR action = $3 OR starts_with(action, $3 || '.'))
    AND ($4 = '' OR {_NAME.format(who="actor")} = {_NAME.format(who="$4::text")}
        AND (actor = $4 OR lower(split_part(actor, ':', 3)) = lower($4)))
    AND ($5::bigint IS NULL OR project_id = $5)
    AND ($6::date IS NULL OR at >= $6::date::timestamp AT TIME ZONE 'UTC')
    AND ($7::date IS NULL OR at < ($7::date + 1)::timestamp AT TIME ZONE 'UTC')
ORDER BY number DESC LIMIT $2
"""
#: The last entry until the end of a day in the older half: whoever asks for such days need not wait until all that is
#: younger was passed over. The sum keeps the planner from going that way here; clocks may have gone back meanwhile.
_LAST_UNTIL = """
SELECT CASE WHEN ends < (
        SELECT at FROM audit_entry WHERE number >= (SELECT max(number) / 2 FROM audit_entry)
        ORDER BY number LIMIT 1)
    THEN (SELECT coalesce(max(number + 0), 0) FROM audit_entry WHERE at < ends) END
FROM (SELECT ($1::date + 1)::timestamp AT TIME ZONE 'UTC' AS ends) asked
"""
#: So much of the chain is checked while somebody waits; `cloister audit verify` checks all of it.
CHECKED = 10_000


class PostgresListings:
    """Implement the port on a pool of connections, for the projects of *instance*."""

    def __init__(self, pool: Any, instance: str) -> None:
        self._pool = pool
        self._instance = instance

    async def projects(
        self, visible: frozenset[int] | None, *, after: int | None, limit: int
    ) -> Mapping[int, str]:
        """Return paths of projects; see the port."""
        async with translated():
            rows = await self._pool.fetch(_PROJECTS, self._instance, _numbers(visible), after, limit)
        return {row["project_id"]: row["path"] for row in rows}

    async def waivers(
        self, scoped: Scoped, *, before: int | None, limit: int
    ) -> Sequence[tuple[int, Waiver]]:
        """Return waivers; see the port."""
        visible = _numbers(scoped.visible)
        async with translated():
            rows = await self._pool.fetch(
                _WAIVERS, self._instance, visible, scoped.project_id, scoped.group, before, limit
            )
            numbers = {row["waiver"]: row["first"] for row in rows}
            steps = await self._pool.fetch(_STEPS, list(numbers))
        found = [(int(numbers[waiver.id]), waiver) for waiver in folded(steps)]
        return sorted(found, key=lambda one: -one[0])

    async def letters(self, *, before: int | None, limit: int) -> Sequence[DeadLetter]:
        """Return dead letters; see the port."""
        async with translated():
            return [letter_of(row) for row in await self._pool.fetch(_LETTERS, before, limit)]

    async def entries(self, sought: Sought, *, before: int | None, limit: int) -> Sequence[Entry]:
        """Return entries of the audit log; see the port."""
        wanted = (sought.action, sought.actor, sought.project_id, sought.since, sought.until)
        async with translated():
            last = await self._pool.fetchval(_LAST_UNTIL, sought.until) if sought.until else None
            if last is not None:
                before = last + 1 if before is None else min(before, last + 1)
            return [entry_of(row) for row in await self._pool.fetch(_ENTRIES, before, limit, *wanted)]

    async def chain(self) -> Checked:
        """Check the newest entries; see the port."""
        async with translated():
            rows = await self._pool.fetch(_ENTRIES, None, CHECKED + 1, "", "", None, None, None)
        # Hashes of so many entries would hold up everybody else.
        return await asyncio.to_thread(lambda: checked([entry_of(row) for row in rows], most=CHECKED))


def _numbers(visible: frozenset[int] | None) -> list[int] | None:
    return None if visible is None else sorted(visible)
