"""A month of feedback goes when it is old as a whole, and not a moment earlier."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.retention import gone_before

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NOWS = st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1), timezones=ZONES)  # noqa: DTZ001 - bounds of naive ones
MICROSECOND = timedelta(microseconds=1)


def month_of(moment: datetime) -> datetime:
    """Return the beginning of the month in which a comment of *moment* has its signals."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@given(NOWS, st.integers(90, 3650), st.timedeltas(timedelta(), timedelta(days=3650)))
@example(datetime(2026, 3, 1, tzinfo=UTC), 365, timedelta())
@example(datetime(2028, 2, 29, 23, 59, tzinfo=timezone(timedelta(hours=-14))), 366, timedelta())
def test_nothing_younger_ever_goes(now: datetime, days: int, later: timedelta) -> None:
    """In any zone: what is exactly so old, or younger, is in a month that stays."""
    posted = min(now, now - timedelta(days=days) + later)
    assert gone_before(now, days) <= month_of(posted)


@given(NOWS, st.integers(90, 3650), st.timedeltas(MICROSECOND, timedelta(days=3650)))
def test_whatever_is_old_as_a_whole_goes(now: datetime, days: int, earlier: timedelta) -> None:
    """The month before the oldest that stays is older to its last moment; nothing waits a month too long."""
    before = gone_before(now, days)
    assert before == month_of(before)
    assert before - MICROSECOND < now - timedelta(days=days)
    posted = now - timedelta(days=days) - earlier
    next_month = month_of(month_of(posted) + timedelta(days=32))
    assert (next_month <= before) == (next_month <= now - timedelta(days=days))


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-11-26T12:00:00+00:00", "2024-11-01"),
        ("2026-11-30T23:59:59+00:00", "2024-11-01"),
        ("2026-12-01T00:00:00+00:00", "2024-12-01"),
        ("2026-12-01T02:00:00+08:00", "2024-11-01"),
        ("2026-11-30T20:00:00-06:00", "2024-12-01"),
        ("2026-01-31T00:00:00+00:00", "2024-02-01"),
    ],
)
def test_edges_of_months_are_those_of_utc(now: str, first: str) -> None:
    """Two years, 730 days, are counted from the moment, and then down to the month."""
    assert gone_before(datetime.fromisoformat(now), 730) == datetime.fromisoformat(f"{first}T00:00:00+00:00")
