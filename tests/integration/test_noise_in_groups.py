"""Mutes of whole groups on a real database: by people and by figures, and who has the last word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.muted_postgres import muted
from bot.domain.dashboard import Filters
from bot.domain.forge import ForgeUser
from bot.domain.policy import Noise
from bot.domain.quiet.muting import Board, Mute, Scope, Subject
from bot.domain.viewer import Viewer
from tests.integration.test_noise_control import INSTANCE, PROJECT, Noisy, _finding

SHOP, BANK, DESK, APP = PROJECT, 8, 9, 10
PATHS = {SHOP: "Team/shop", BANK: "team/bank", DESK: "team/desk/web", APP: "teamwork/app"}
LEAD = Viewer(ForgeUser(5, "lead"))


@pytest.fixture
async def noisy(pool: Any) -> Noisy:
    """Return noise control on a fresh database with three projects below a group, and one beside it."""
    for project_id, path in PATHS.items():
        await pool.execute(
            "INSERT INTO project (instance, project_id, path) VALUES ($1, $2, $3)", INSTANCE, project_id, path
        )
    return Noisy(pool)


async def mute(noisy: Noisy, group: str, *, days: int = 9, why: str = "tests only") -> None:
    """Mute the rule for a group."""
    until = noisy.clock.now() + timedelta(days=days)
    await noisy.muting.mute_for_group(group, "semgrep", "python-eval", why=why, until=until, by=LEAD)


async def silent(noisy: Noisy, project_id: int, **how: Any) -> str:
    """Return why the rule is not said in a project, empty where it is."""
    board: Board = await noisy.mutes.board(project_id, Noise(), noisy.clock.now(), **how)
    found = board.mute_of(_finding())
    return found.explanation if found else ""


async def ids(noisy: Noisy, project_id: int | None = None, group: str = "", **who: Any) -> list[Any]:
    """Return what the board shows as muted: the id, the project and the group of each."""
    today = noisy.clock.now().date()
    filters = Filters(who.get("visible"), today, today, project_id, group)
    found = await muted(noisy.pool, INSTANCE, filters, noisy.clock.now())
    return [(one.id, one.project_id, one.group) for one in found.lines]


async def test_a_group_is_muted_with_all_below_it(noisy: Noisy) -> None:
    """Of today and of tomorrow, by the path as of now; nothing beside it, and only for a while."""
    await mute(noisy, "team")
    assert "in the group team until" in await silent(noisy, SHOP)
    assert await silent(noisy, BANK) == await silent(noisy, DESK) != ""
    assert await silent(noisy, APP) == ""
    assert "tests only" in await silent(noisy, 77, path="team/desk/later")
    # A project that moves follows its new group, before its row is told.
    assert await silent(noisy, SHOP, path="other/shop") == ""
    assert await silent(noisy, APP, path="Team/app") != ""
    noisy.clock.ahead += timedelta(days=10)
    assert await silent(noisy, SHOP) == ""
    (entry,) = await PostgresAuditLog(noisy.pool).newest(5)
    assert (entry.act.action, entry.act.project_id, entry.act.details["group"]) == (
        "noise.mute",
        None,
        "team",
    )


async def test_what_is_nearer_wins(noisy: Noisy) -> None:
    """A project against its group, a group against the one above it, either way."""
    await mute(noisy, "team")
    ((team_mute, _, _),) = await ids(noisy, SHOP)
    assert await noisy.muting.unmute(SHOP, team_mute, why="we use it", by=LEAD)
    assert (await silent(noisy, SHOP), await ids(noisy, SHOP)) == ("", [])
    assert await silent(noisy, BANK) != ""
    assert await noisy.muting.unmute_for_group("team/desk", team_mute, why="we too", by=LEAD)
    assert not await noisy.muting.unmute_for_group("teamwork", team_mute, why="no", by=LEAD)
    assert await silent(noisy, DESK) == ""
    assert await silent(noisy, BANK) != ""
    await mute(noisy, "team/desk", why="not any more")
    assert "the group team/desk until" in await silent(noisy, DESK)
    assert await noisy.muting.unmute_for_group("team", team_mute, why="it is good", by=LEAD)
    assert await silent(noisy, BANK) == ""
    assert await silent(noisy, DESK) != ""
    assert "noise.unmute" == (await PostgresAuditLog(noisy.pool).newest(1))[0].act.action


async def test_the_board_shows_groups_to_those_who_see_one_of_their_projects(noisy: Noisy) -> None:
    """Under each filter that concerns them; a group without projects, to who sees all."""
    await mute(noisy, "team")
    await mute(noisy, "empty")
    groups = sorted(group for _, _, group in await ids(noisy))
    assert groups == ["empty", "team"]
    assert [(None, "team")] == [one[1:] for one in await ids(noisy, visible=frozenset({DESK}))]
    assert await ids(noisy, visible=frozenset({APP})) == []
    assert await ids(noisy, SHOP, visible=frozenset({APP})) == []
    for group, shown in (("team", ["team"]), ("team/desk", ["team"]), ("empty", ["empty"]), ("teamwork", [])):
        assert [one[2] for one in await ids(noisy, group=group)] == shown
    assert await ids(noisy, SHOP, group="teamwork") == []


async def test_a_group_falls_silent_where_no_project_has_enough(noisy: Noisy) -> None:
    """Together they have; with a single project that wants the rule it is said everywhere."""
    await noisy.tell(SHOP, range(1, 5))
    await noisy.tell(BANK, range(11, 15))
    await noisy.tell(DESK, range(21, 24))
    await noisy.measure()
    assert await silent(noisy, SHOP) == ""
    await noisy.tell(DESK, [24])
    await noisy.tell(SHOP, [5])
    await noisy.measure()
    for project_id in (SHOP, BANK, DESK):
        assert "in the group team until" in await silent(noisy, project_id)
        assert "0 of 13 comments were accepted there" in await silent(noisy, project_id)
    assert await silent(noisy, APP) == ""
    assert noisy.counter.counted == ["cloister_mutes"] * 2
    await noisy.tell(SHOP, [6])
    await noisy.measure()
    assert len(noisy.counter.counted) == 2
    # Its own good figures spare a project at once, and the others from the next mute on.
    await noisy.tell(BANK, range(31, 51), accepted=True)
    await noisy.measure()
    assert await silent(noisy, BANK) == ""
    assert await silent(noisy, SHOP) != ""
    noisy.clock.ahead += timedelta(days=31)
    await noisy.tell(SHOP, range(51, 57))
    await noisy.tell(DESK, range(61, 67))
    await noisy.tell(BANK, [71])
    await noisy.measure()
    assert await silent(noisy, SHOP) == ""


async def test_passes_at_once_leave_one_mute(noisy: Noisy) -> None:
    """Whoever was overtaken begins nothing twice."""
    subject, now = Subject("/team", Scope.rule, "semgrep", "python-eval"), noisy.clock.now()
    new = [Mute(subject, now, now + timedelta(days=30))]
    begun: Sequence[Sequence[Mute]] = await asyncio.gather(*(noisy.mutes.begin(new) for _ in range(5)))
    assert sorted(map(len, begun)) == [0, 0, 0, 0, 1]
    assert await noisy.pool.fetchval("SELECT count(*) FROM mute") == 1
