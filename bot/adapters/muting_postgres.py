"""What tech leads decide about noise, in Postgres: together with its entry in the audit log, or not at all."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.adapters import audit_log_postgres
from bot.adapters.mute_rows import add, in_force, lock, own_standing, standing_of
from bot.adapters.postgres import translated
from bot.domain.audit_log import Act
from bot.domain.errors import Permanent
from bot.domain.quiet.muting import (
    MUTED_FOR,
    Mute,
    Subject,
    group_of,
    group_team,
    mutable,
    rule_subject,
    team_of,
)
from bot.domain.viewer import Via, Viewer
from bot.ports import Clock


class PostgresMuting:
    """Implement the port on a pool of connections, for the projects of *instance*."""

    def __init__(self, pool: Any, instance: str, clock: Clock) -> None:
        self._pool = pool
        self._instance = instance
        self._clock = clock

    async def mute(
        self, project_id: int, scanner: str, rule: str, *, why: str, until: datetime, by: Viewer
    ) -> None:
        """Mute a rule; see the port."""
        subject = rule_subject(team_of(project_id), scanner, rule)
        await self.mute_subject(subject, why=why, until=until, by=by)

    async def mute_for_group(
        self, group: str, scanner: str, rule: str, *, why: str, until: datetime, by: Viewer
    ) -> None:
        """Mute a rule in a group; see the port."""
        subject = rule_subject(group_team(group), scanner, rule)
        await self.mute_subject(subject, why=why, until=until, by=by)

    async def mute_subject(self, subject: Subject, *, why: str, until: datetime, by: Viewer) -> uuid.UUID:
        """Mute a rule or a category until then, and return the id of the mute.

        Raises:
            Permanent: it may never be muted, or the end is over.
            Transient: the store is out of reach.
        """
        if not mutable(subject):
            raise Permanent("secrets are always said: a secret that nobody sees is one that leaks")
        if until <= self._clock.now():
            raise Permanent("a mute has to end later than now")
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            now, holding = await self._holding(connection, subject)
            known = holding.id if holding else None
            mute = Mute(subject, now, until, by=_account(by), reason=why, id=known or uuid.uuid4())
            await add(connection, self._instance, mute, actor=by.actor)
            await audit_log_postgres.append(connection, _act("noise.mute", mute, by))
        assert mute.id is not None
        return mute.id

    async def unmute(self, project_id: int, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        """End a mute; see the port. The figures begin to count anew, and decide again after as long as a mute."""
        return await self._unmute(team_of(project_id), mute_id, why=why, by=by)

    async def unmute_for_group(self, group: str, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        """End a mute in a group; see the port."""
        return await self._unmute(group_team(group), mute_id, why=why, by=by)

    async def _unmute(self, team: str, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            await lock(connection, self._instance, team)
            now = self._clock.now()
            mutes = in_force(await standing_of(connection, self._instance, team, now), now)
            ended = next(((about, mute) for about, mute in mutes.items() if mute.id == mute_id), None)
            if ended is not None:
                # What is muted for a group above stays muted there.
                about, mute = ended
                await self._say(connection, replace(mute, subject=about), now, why=why, by=by)
        return ended is not None

    async def say_subject(self, subject: Subject, *, why: str, by: Viewer) -> uuid.UUID:
        """Have a rule or a category said for as long as a mute lasts, muted or not; return the id of the decision."""
        async with translated(), self._pool.acquire() as connection, connection.transaction():
            now, holding = await self._holding(connection, subject)
            mute = holding or Mute(subject, now, None, by=_account(by), id=uuid.uuid4())
            await self._say(connection, mute, now, why=why, by=by)
        assert mute.id is not None
        return mute.id

    async def _holding(self, connection: Any, subject: Subject) -> tuple[datetime, Mute | None]:
        """Return the time, and the mute of *subject* that holds; nobody else decides until the transaction ends."""
        await lock(connection, self._instance, subject.team)
        now = self._clock.now()
        own = await own_standing(connection, self._instance, subject.team)
        return now, in_force(own, now).get(subject)

    async def _say(self, connection: Any, mute: Mute, now: datetime, *, why: str, by: Viewer) -> None:
        said = replace(mute, since=now, until=now + MUTED_FOR, by=_account(by), reason=why)
        await add(connection, self._instance, said, actor=by.actor, muted=False)
        await audit_log_postgres.append(connection, _act("noise.unmute", said, by))


def _account(by: Viewer) -> int:
    """Return the account in GitLab, 0 for who has none; ``actor`` tells more."""
    return by.user.id if by.via is Via.gitlab else 0


def _act(action: str, mute: Mute, by: Viewer) -> Act:
    group = group_of(mute.subject.team)
    return Act(
        by.actor,
        action,
        str(mute.subject),
        None if group else int(mute.subject.team),
        {
            **({"group": group} if group else {}),
            "mute": str(mute.id),
            "why": mute.reason,
            "until": mute.until.isoformat() if mute.until else None,
        },
    )
