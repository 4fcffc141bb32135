"""Mutes: tech leads, and scripts in their place, have a rule say nothing for a while, and end that.

That holds for a project or, where people decide, for a whole group.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from bot.domain.errors import Permanent
from bot.domain.quiet.groups import MOST_PATH, group_path
from bot.domain.token_names import Scope
from bot.domain.viewer import Viewer
from bot.ports.muting import Muting
from bot.web.access import SignedInViewer, for_tokens
from bot.web.api.asked import Asked, as_json, nothing
from bot.web.api.errors import NOT_FOUND, NOT_JSON, TOO_LARGE, failing
from bot.web.api.office import Office
from bot.web.dashboard.noise import MOST_MUTED_DAYS, MOST_REASON
from bot.web.problems import Fault, Problem

_Reason = Annotated[
    str,
    StringConstraints(pattern=r"^[\p{L}\p{M}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S} ]*$"),
    Field(max_length=MOST_REASON, description="Why; it stays on record."),
]
_Word = Annotated[
    str,
    StringConstraints(pattern=r"^[\p{L}\p{M}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S} ]*$"),
    Field(max_length=255),
]


def _whole(value: object) -> object:
    """Take 5.0 for 5, which are one number in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Project = Annotated[int, Field(strict=True, gt=0, lt=10**18), BeforeValidator(_whole)]
_Group = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}){0,20}$"
    ),
    Field(max_length=MOST_PATH, description="The path of the group; all projects below it are meant."),
]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written(value: object) -> object:
    """Take a day for one only as it is written: seconds and moments can be read as days, too."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    raise PydanticCustomError("day", "say a day as 2026-05-31")


_Until = Annotated[
    date,
    BeforeValidator(_written),
    Field(description=f"The last day, in UTC, within the next {MOST_MUTED_DAYS} days."),
]
_REFUSED = failing(409, "The rule may never be muted.", "not_mutable", "rules about secrets are never muted")


class MuteAsked(Asked):
    """Say what is muted, where, until when and why."""

    project: _Project
    scanner: _Word
    rule: _Word
    until: _Until
    why: _Reason


class GroupMuteAsked(Asked):
    """Say what is muted, below which group, until when and why."""

    group: _Group
    scanner: _Word
    rule: _Word
    until: _Until
    why: _Reason


class GroupUnmuteAsked(Asked):
    """Say for which group a mute ends, and why."""

    group: _Group
    why: _Reason


class UnmuteAsked(Asked):
    """Say where the mute is, and why it ends."""

    project: _Project
    why: _Reason


def router(office: Office, muting: Muting) -> APIRouter:
    """Return the routes."""
    mutes = APIRouter(
        tags=["mutes"], responses={**TOO_LARGE, **NOT_JSON}, dependencies=[Depends(as_json), Depends(nothing)]
    )

    @mutes.post("/mutes", status_code=204, responses=_REFUSED)
    @for_tokens(Scope.noise)
    async def mute(asked: MuteAsked, viewer: SignedInViewer) -> None:
        """Mute a rule in a project; one that is muted already gets the new end. Tokens need the scope `noise`."""
        end = _end(asked.until, office.clock.now().date())
        await _lead(office, viewer, asked.project)
        try:
            await muting.mute(asked.project, asked.scanner, asked.rule, why=asked.why, until=end, by=viewer)
        except Permanent as error:
            raise Problem(409, "not_mutable", str(error)) from None

    @mutes.post("/mutes/{mute_id}/end", status_code=204, responses=NOT_FOUND)
    @for_tokens(Scope.noise)
    async def unmute(mute_id: uuid.UUID, asked: UnmuteAsked, viewer: SignedInViewer) -> None:
        """End a mute. Tokens need the scope `noise`."""
        await _lead(office, viewer, asked.project)
        if not await muting.unmute(asked.project, mute_id, why=asked.why, by=viewer):
            raise Problem(404, "no_mute", "there is no such mute in this project, or it has ended")

    _for_groups(mutes, office, muting)
    return mutes


def _for_groups(mutes: APIRouter, office: Office, muting: Muting) -> None:
    """Add to *mutes* what is decided for all projects below a group."""

    @mutes.post("/group-mutes", status_code=204, responses=_REFUSED)
    async def mute_group(asked: GroupMuteAsked, viewer: SignedInViewer) -> None:
        """Mute a rule in all projects below a group; one that is muted there already gets the new end."""
        end, group = _end(asked.until, office.clock.now().date()), group_path(asked.group)
        await _lead_group(office, viewer, group)
        try:
            await muting.mute_for_group(group, asked.scanner, asked.rule, why=asked.why, until=end, by=viewer)
        except Permanent as error:
            raise Problem(409, "not_mutable", str(error)) from None

    @mutes.post("/group-mutes/{mute_id}/end", status_code=204, responses=NOT_FOUND)
    async def unmute_group(mute_id: uuid.UUID, asked: GroupUnmuteAsked, viewer: SignedInViewer) -> None:
        """End a mute for a group; one of a group above it stays for the others there."""
        group = group_path(asked.group)
        await _lead_group(office, viewer, group)
        if not await muting.unmute_for_group(group, mute_id, why=asked.why, by=viewer):
            raise Problem(404, "no_mute", "there is no such mute in this group, or it has ended")


async def _lead_group(office: Office, viewer: Viewer, group: str) -> None:
    """Let through who is a tech lead of the group itself now."""
    if not await office.may_decide_group(viewer, group):
        raise Problem(
            403,
            "not_a_lead",
            "rules of a group are muted by its own maintainers: ask one, or an administrator",
        )


async def _lead(office: Office, viewer: Viewer, project: int) -> None:
    """Let through who is a tech lead of the project now; whether there is one, others are not told."""
    if not viewer.leads(project) or not await office.may_decide(viewer, project):
        raise Problem(403, "not_a_lead", "rules of a project are muted by its maintainers: ask one of them")


def _end(day: date, today: date) -> datetime:
    if not today < day <= today + timedelta(days=MOST_MUTED_DAYS):
        remedy = f"say a day within the next {MOST_MUTED_DAYS} days"
        raise Problem(422, "bad_end", f"until: {remedy}", faults=[Fault("body", "until", remedy)])
    return datetime.combine(day, time(23, 59, 59), UTC)
