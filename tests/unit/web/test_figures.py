"""Figures read the same on every page, and claim no more than they can."""

from datetime import date

import pytest

from bot.domain.dashboard import Filters
from bot.domain.dashboard_measures import Counted, Measure, Tile
from bot.domain.evaluation.intervals import Share
from bot.web.dashboard.overview import told
from bot.web.figures import count, duration, merge_request_url, percent, size


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (percent(None), "none yet"),
        (percent(0.0), "0%"),
        (percent(0.034), "3.4%"),
        (percent(0.415), "42%"),
        (percent(0.999), "99.9%"),
        (percent(1.0), "100%"),
        (duration(None), "none yet"),
        (duration(0.4), "0.4 s"),
        (duration(59.6), "1 min"),
        (duration(3_725), "1 h 2 min"),
        (duration(90_000), "1 d 1 h"),
        (count(12_345), "12,345"),
        (count(2.44), "2.4"),
        (size(999), "999 B"),
        (size(2_310_000_000), "2.3 GB"),
        (size(4 * 10**15), "4,000.0 TB"),
    ],
)
def test_a_figure_is_short(said: str, shown: str):
    """It has the units of people, and enough digits."""
    assert said == shown


def test_a_link_stays_on_gitlab():
    """No path of a project names another host, query or fragment."""
    assert merge_request_url("https://gitlab.example/", "a b/c?d#e", 7) == (
        "https://gitlab.example/a%20b/c%3Fd%23e/-/merge_requests/7"
    )
    assert merge_request_url("https://gitlab.example", "", 7) == ""


def _tile(
    measure: Measure, value: float | None, n: int, before: float | None, share: Share | None = None
) -> Tile:
    return Tile(measure, Counted.comments, value, n, before, n, share)


@pytest.mark.parametrize(
    ("tile", "change", "mood"),
    [
        (_tile(Measure.acceptance, 0.6, 500, 0.4, Share(300, 500)), "up from 40%", "good"),
        (_tile(Measure.downvoted, 0.6, 500, 0.4, Share(300, 500)), "up from 40%", "bad"),
        (_tile(Measure.silent, 0.6, 500, 0.4, Share(300, 500)), "up from 40%", ""),
        (_tile(Measure.acceptance, 0.42, 50, 0.4, Share(21, 50)), "up from 40%; may be chance", ""),
        (_tile(Measure.acceptance, 0.9, 10, 0.1, Share(9, 10)), "10% before; too few to compare", "few"),
        (_tile(Measure.first_comment_p50, 100.0, 50, 105.0), "about as before: 1 min 45 s", ""),
        (_tile(Measure.first_comment_p50, 60.0, 50, 120.0), "down from 2 min", "good"),
        (_tile(Measure.open_criticals, 9.0, 50, 2.0), "up from 2", ""),
        (_tile(Measure.acceptance, None, 0, 0.4, Share(0, 0)), "nothing was counted in these days", "few"),
    ],
)
def test_only_clear_changes_are_coloured(tile: Tile, change: str, mood: str):
    """What chance, few cases or coarse counting explain is said, and has no colour of good or bad."""
    shown = told(tile, Filters(None, date(2026, 5, 1), date(2026, 5, 29)))

    assert (shown.change, shown.mood) == (change, mood)
