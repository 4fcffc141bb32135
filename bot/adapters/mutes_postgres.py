"""Mutes in Postgres: the table ``mute``, to which rows are only added."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.adapters.mute_rows import (
    add,
    in_force,
    lock,
    own_standing,
    standing_of,
)
from bot.adapters.postgres import translated
from bot.domain.labels import LABEL_VERSION, Label
from bot.domain.policy import Noise
from bot.domain.quiet.groups import Standing, groups_above
from bot.domain.quiet.muting import (
    MEASURED,
    Board,
    Mute,
    Outcome,
    Scope,
    Subject,
    acceptance,
    group_of,
    subjects_of,
    team_of,
    wanted,
)
from bot.domain.run import Run
from bot.ports.noise import Fared

#: Projects that were never reviewed have no path, and belong to no group.
_PATHS = "SELECT path FROM project WHERE instance = $1 AND project_id = ANY($2)"
_COUNTED = """
SELECT c.project_id, c.scanner, c.rule, c.category, c.posted_at, l.label FROM comment c
JOIN label l ON l.comment_id = c.id AND l.label_version = $3
WHERE c.instance = $1 AND c.posted_at >= $4 AND l.label <> 'censored' AND c.project_id
"""
_FARED = f"{_COUNTED} = $2"
#: As many as are compared with a new comment: groups grow without bounds.
_FARED_IN = f"""{_COUNTED} IN (
    SELECT project_id FROM project WHERE instance = $1 AND starts_with(lower(path), $2 || '/'))
ORDER BY c.posted_at DESC, c.id LIMIT 5000
"""
_POLICIES = """
SELECT p.project_id, r.body FROM unnest($2::bigint[]) AS p (project_id) CROSS JOIN LATERAL (
    SELECT body FROM review_run r
    WHERE r.instance = $1 AND r.project_id = p.project_id AND body->>'revision' IS NOT NULL
    ORDER BY created_at DESC LIMIT 1) AS r
"""
_CLAIM = """
INSERT INTO noise_pass (instance, seen_until, next_at) VALUES ($1, $2, now() + $3::interval)
ON CONFLICT (instance) DO UPDATE SET next_at = excluded.next_at WHERE noise_pass.next_at <= now()
RETURNING seen_until
"""
#: A pass that took longer than its lease must not move the next one back.
_MOVE = "UPDATE noise_pass SET seen_until = greatest(seen_until, $2), next_at = now() + $3::interval WHERE instance = $1"

#: Before any GitLab.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PostgresMutes:
    """Implement the port on a pool of connections, for the projects of *instance*."""

    def __init__(self, pool: Any, instance: str) -> None:
        self._pool = pool
        self._instance = instance

    async def board(self, project_id: int, policy: Noise, now: datetime, *, path: str = "") -> Board:
        """Return what is muted; see the port."""
        async with translated(), self._pool.acquire() as connection:
            team = team_of(project_id)
            standing = await standing_of(connection, self._instance, team, now, path=path)
        mutes = {
            subject: mute
            for subject, mute in in_force(standing, now).items()
            if policy.auto_mute or not mute.automatic
        }
        proven: frozenset[Subject] = frozenset()
        if any(mute.automatic and _wide(mute) for mute in mutes.values()):
            proven = _proven(project_id, await self.fared(project_id, now - MEASURED), policy)
        said = frozenset(
            subject
            for subject, one in standing.items()
            if one.override and one.override.holds(now) and not one.override.muted
        )
        return Board(team, mutes, proven, said, policy.explored)

    async def groups(self, project_ids: Collection[int]) -> Collection[str]:
        """Return the nearest groups; see the port."""
        async with translated():
            rows = await self._pool.fetch(_PATHS, self._instance, list(project_ids))
        return {above[0] for row in rows if (above := groups_above(row["path"]))}

    async def standing(self, team: str, now: datetime) -> Mapping[Subject, Standing]:
        """Return what stands; see the port."""
        async with translated(), self._pool.acquire() as connection:
            return await standing_of(connection, self._instance, team, now)

    async def fared(self, project_id: int, since: datetime) -> Sequence[Fared]:
        """Return what became of comments; see the port."""
        async with translated():
            rows = await self._pool.fetch(_FARED, self._instance, project_id, LABEL_VERSION, since)
        return list(map(_fared, rows))

    async def fared_in(self, group: str, since: datetime) -> Sequence[Fared]:
        """Return what became of comments in a group; see the port."""
        async with translated():
            rows = await self._pool.fetch(_FARED_IN, self._instance, group, LABEL_VERSION, since)
        return list(map(_fared, rows))

    async def begin(self, mutes: Sequence[Mute]) -> Sequence[Mute]:
        """Add mutes by figures; see the port."""
        begun: list[Mute] = []
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            for team in sorted({mute.subject.team for mute in mutes}):
                await lock(connection, self._instance, team)
                standing = await own_standing(connection, self._instance, team)
                for mute in mutes:
                    if mute.subject.team == team and mute.subject not in in_force(standing, mute.since):
                        await add(connection, self._instance, mute, actor="cloister")
                        begun.append(mute)
        return begun

    async def policies(self, project_ids: Collection[int]) -> Mapping[int, Noise]:
        """Return the policies; see the port."""
        async with translated():
            rows = await self._pool.fetch(_POLICIES, self._instance, list(project_ids))
        known = {
            row["project_id"]: Run.model_validate(row["body"], strict=False).policy.noise for row in rows
        }
        return {project_id: known.get(project_id, Noise()) for project_id in project_ids}

    async def claim(self, *, lease: timedelta) -> datetime | None:
        """Take the turn; see the port."""
        async with translated():
            seen: datetime | None = await self._pool.fetchval(_CLAIM, self._instance, _EARLIEST, lease)
        return seen

    async def move(self, seen_until: datetime, *, pause: timedelta) -> None:
        """Remember until when was looked; see the port."""
        async with translated():
            await self._pool.execute(_MOVE, self._instance, seen_until, pause)


def _proven(project_id: int, fared: Iterable[Fared], policy: Noise) -> frozenset[Subject]:
    outcomes: dict[Subject, list[Outcome]] = {}
    for one in fared:
        for subject in subjects_of(team_of(project_id), one.scanner, one.rule, one.category):
            outcomes.setdefault(subject, []).append(one.outcome)
    return frozenset(subject for subject, of in outcomes.items() if wanted(acceptance(of), policy.wanted))


def _wide(mute: Mute) -> bool:
    """Say whether *mute* may be about something of which a part is wanted here."""
    return mute.subject.scope is Scope.category or bool(group_of(mute.subject.team))


def _fared(row: Any) -> Fared:
    outcome = Outcome(Label(row["label"]), row["posted_at"])
    return Fared(row["scanner"], row["rule"], row["category"], outcome, row["project_id"])
