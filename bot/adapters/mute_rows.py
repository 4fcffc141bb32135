"""Rows of the table ``mute``: what is added, and what they come to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.adapters.postgres import storable
from bot.domain.evaluation.intervals import Share
from bot.domain.quiet.groups import Standing, effective, groups_above
from bot.domain.quiet.muting import (
    Mute,
    Override,
    Scope,
    Subject,
    decide,
    group_of,
    group_team,
    team_of,
)

COLUMNS = "mute, muted, instance, project_id, group_path, scope, scanner, name, at, until, why, user_id, actor, accepted, counted"
_ADD = f"""
INSERT INTO mute ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
#: Of each subject the newest by the figures and the newest by people: nothing else of years of decisions matters.
_OF_TEAMS = f"""
SELECT {COLUMNS} FROM mute WHERE number = ANY(ARRAY(
    SELECT unnest(ARRAY[max(number) FILTER (WHERE user_id IS NULL), max(number) FILTER (WHERE user_id IS NOT NULL)])
    FROM mute
    WHERE instance = $1 AND (project_id, group_path) IN (SELECT * FROM unnest($2::bigint[], $3::text[]))
    GROUP BY project_id, group_path, scope, scanner, name))
ORDER BY number
"""
_PATH = "SELECT path FROM project WHERE instance = $1 AND project_id = $2"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('cloister.mutes:' || $1 || ':' || $2, 0))"


async def add(connection: Any, instance: str, mute: Mute, *, actor: str, muted: bool = True) -> uuid.UUID:
    """Add that *mute* begins, or that its subject is said again until its end; return the id of the mute."""
    number, subject = mute.id or uuid.uuid4(), mute.subject
    project_id, group = _columns(subject.team)
    await connection.execute(
        _ADD,
        number,
        muted,
        instance,
        project_id,
        group,
        subject.scope.value,
        subject.scanner,
        storable(subject.name),
        mute.since,
        mute.until,
        storable(mute.reason or mute.explanation),
        mute.by,
        storable(actor),
        mute.share.count,
        mute.share.of,
    )
    return number


async def lock(connection: Any, instance: str, team: str) -> None:
    """Let nobody else decide for a project or group until the transaction ends."""
    await connection.execute(_LOCK, instance, team)


async def own_standing(connection: Any, instance: str, team: str) -> Mapping[Subject, Standing]:
    """Return what was decided for a project or group itself, as the transaction of *connection* sees it."""
    return await of_teams(connection, instance, [team])


async def standing_of(
    connection: Any, instance: str, team: str, now: datetime, *, path: str = ""
) -> Mapping[Subject, Standing]:
    """Return what stands for a project or group, what was decided for groups above it included.

    *path* is the project's, where the caller knows it.
    """
    teams = await teams_of(connection, instance, team, path)
    return effective(teams, await of_teams(connection, instance, teams), now)


async def teams_of(connection: Any, instance: str, team: str, path: str = "") -> Sequence[str]:
    """Return a project or group, and the groups above it, the nearest first."""
    known = path or group_of(team) or await connection.fetchval(_PATH, instance, int(team)) or ""
    return [team, *map(group_team, groups_above(known))]


async def of_teams(connection: Any, instance: str, teams: Sequence[str]) -> Mapping[Subject, Standing]:
    projects, groups = zip(*map(_columns, teams), strict=True)
    return folded(await connection.fetch(_OF_TEAMS, instance, projects, groups))


def _columns(team: str) -> tuple[int, str]:
    """Return the project's id and the group's path that the table has for *team*."""
    group = group_of(team)
    return (0, group) if group else (int(team), "")


def folded(rows: Iterable[Any]) -> Mapping[Subject, Standing]:
    """Return what *rows*, the oldest first, come to."""
    standing: dict[Subject, Standing] = {}
    for row in rows:
        team = group_team(row["group_path"]) if row["group_path"] else team_of(row["project_id"])
        subject = Subject(team, Scope(row["scope"]), row["scanner"], row["name"])
        before = standing.get(subject, Standing())
        if row["user_id"] is None:
            share = Share(row["accepted"], row["counted"])
            mute = Mute(subject, row["at"], row["until"], share, reason="", id=row["mute"])
            standing[subject] = Standing(mute, before.override)
        else:
            override = Override(
                row["muted"], row["at"], row["user_id"], row["why"], row["until"], row["mute"], team
            )
            standing[subject] = Standing(before.last, override)
    return standing


def in_force(standing: Mapping[Subject, Standing], now: datetime) -> dict[Subject, Mute]:
    """Return the mutes that hold."""
    decided = {
        subject: decide(subject, (), now=now, last=one.last, override=one.override)
        for subject, one in standing.items()
    }
    return {subject: mute for subject, mute in decided.items() if mute is not None}
