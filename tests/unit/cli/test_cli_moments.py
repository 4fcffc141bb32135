"""The times that commands understand."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import typer

from bot.cli.moments import moment

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(days=7)),
        ("0s", NOW),
        ("2026-05-31T14:00Z", datetime(2026, 5, 31, 14, tzinfo=UTC)),
        ("2026-05-31T14:00+02:00", datetime(2026, 5, 31, 14, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-05-31", datetime(2026, 5, 31).astimezone()),
    ],
)
def test_a_time_is_a_date_or_a_span_back_from_now(text: str, expected: datetime):
    """Without an offset a date is local."""
    assert expected == moment(text, NOW)


@pytest.mark.parametrize(
    "text", ["", "2", "h", "2 h", "-2h", "2y", "2h3m", "yesterday", "999999w", "2026-06-02", "0000-01-01"]
)
def test_what_names_no_time_in_the_past_is_refused(text: str):
    """The message quotes it."""
    with pytest.raises(typer.BadParameter, match=f"{text!r}"):
        moment(text, NOW)
