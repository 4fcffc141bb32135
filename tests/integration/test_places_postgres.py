"""Names and places in a real database, for those who may know them."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.places_postgres import PostgresPlaces
from bot.domain.viewer import Own, Reach
from bot.ports.places import CommentPlace
from tests.history import INSTANCE, History, Reviewed, Said

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


async def test_places_are_found_by_those_who_may_see_the_project(pool: Any) -> None:
    """A project has its name, a comment its note, a merge request its newest review; others see none of it."""
    history, places = History(pool), PostgresPlaces(pool, INSTANCE)
    await history.project(7, "retail/shop")
    await history.project(8, "bank/ledger")
    said = Said(7, 3, NOON)
    await history.said(said)
    before = await places.comment(said.id, Reach(None))
    await pool.execute("UPDATE comment SET note_id = 99 WHERE id = $1", said.id)
    old, new = (Reviewed(7, 3, NOON + timedelta(hours=hours), author=9) for hours in (0, 1))
    for one in (new, old):
        await history.reviewed(one)

    assert await places.projects(None) == {8: "bank/ledger", 7: "retail/shop"}
    assert list((await places.projects(None)).values()) == ["bank/ledger", "retail/shop"]
    assert before == CommentPlace("retail/shop", 3, None)
    assert await places.comment(said.id, Reach(frozenset({7}))) == CommentPlace("retail/shop", 3, 99)
    assert await places.newest_review(7, 3, Reach(frozenset({7}))) == new.run_id
    for visible in (frozenset({8}), frozenset[int]()):
        assert 7 not in await places.projects(visible)
        assert await places.comment(said.id, Reach(visible, Own(9, frozenset({8})))) is None
        assert await places.newest_review(7, 3, Reach(visible, Own(9, frozenset({8})))) is None
    mine = Reach(frozenset(), Own(9, frozenset({7})))
    assert await places.newest_review(7, 3, mine) == new.run_id
    assert await places.newest_review(7, 3, replace(mine, own=Own(8, None))) is None
    assert await places.comment(uuid.UUID(int=1), Reach(None)) is None
    assert await PostgresPlaces(pool, "other.example").projects(None) == {}


async def test_names_are_found_by_parts_of_them(pool: Any) -> None:
    """Whoever writes part of a path is told the paths, those that begin so first, and none that they may not see."""
    history, places = History(pool), PostgresPlaces(pool, INSTANCE)
    paths = {1: "retail/shop", 2: "retail/web/shop", 3: "bank/workshop", 4: "shop/a_b", 5: "bank/100%"}
    for number, path in paths.items():
        await history.project(number, path)

    assert list(await places.projects(None, containing="SHOP")) == [1, 2, 4, 3]
    assert list(await places.projects(None, containing="%")) == [5]
    assert list(await places.projects(frozenset({3, 5}), containing="shop")) == [3]
    assert await places.groups(None) == ["bank", "retail", "retail/web", "shop"]
    assert await places.groups(None, containing="web") == ["retail/web"]
    assert await places.groups(frozenset({4})) == ["shop"]
    assert await places.named([1, 4, 9], frozenset({4, 9})) == {4: "shop/a_b"}
    assert await places.called("RETAIL/shop", None) == {1: "retail/shop"}
    assert await places.called("shop", None) == {1: "retail/shop", 2: "retail/web/shop"}
    assert await places.called("shop", frozenset({2})) == {2: "retail/web/shop"}
    assert await places.called("a%b", None) == await places.called("", None) == {}
    assert [await places.has_group(one, None) for one in ("RETAIL", "retail/shop", "re", "web")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert not await places.has_group("retail", frozenset({3}))
