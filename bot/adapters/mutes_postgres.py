"""Mutes in Postgres: the table ``mute``, to which rows are only added."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.adapters.postgres import storable, translated
from bot.domain.dashboard import Filters, Muted
from bot.domain.evaluation.intervals import Share
from bot.domain.labels import LABEL_VERSION, Label
from bot.domain.policy import Noise
from bot.domain.quiet.muting import (
    MEASURED,
    Board,
    Mute,
    Outcome,
    Override,
    Scope,
    Subject,
    acceptance,
    decide,
    subjects_of,
    team_of,
    wanted,
)
from bot.domain.run import Run
from bot.ports.noise import Fared, Standing

_COLUMNS = "mute, muted, instance, project_id, scope, scanner, name, at, until, why, user_id, actor, accepted, counted"
_ADD = f"""
INSERT INTO mute ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_OF_PROJECT = f"SELECT {_COLUMNS} FROM mute WHERE instance = $1 AND project_id = $2 ORDER BY number"
#: Projects that were never reviewed have no path, and belong to no group.
_CHOSEN = f"""
SELECT {_COLUMNS} FROM mute m
WHERE instance = $1 AND ($2::bigint[] IS NULL OR project_id = ANY($2)) AND ($3::bigint IS NULL OR project_id = $3)
    AND ($4 = '' OR EXISTS (SELECT FROM project p WHERE (p.instance, p.project_id) = (m.instance, m.project_id)
        AND starts_with(lower(p.path), lower($4) || '/')))
ORDER BY number
"""
_FARED = """
SELECT c.scanner, c.rule, c.category, c.posted_at, l.label FROM comment c
JOIN label l ON l.comment_id = c.id AND l.label_version = $3
WHERE c.instance = $1 AND c.project_id = $2 AND c.posted_at >= $4 AND l.label <> 'censored'
"""
_POLICY = """
SELECT body FROM review_run WHERE instance = $1 AND project_id = $2 AND body->>'revision' IS NOT NULL
ORDER BY created_at DESC LIMIT 1
"""
_CLAIM = """
INSERT INTO noise_pass (instance, seen_until, next_at) VALUES ($1, $2, now() + $3::interval)
ON CONFLICT (instance) DO UPDATE SET next_at = excluded.next_at WHERE noise_pass.next_at <= now()
RETURNING seen_until
"""
_MOVE = "UPDATE noise_pass SET seen_until = $2, next_at = now() + $3::interval WHERE instance = $1"

#: Before any GitLab.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PostgresMutes:
    """Implement the port on a pool of connections, for the projects of *instance*."""

    def __init__(self, pool: Any, instance: str) -> None:
        self._pool = pool
        self._instance = instance

    async def board(self, project_id: int, policy: Noise, now: datetime) -> Board:
        """Return what is muted; see the port."""
        standing = await self.standing(project_id)
        mutes = {
            subject: mute
            for subject, mute in in_force(standing, now).items()
            if policy.auto_mute or not mute.automatic
        }
        proven: frozenset[Subject] = frozenset()
        if any(subject.scope is Scope.category and mute.automatic for subject, mute in mutes.items()):
            proven = _proven(project_id, await self.fared(project_id, now - MEASURED), policy)
        said = frozenset(
            subject
            for subject, one in standing.items()
            if one.override and one.override.holds(now) and not one.override.muted
        )
        return Board(team_of(project_id), mutes, proven, said, policy.explored)

    async def standing(self, project_id: int) -> Mapping[Subject, Standing]:
        """Return what was decided; see the port."""
        async with translated():
            return folded(await self._pool.fetch(_OF_PROJECT, self._instance, project_id))

    async def fared(self, project_id: int, since: datetime) -> Sequence[Fared]:
        """Return what became of comments; see the port."""
        async with translated():
            rows = await self._pool.fetch(_FARED, self._instance, project_id, LABEL_VERSION, since)
        return [
            Fared(
                row["scanner"],
                row["rule"],
                row["category"],
                Outcome(Label(row["label"]), row["posted_at"]),
            )
            for row in rows
        ]

    async def begin(self, mutes: Sequence[Mute]) -> None:
        """Add mutes by figures; see the port."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            for mute in mutes:
                await add(connection, self._instance, mute, actor="cloister")

    async def policy(self, project_id: int) -> Noise:
        """Return the policy; see the port."""
        async with translated():
            row = await self._pool.fetchrow(_POLICY, self._instance, project_id)
        return Noise() if row is None else Run.model_validate(row["body"], strict=False).policy.noise

    async def claim(self, *, lease: timedelta) -> datetime | None:
        """Take the turn; see the port."""
        async with translated():
            seen: datetime | None = await self._pool.fetchval(_CLAIM, self._instance, _EARLIEST, lease)
        return seen

    async def move(self, seen_until: datetime, *, pause: timedelta) -> None:
        """Remember until when was looked; see the port."""
        async with translated():
            await self._pool.execute(_MOVE, self._instance, seen_until, pause)


async def add(connection: Any, instance: str, mute: Mute, *, actor: str, muted: bool = True) -> uuid.UUID:
    """Add that *mute* begins, or that its subject is said again until its end; return the id of the mute."""
    number, subject = mute.id or uuid.uuid4(), mute.subject
    await connection.execute(
        _ADD,
        number,
        muted,
        instance,
        int(subject.team),
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


async def standing_of(connection: Any, instance: str, project_id: int) -> Mapping[Subject, Standing]:
    """Return what was decided in a project, as the transaction of *connection* sees it."""
    return folded(await connection.fetch(_OF_PROJECT, instance, project_id))


async def muted(connection: Any, instance: str, filters: Filters, now: datetime) -> tuple[Muted, ...]:
    """Return what is muted now, the first to end first; the days of *filters* do not matter."""
    visible = None if filters.visible is None else list(filters.visible)
    rows = await connection.fetch(_CHOSEN, instance, visible, filters.project_id, filters.group)
    found = [_shown(subject, mute) for subject, mute in in_force(folded(rows), now).items()]
    return tuple(sorted(found, key=lambda one: (one.until, one.project_id, one.rule, one.category)))


def folded(rows: Iterable[Any]) -> Mapping[Subject, Standing]:
    """Return what *rows*, the oldest first, come to."""
    standing: dict[Subject, Standing] = {}
    for row in rows:
        subject = Subject(team_of(row["project_id"]), Scope(row["scope"]), row["scanner"], row["name"])
        before = standing.get(subject, Standing())
        if row["user_id"] is None:
            share = Share(row["accepted"], row["counted"])
            mute = Mute(subject, row["at"], row["until"], share, reason="", id=row["mute"])
            standing[subject] = Standing(mute, before.override)
        else:
            override = Override(
                row["muted"], row["at"], row["user_id"], row["why"], row["until"], row["mute"]
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


def _proven(project_id: int, fared: Iterable[Fared], policy: Noise) -> frozenset[Subject]:
    outcomes: dict[Subject, list[Outcome]] = {}
    for one in fared:
        subject, *_ = subjects_of(team_of(project_id), one.scanner, one.rule, one.category)
        outcomes.setdefault(subject, []).append(one.outcome)
    return frozenset(subject for subject, of in outcomes.items() if wanted(acceptance(of), policy.wanted))


def _shown(subject: Subject, mute: Mute) -> Muted:
    rule = subject.scope is Scope.rule
    return Muted(
        id=mute.id or uuid.UUID(int=0),
        project_id=int(subject.team),
        rule=subject.name if rule else "",
        category="" if rule else f"{subject.scanner}/{subject.name}",
        why=mute.explanation if mute.automatic else mute.reason,
        since=mute.since,
        until=mute.until or datetime.max.replace(tzinfo=UTC),
        automatic=mute.automatic,
    )
