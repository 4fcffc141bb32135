"""The views say what the history holds."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.dashboard_postgres import PostgresDashboard
from bot.adapters.rollups_postgres import roll_up
from bot.domain.dashboard import Dimension, Filters, Grain, TooSlow
from bot.domain.dashboard_measures import Measure
from bot.domain.review_detail import ReviewLine
from bot.domain.review_fact import Reason
from bot.domain.viewer import Own, Reach
from tests.history import INSTANCE, History, Reviewed, Said

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def window(**more: Any) -> Filters:
    """Return filters of three months around the history."""
    chosen = {"visible": None, "since": date(2026, 1, 20), "until": date(2026, 4, 5)} | more
    return Filters(**chosen)


def dashboard(pool: Any) -> PostgresDashboard:
    """Return what is tested."""
    return PostgresDashboard(pool, INSTANCE, SystemClock())


async def test_every_view_counts_the_same_history(pool: Any) -> None:
    """A reviewed and merged request with a comment accepted and one rejected is found in each view."""
    history = History(pool)
    await history.project(1, "company/team/shop")
    good = Said(1, 5, NOON, had_suggestion=True)
    bad = Said(1, 5, NOON + HOUR, rule="python.naming", category="style", severity="critical")
    for said in (good, bad):
        await history.said(said)
    review = Reviewed(1, 5, NOON - HOUR, commented_after=HOUR, posted=2, standing=True, filtered={"mild": 3})
    await history.reviewed(review)
    await history.reviewed(Reviewed(1, 5, NOON + DAY, files_read=2, blocking=1))
    await history.signal(good, "applied", 2 * HOUR)
    await history.signal(bad, "reaction_added", HOUR, emoji="thumbsdown_tone1")
    await history.signal(good, "merged", 3 * DAY)
    await history.label(good, "accepted_strong")
    await history.label(bad, "rejected_strong")
    while await roll_up(pool):
        pass
    views = dashboard(pool)

    tiles = {tile.measure: tile for tile in (await views.overview(window())).tiles}
    assert set(tiles) == set(Measure)
    shares = {measure: tile.share for measure, tile in tiles.items() if tile.share}
    assert {measure: (share.count, share.of) for measure, share in shares.items()} == {
        Measure.acceptance: (1, 2),
        Measure.acceptance_weak: (1, 2),
        Measure.downvoted: (1, 2),
        Measure.silent: (1, 2),
        Measure.coverage: (5, 6),
        Measure.blocked: (1, 2),
        Measure.waived: (0, 2),
    }
    assert tiles[Measure.open_criticals].value == 1
    assert tiles[Measure.comments_per_merge_request].value == 2
    assert abs((tiles[Measure.first_comment_p50].value or 0) / 3600 - 1) < 0.1

    funnel = await views.funnel(window())
    assert (funnel.generated, funnel.filtered, funnel.posted) == (5, ((Reason.mild, 3),), 2)
    assert (funnel.comments, funnel.acted_on, funnel.suggested, funnel.applied) == (2, 1, 1, 1)

    rows = (await views.acceptance(window(), Dimension.rule)).rows
    assert [(row.value, row.labels.strict.count, row.downvoted) for row in rows] == [
        ("python.sql-built", 1, 0),
        ("python.naming", 0, 1),
    ]

    points = (await views.time_series(window(), Grain.week)).points
    assert [(point.starts, point.labels.decided, point.reviews) for point in points if point.reviews] == [
        (date(2026, 3, 9), 2, 2)
    ]

    (noise,) = (await views.noise(window())).rows
    assert (noise.rule, noise.samples) == ("python.naming", (bad.id,))

    flow = await views.flow(window())
    assert (flow.merge.n, flow.resolve.n, flow.first_comment.n) == (1, 1, 1)
    assert (flow.rounds.p50, abs((flow.resolve.p50 or 0) / 7200 - 1) < 0.1) == (2, True)

    gate = await views.gate(window())
    assert (gate.reviews, gate.blocked, gate.undecided, gate.waived) == (2, 1, 0, 0)


async def test_the_newest_rejected_comments_are_shown_however_old(pool: Any) -> None:
    """Three of a rule, of late where there are as many, older ones after them; of a project and month it is one."""
    history = History(pool)
    many = [Said(project, 1, NOON + n * DAY, rule="r.many") for n in range(2) for project in (1, 2)]
    few = [Said(1, 2, NOON - days * DAY, rule="r.few") for days in (5, 70, 100, 200)]
    rare = [Said(1, 3, NOON - 150 * DAY, rule="r.rare")]
    for said in (*many, *few, *rare):
        await history.said(said)
        await history.label(said, "rejected_strong")
    while await roll_up(pool):
        pass
    filters = replace(window(), since=(NOON - 210 * DAY).date())
    samples = {row.rule: row.samples for row in (await dashboard(pool).noise(filters)).rows}
    newest = {one.id for one in many[2:]}
    assert {"r.few": tuple(one.id for one in few[:3]), "r.rare": (rare[0].id,)} == {
        rule: samples[rule] for rule in ("r.few", "r.rare")
    }
    assert (set(samples["r.many"]), len(samples["r.many"])) == (newest, 2)
    late = replace(filters, since=(NOON - 6 * DAY).date())
    assert [row.samples for row in (await dashboard(pool).noise(late)).rows if row.rule == "r.few"] == [
        (few[0].id,)
    ]


async def test_nothing_of_other_projects_is_shown(pool: Any) -> None:
    """Whatever the filters ask, only visible projects are counted and listed."""
    history = History(pool)
    for project_id, path in ((1, "company/shop"), (2, "company/secret"), (3, "other/thing")):
        await history.project(project_id, path)
        await history.said(Said(project_id, 1, NOON))
        await history.reviewed(Reviewed(project_id, 1, NOON, posted=1, standing=True))
    await roll_up(pool)
    views = dashboard(pool)

    async def reviews_of(filters: Filters) -> set[int]:
        page = await views.reviews(filters)
        funnel = await views.funnel(filters)
        found = {line.ref.project_id for line in page.lines}
        assert funnel.posted == funnel.comments == len(page.lines) == len(found)
        return found

    assert await reviews_of(window()) == {1, 2, 3}
    assert await reviews_of(window(group="Company")) == {1, 2}
    assert await reviews_of(window(visible=frozenset({1, 3}))) == {1, 3}
    assert await reviews_of(window(visible=frozenset({1, 3}), group="company")) == {1}
    assert await reviews_of(window(visible=frozenset({1}), project_id=2)) == set()
    assert await reviews_of(window(visible=frozenset())) == set()
    (line,) = (await views.reviews(window(project_id=2))).lines
    assert await views.review(line.run_id, Reach(frozenset({1}))) is None
    assert await views.review(line.run_id, Reach(frozenset({2}))) is not None


async def test_ones_own_reviews_are_listed_beside_those_of_whole_projects(pool: Any) -> None:
    """Once each, in the order of time over the pages; the newest of a merge request alone where that is asked for."""
    history, reviewed = History(pool), []
    for project_id, iid, author in (
        (1, 1, 7),
        (2, 1, 7),
        (2, 2, 8),
        (2, 1, 7),
        (3, 1, 7),
        (1, 2, None),
        (2, 3, None),
    ):
        await history.project(project_id, f"company/{project_id}")
        at = NOON + len(reviewed) * HOUR
        reviewed.append(Reviewed(project_id, iid, at, author=author))
        await history.reviewed(reviewed[-1])
    views, own = dashboard(pool), Own(7, frozenset({1, 2}))

    async def listed(filters: Filters, *, newest: bool = False) -> list[int]:
        found, after = [], None
        while True:
            page = await views.reviews(filters, after=after, limit=2, newest=newest)
            found += [
                reviewed.index(one) for line in page.lines for one in reviewed if one.run_id == line.run_id
            ]
            after = page.following
            if after is None:
                return found

    both = window(visible=frozenset({1}), own=own)
    assert await listed(both) == [5, 3, 1, 0]
    assert await listed(replace(both, project_id=2)) == [3, 1]
    assert await listed(replace(both, group="company/3")) == []
    assert await listed(window(visible=frozenset(), own=own), newest=True) == [3, 0]
    assert await listed(window(visible=frozenset(), own=Own(7, None)), newest=True) == [4, 3, 0]
    assert await listed(window(visible=frozenset(), own=Own(9, None))) == []
    reach = Reach(frozenset({1}), own)
    seen = [await views.review(one.run_id, reach) is not None for one in reviewed]
    assert seen == [True, True, False, True, False, True, False]


async def test_what_changed_is_that_of_the_projects_that_are_shown(pool: Any) -> None:
    """A model that only another project has is no marker, nor is one that these projects had before the window."""
    history = History(pool)
    for project_id, path in ((1, "company/shop"), (2, "company/secret")):
        await history.project(project_id, path)
    early, late = datetime(2026, 1, 10, tzinfo=UTC), NOON + DAY
    for project_id, at, model in (
        (1, early, "old"),
        (1, NOON, "old"),
        (2, NOON, "secret"),
        (2, NOON, "shared"),
        (1, late, "shared"),
    ):
        await history.said(Said(project_id, 1, at, model=model, digest="0" * 64, prompt=f"{model} prompt"))
    await roll_up(pool)

    async def told(**more: Any) -> list[tuple[date, str, str]]:
        series = await dashboard(pool).time_series(window(**more), Grain.week)
        return [(one.on, one.change.value, one.value.split("@")[0]) for one in series.markers]

    def both(day: datetime, model: str) -> list[tuple[date, str, str]]:
        return [(day.date(), "model", model), (day.date(), "prompt", f"{model} prompt")]

    ours = both(late, "shared")
    assert await told(visible=frozenset({1})) == await told(project_id=1) == ours
    assert await told(visible=frozenset({1}), since=date(2026, 3, 1)) == ours
    assert await told(visible=frozenset({1}), since=date(2026, 1, 1)) == both(early, "old") + ours
    assert await told(project_id=2) == sorted(both(NOON, "secret") + both(NOON, "shared"))
    assert await told(visible=frozenset({1}), project_id=2) == []
    assert await told() == await told(group="company") == sorted(both(NOON, "secret") + both(NOON, "shared"))


async def test_a_view_that_takes_too_long_says_so(pool: Any) -> None:
    """That is no outage, and the next view gets its connection."""
    slow = PostgresDashboard(pool, INSTANCE, SystemClock(), limit_s=0.05)
    await History(pool).project(1, "company/shop")
    async with pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE rollup")
        with pytest.raises(TooSlow, match=r"longer than 0\.05 s: choose fewer days"):
            await slow.overview(window())
    assert await slow.overview(window())


async def test_a_filter_by_a_dimension_holds_comments_to_it(pool: Any) -> None:
    """Comments are those of the rule alone, reviews stay as they are."""
    history = History(pool)
    for rule in ("a", "a", "b"):
        await history.said(Said(1, 1, NOON, rule=rule, model="m", digest="0123456789abcdef"))
    await history.reviewed(Reviewed(1, 1, NOON, posted=3, standing=True))
    await roll_up(pool)
    views = dashboard(pool)
    only = window(only={Dimension.rule: "a", Dimension.model: "m@0123456789ab"})
    funnel = await views.funnel(only)
    assert (funnel.comments, funnel.posted) == (2, 3)
    points = (await views.time_series(only, Grain.day)).points
    assert sum(point.labels.comments for point in points) == 2
    assert (await views.funnel(window(only={Dimension.rule: "none"}))).comments == 0


async def test_pages_of_reviews_follow_each_other_without_gaps(pool: Any) -> None:
    """Reviews of the same moment are on one page or the next, each once."""
    history = History(pool)
    for number in range(7):
        await history.reviewed(Reviewed(1 + number % 2, number + 1, NOON + timedelta(hours=number // 3)))
    await roll_up(pool)
    for visible in (None, frozenset({1, 2})):
        found: list[ReviewLine] = []
        after = None
        while True:
            page = await dashboard(pool).reviews(window(visible=visible), after=after, limit=2)
            found += page.lines
            after = page.following
            if after is None:
                break
        assert len({line.run_id for line in found}) == len(found) == 7
        assert [line.created_at for line in found] == sorted((one.created_at for one in found), reverse=True)


async def test_health_of_an_empty_installation(pool: Any) -> None:
    """Nothing waits, nothing is due, and nothing is known of labels."""
    health = await dashboard(pool).health()
    assert (health.letter_count, health.queues, health.due, health.unknown_share) == (0, (), 0, None)
    assert health.database_bytes > 0
    overview = await dashboard(pool).overview(window())
    assert overview.as_of is None
    assert all(not tile.value for tile in overview.tiles)
