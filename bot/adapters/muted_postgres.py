"""What is muted now, in Postgres: of one project as its next review has it, of many page by page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bot.adapters.mute_rows import COLUMNS, folded, in_force, of_teams, teams_of
from bot.domain.dashboard import Filters, Muted, Mutes
from bot.domain.quiet.groups import effective
from bot.domain.quiet.muting import Mute, Scope, group_of, group_team, team_of
from bot.domain.review_detail import Cursor

_WITHIN = "instance = $1 AND ($2::bigint[] IS NULL OR project_id = ANY($2)) AND ($3 = '' OR starts_with(lower(path), $3 || '/'))"
#: Mutes of projects, and of groups that have such a project; who sees all sees groups without any, too. What is
#: compared with is read once, as arrays: Postgres cannot tell how much that is, and would read it for each row.
_CONCERNED = f"""
m.group_path = '' AND ($2::bigint[] IS NULL OR m.project_id = ANY($2))
    AND ($3 = '' OR m.project_id IN (SELECT project_id FROM project WHERE {_WITHIN}))
OR m.group_path <> '' AND $2 IS NULL AND ($3 = '' OR starts_with(m.group_path || '/', $3 || '/'))
OR m.group_path <> '' AND m.group_path = ANY(ARRAY(
    SELECT DISTINCT array_to_string(names[1:depth], '/')
    FROM (SELECT string_to_array(lower(path), '/') AS names FROM project WHERE {_WITHIN}) p
    CROSS JOIN generate_series(1, cardinality(names) - 1) AS depth))"""
_SAME = """
o.instance = m.instance AND o.project_id = m.project_id AND o.group_path = m.group_path
    AND left(o.name, 200) = left(m.name, 200) AND o.name = m.name AND o.scope = m.scope AND o.scanner = m.scanner"""
#: What has no end ends last; the driver writes the last moment that it knows as infinite, too.
_END = "coalesce(until, 'infinity')"
#: As `bot.domain.quiet.muting.decide` has it: the newest of its kind, by figures or by people, is what counts, and what
#: people decided comes before the figures while it holds, and if it is younger.
_IN_FORCE = f"""
WITH held AS MATERIALIZED (
    SELECT {COLUMNS} FROM mute m
    WHERE m.instance = $1 AND (m.until > $4 OR m.until IS NULL) AND m.at <= $4 AND (m.user_id IS NULL OR m.muted)
        AND ({_CONCERNED})
        AND NOT EXISTS (
            SELECT FROM mute o
            WHERE {_SAME} AND o.number > m.number AND (o.user_id IS NULL) = (m.user_id IS NULL))
        AND (m.user_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM (
                SELECT o.at, o.until FROM mute o WHERE {_SAME} AND o.user_id IS NOT NULL
                ORDER BY o.number DESC LIMIT 1) said
            WHERE said.at <= $4 AND (said.until IS NULL OR said.until > $4 OR said.at > m.at))))
SELECT held.*, (SELECT count(*) FROM held) AS count FROM held
WHERE $5::timestamptz IS NULL OR ({_END}, mute) > ($5, $6::uuid)
ORDER BY {_END}, mute LIMIT $7
"""

#: Of what has no end.
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


async def muted(
    connection: Any,
    instance: str,
    filters: Filters,
    now: datetime,
    *,
    after: Cursor | None = None,
    limit: int | None = None,
) -> Mutes:
    """Return a page of what is muted now, what ends first; the days of *filters* do not matter.

    For one project that is what its next review will withhold.
    """
    if filters.project_id is not None:
        return _page(await _of_project(connection, instance, filters, now), after, limit)
    rows = await connection.fetch(
        _IN_FORCE,
        instance,
        None if filters.visible is None else list(filters.visible),
        _group(filters),
        now,
        after.at if after else None,
        after.id if after else None,
        None if limit is None else limit + 1,
    )
    found = _shown(in_force(folded(rows), now).values())
    return _cut(found, rows[0]["count"] if rows else 0, limit)


async def _of_project(connection: Any, instance: str, filters: Filters, now: datetime) -> list[Muted]:
    assert filters.project_id is not None, "the caller has looked"
    group = _group(filters)
    teams = await teams_of(connection, instance, team_of(filters.project_id))
    seen = filters.visible is None or filters.project_id in filters.visible
    if not seen or (group and group_team(group) not in teams):
        return []
    standing = effective(teams, await of_teams(connection, instance, teams), now)
    return _shown(in_force(standing, now).values())


def _group(filters: Filters) -> str:
    return filters.group.strip("/").lower()


def _page(found: Sequence[Muted], after: Cursor | None, limit: int | None) -> Mutes:
    rest = [one for one in found if after is None or (one.until, one.id) > (after.at, after.id)]
    return _cut(rest, len(found), limit)


def _cut(found: Sequence[Muted], count: int, limit: int | None) -> Mutes:
    shown = tuple(found[:limit])
    last = shown[-1] if shown and len(found) > len(shown) else None
    return Mutes(shown, count, Cursor(last.until, last.id) if last else None)


def _shown(mutes: Iterable[Mute]) -> list[Muted]:
    return sorted(map(_line, mutes), key=lambda one: (one.until, one.id))


def _line(mute: Mute) -> Muted:
    subject = mute.subject
    rule, group = subject.scope is Scope.rule, group_of(subject.team)
    return Muted(
        id=mute.id or uuid.UUID(int=0),
        project_id=None if group else int(subject.team),
        rule=subject.name if rule else "",
        category="" if rule else f"{subject.scanner}/{subject.name}",
        why=mute.explanation if mute.automatic else mute.reason,
        since=mute.since,
        until=mute.until or _NEVER,
        automatic=mute.automatic,
        group=group,
    )
