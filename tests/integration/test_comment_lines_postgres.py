"""Lists of comments and reviews hold what the views count."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.dashboard_postgres import PostgresDashboard
from bot.adapters.rollups_postgres import roll_up
from bot.domain.comment_lines import Became, CommentLine, Comments, Deed, Picked, Which
from bot.domain.dashboard import Dimension, Filters
from bot.domain.labels import Censored
from bot.domain.review_fact import Reason
from bot.domain.viewer import Own
from tests.history import INSTANCE, History, Reviewed, Said

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _window(**more: Any) -> Filters:
    return Filters(**({"visible": None, "since": date(2026, 1, 20), "until": date(2026, 4, 5)} | more))


def _dashboard(pool: Any) -> PostgresDashboard:
    return PostgresDashboard(pool, INSTANCE, SystemClock())


async def _all(
    pool: Any, filters: Filters, became: Became | None = None, limit: int = 2
) -> list[CommentLine]:
    found: list[CommentLine] = []
    page = Comments((), None)
    while not found or page.following:
        page = await _dashboard(pool).comments(filters, became=became, after=page.following, limit=limit)
        found += page.lines
        if not page.lines:
            break
    return found


async def test_every_count_can_be_looked_up(pool: Any) -> None:
    """The comments behind a figure are as many as the figure says, and those that it means."""
    history = History(pool)
    labels = ("accepted_strong", "accepted_weak", "rejected_strong", "unknown", "censored")
    said = {
        label: [
            Said(1 + number % 2, 5, NOON + number * DAY, had_suggestion=not number, severity="critical")
            for number in range(3)
        ]
        for label in labels
    }
    for label, ones in said.items():
        for one in ones:
            await history.said(one)
            await history.label(one, label)
    await history.label(said["censored"][0], "censored", "open")
    for actor in (7, 8):
        await history.signal(
            said["rejected_strong"][0], "reaction_added", HOUR, actor=actor, emoji="thumbsdown"
        )
    await history.signal(said["unknown"][0], "reaction_added", HOUR, emoji="thumbsdown")
    await history.signal(said["unknown"][0], "reaction_removed", 2 * HOUR, emoji="thumbsdown")
    await history.signal(said["accepted_strong"][0], "applied", HOUR)
    await history.signal(said["accepted_strong"][0], "resolved", HOUR, bot=True)
    await history.signal(said["unknown"][0], "merged", 5 * DAY)
    while await roll_up(pool):
        pass

    assert Counter(line.label for line in await _all(pool, _window())) == dict.fromkeys(labels, 3)
    for label in labels:
        assert {line.id for line in await _all(pool, _window(), Became(label))} == {
            one.id for one in said[label]
        }
    why = {line.id: line.censored_why for line in await _all(pool, _window()) if line.censored_why}
    assert why == {said["censored"][0].id: Censored.open}
    funnel = await _dashboard(pool).funnel(_window())
    (row,) = (await _dashboard(pool).acceptance(_window(), Dimension.rule)).rows
    found = {became: len(await _all(pool, _window(), became)) for became in Became}
    assert found[Became.decided] == row.labels.decided == 9
    assert found[Became.acted_on] == funnel.acted_on == 6
    assert found[Became.suggested] == funnel.suggested == 5
    assert found[Became.applied] == funnel.applied == 1
    assert found[Became.downvoted] == row.downvoted == 1
    tiles = {tile.measure.value: tile.value for tile in (await _dashboard(pool).overview(_window())).tiles}
    assert found[Became.open_critical] == tiles["open_criticals"] == 9
    did = {line.id: line.did for line in await _all(pool, _window()) if line.did}
    assert did == {
        said["rejected_strong"][0].id: {Deed.thumbs_down: 2},
        said["accepted_strong"][0].id: {Deed.applied: 1},
    }


async def test_nothing_of_other_projects_is_listed(pool: Any) -> None:
    """Whatever the filters ask, comments are those of visible projects."""
    history = History(pool)
    for project_id, path in ((1, "company/shop"), (2, "company/secret"), (3, "other/thing")):
        await history.project(project_id, path)
        await history.said(Said(project_id, 1, NOON))
    await roll_up(pool)

    async def projects(**chosen: Any) -> set[int]:
        return {line.ref.project_id for line in await _all(pool, _window(**chosen))}

    assert await projects() == {1, 2, 3}
    assert await projects(group="company") == {1, 2}
    assert await projects(visible=frozenset({1, 3}), group="company") == {1}
    assert await projects(visible=frozenset({1}), project_id=2) == set()
    assert await projects(visible=frozenset()) == set()
    assert await projects(until=date(2026, 3, 9)) == set()


async def test_a_rule_is_listed_whatever_lies_between(pool: Any) -> None:
    """Filters by what comments are about hold, for names that are cut in the counts, too; pages leave no gap."""
    history = History(pool)
    long = "r" * 230
    wanted = [
        Said(1 + number % 3, 1, NOON - number * 5 * DAY, rule=long, model="m", digest="0123456789abcdef")
        for number in range(7)
    ]
    for one in (*wanted, *(Said(1, 1, NOON - number * HOUR, rule="b") for number in range(9))):
        await history.said(one)
    while await roll_up(pool):
        pass
    only = {Dimension.rule: long[:200], Dimension.model: "m@0123456789ab"}
    found = await _all(pool, _window(only=only))

    assert [line.id for line in found] == [one.id for one in wanted]
    assert (found[0].rule, found[0].project, found[0].title) == (long, "", "")


async def test_counts_of_what_is_gone_end_no_list(pool: Any) -> None:
    """Where single comments were dropped and their counts kept, older ones are still found."""
    history = History(pool)
    kept, dropped = Said(1, 1, NOON - 30 * DAY), [Said(1, 1, NOON - number * DAY) for number in range(12)]
    for one in (kept, *dropped):
        await history.said(one)
    while await roll_up(pool):
        pass
    await pool.execute("ALTER TABLE comment DISABLE TRIGGER USER")
    await pool.execute("DELETE FROM comment WHERE id = ANY($1::uuid[])", [one.id for one in dropped])
    page = await _dashboard(pool).comments(_window(), limit=1)

    assert [line.id for line in page.lines] == [kept.id]


@pytest.mark.parametrize(
    ("picked", "found"),
    [
        (Picked(), {1, 2, 3, 4, 5}),
        (Picked(Which.passed), {1, 4, 5}),
        (Picked(Which.blocked), {2, 3}),
        (Picked(Which.undecided), {3}),
        (Picked(Which.waived), {4}),
        (Picked(Which.silent), {1, 2, 3, 4}),
        (Picked(Which.unread), {5}),
        (Picked(unsaid=Reason.muted), {1, 2}),
        (Picked(Which.blocked, Reason.muted), {2}),
    ],
)
async def test_reviews_are_found_by_what_they_came_to(pool: Any, picked: Picked, found: set[int]) -> None:
    """Each verdict, and each reason to leave something unsaid, leads to its reviews, page by page."""
    history = History(pool)
    await history.reviewed(Reviewed(1, 1, NOON, filtered={"muted": 1}))
    await history.reviewed(Reviewed(2, 2, NOON + HOUR, blocking=1, filtered={"muted": 2, "mild": 1}))
    await history.reviewed(Reviewed(1, 3, NOON - DAY, blocking=1, undecided=True))
    await history.reviewed(Reviewed(1, 4, NOON - DAY, waived=1))
    await history.reviewed(Reviewed(2, 5, NOON - 9 * DAY, files_read=2, standing=True))
    while await roll_up(pool):
        pass
    listed, after = [], None
    while True:
        page = await _dashboard(pool).reviews(_window(), picked=picked, after=after, limit=1)
        listed += [line.ref.iid for line in page.lines]
        after = page.following
        if after is None:
            break

    assert (set(listed), len(listed)) == (found, len(found))


async def test_ones_own_reviews_are_picked_too(pool: Any) -> None:
    """Whoever sees only their own reviews of a project looks for what these came to, and finds none of others."""
    history = History(pool)
    for iid, author, blocking in ((1, 7, 1), (2, 7, 0), (3, 8, 1)):
        await history.reviewed(Reviewed(2, iid, NOON + iid * HOUR, author=author, blocking=blocking))
    await history.reviewed(Reviewed(1, 9, NOON, author=8, blocking=1))
    while await roll_up(pool):
        pass

    async def blocked(**chosen: Any) -> list[int]:
        page = await _dashboard(pool).reviews(_window(**chosen), picked=Picked(Which.blocked))
        return [line.ref.iid for line in page.lines]

    own = Own(7, frozenset({1, 2}))
    assert await blocked(visible=frozenset(), own=own) == [1]
    assert await blocked(visible=frozenset({1}), own=own) == [1, 9]
    assert await blocked(visible=frozenset({1, 2}), own=own) == [3, 1, 9]
