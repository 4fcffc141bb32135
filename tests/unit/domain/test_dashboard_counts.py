"""Counts as figures: distributions, tiles and points of time."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.buckets import bucket, exact_spread, middle, spread
from bot.domain.dashboard import Filters, Grain, Labels, Spread
from bot.domain.dashboard_counts import LABELS, overview, points
from bot.domain.dashboard_measures import DEFINITIONS, Measure

NOTHING = dict.fromkeys(
    (*LABELS, "downvoted", "silent", "files", "files_read", "blocked", "waived", "reviews", "merge_requests"),
    0,
) | {"posted": 0, "open_criticals": 0}


@given(st.lists(st.floats(0, 10**8), min_size=1, max_size=60))
def test_a_percentile_is_off_by_a_tenth_at_most(values: list[float]) -> None:
    """Whatever the values; below a second nothing is told apart."""
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket(value)] = counts.get(bucket(value), 0) + 1
    found = spread(counts)
    for share, value in ((0.5, found.p50), (0.95, found.p95)):
        exact = max(1.0, sorted(values)[math.ceil(share * len(values)) - 1])
        assert value is not None
        assert abs(value - exact) <= 0.1 * exact
    assert found.n == len(values)


@given(st.integers(0, 110))
def test_the_middle_of_a_bucket_is_in_it(number: int) -> None:
    """What stands for a bucket would be counted there."""
    assert bucket(middle(number)) == number


def test_of_nothing_there_is_no_percentile() -> None:
    """None is not zero."""
    assert spread({}) == Spread(0)
    assert exact_spread({1: 3, 2: 1, 9: 1}) == Spread(5, 1.0, 9.0)


def test_every_figure_has_a_definition_and_a_tile() -> None:
    """A figure is never shown without what it means."""
    tiles = overview((NOTHING, Spread(0)), (NOTHING, Spread(0)), as_of=None).tiles
    assert {tile.measure for tile in tiles} == set(Measure) == set(DEFINITIONS)
    assert all(tile.value is None and tile.delta is None and tile.few for tile in tiles)


def test_a_tile_says_by_how_much_it_changed() -> None:
    """Both windows are counted alike, and a few cases are marked as few."""
    now = NOTHING | {"accepted_strong": 30, "rejected_strong": 10, "unknown": 60}
    then = NOTHING | {"accepted_strong": 10, "rejected_strong": 10}
    tiles = {tile.measure: tile for tile in overview((now, Spread(0)), (then, Spread(0)), as_of=None).tiles}
    tile = tiles[Measure.acceptance]
    assert (tile.value, tile.n, tile.delta, tile.few) == (0.75, 40, 0.25, False)
    assert tiles[Measure.downvoted].n == 100


def test_shares_have_the_denominators_that_they_name() -> None:
    """Ignored comments count against adoption, and not against acceptance."""
    labels = Labels(accepted_strong=2, accepted_weak=1, rejected_strong=1, unknown=4, censored=8)
    shares = (labels.strict, labels.weak, labels.rejected, labels.adopted)
    assert [(share.count, share.of) for share in shares] == [(2, 4), (3, 4), (1, 4), (3, 8)]
    assert (labels.comments, labels.few) == (16, True)


@pytest.mark.parametrize(("grain", "count"), [(Grain.day, 15), (Grain.week, 3)])
def test_points_leave_no_day_out_and_hold_all_of_them(grain: Grain, count: int) -> None:
    """Days without anything are points too; weeks begin on Monday, and the last ones are recent."""
    window = Filters(visible=None, since=date(2026, 3, 4), until=date(2026, 3, 18))
    days = {date(2026, 3, day): {"unknown": 1, "reviews": 2, "downvoted": 0} for day in (4, 8, 9, 18)}
    found = points(window, grain, days, today=date(2026, 3, 18))
    assert len(found) == count
    assert sum(point.labels.unknown for point in found) == 4
    assert sum(point.reviews for point in found) == 8
    assert [point.recent for point in found if point.starts < date(2026, 3, 4)] in ([], [False])
    assert found[-1].recent
    assert grain is Grain.day or all(point.starts.weekday() == 0 for point in found)
