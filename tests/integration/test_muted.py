"""What is shown as muted, page by page, is what all decisions come to."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.mute_rows import COLUMNS, add, folded, in_force
from bot.adapters.muted_postgres import muted
from bot.domain.dashboard import Filters, Muted
from bot.domain.quiet.muting import Mute, Scope, Subject, group_team, team_of

INSTANCE = "gitlab.example"
NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
PATHS = {7: "team/shop", 8: "Team/bank", 9: "team/desk/web", 10: "teamwork/app"}
TEAMS = [*map(team_of, PATHS), *map(group_team, ("team", "team/desk", "teamwork", "gone"))]


async def _decided(pool: Any, chance: random.Random) -> None:
    """Have people and figures decide of the same few things, again and again, some of it tomorrow."""
    for project_id, path in PATHS.items():
        await pool.execute(
            "INSERT INTO project (instance, project_id, path) VALUES ($1, $2, $3)", INSTANCE, project_id, path
        )
    async with pool.acquire() as connection, connection.transaction():
        for _ in range(400):
            scope = chance.choice(list(Scope))
            subject = Subject(
                chance.choice(TEAMS), scope, "semgrep", chance.choice(["eval", "x" * 250, "style"])
            )
            since = NOW + timedelta(days=chance.choice([-40, -20, -9, -1, 1]))
            until = chance.choice([None, since + timedelta(days=chance.choice([5, 30, 60]))])
            by = chance.choice([None, None, 0, 5])
            mute = Mute(subject, since, until, by=by, reason="so" if by is not None else "")
            said = by is not None and chance.random() < 0.3
            await add(connection, INSTANCE, mute, actor="a", muted=not said)


async def _pages(pool: Any, filters: Filters) -> tuple[list[Muted], set[int]]:
    """Return what all pages of two show, and how much they say there is."""
    found: list[Muted] = []
    counts: set[int] = set()
    after = None
    while True:
        page = await muted(pool, INSTANCE, filters, NOW, after=after, limit=2)
        found += page.lines
        counts.add(page.count)
        after = page.following
        if after is None:
            return found, counts


@pytest.mark.parametrize("seed", range(3))
async def test_every_mute_that_holds_is_on_one_page(pool: Any, seed: int) -> None:
    """As the decisions of all time have it, read one after the other; a part of them for who sees less."""
    await _decided(pool, random.Random(seed))
    today = NOW.date()
    rows = await pool.fetch(f"SELECT {COLUMNS} FROM mute ORDER BY number")
    expected = {mute.id: mute for mute in in_force(folded(rows), NOW).values()}

    every, counts = await _pages(pool, Filters(None, today, today))
    assert sorted(map(str, expected)) == sorted(str(one.id) for one in every)
    assert counts == {len(expected)}
    assert every == sorted(every, key=lambda one: (one.until, one.id))
    whole = await muted(pool, INSTANCE, Filters(None, today, today), NOW)
    assert (list(whole.lines), whole.following) == (every, None)

    seen = {team_of(8), group_team("team")}
    some, _ = await _pages(pool, Filters(frozenset({8}), today, today))
    assert {one.id for one in some} == {
        number for number, mute in expected.items() if mute.subject.team in seen
    }
    below, _ = await _pages(pool, Filters(None, today, today, group="Team/desk"))
    seen = {team_of(9), group_team("team"), group_team("team/desk")}
    assert {one.id for one in below} == {
        number for number, mute in expected.items() if mute.subject.team in seen
    }


async def test_pages_of_a_project_are_what_its_next_review_withholds(pool: Any) -> None:
    """Mutes of its groups included; nothing is on two pages, or on none."""
    await _decided(pool, random.Random(4))
    filters = Filters(None, NOW.date(), NOW.date(), project_id=9)
    found, counts = await _pages(pool, filters)
    whole = await muted(pool, INSTANCE, filters, NOW)
    assert list(whole.lines) == found
    assert counts == {len(found)}
    assert len(found) >= 3
