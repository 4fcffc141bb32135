"""How long feedback is kept."""

import pytest

from bot.settings import Settings, SettingsError, load


def days(value: str) -> int | None:
    """Return what a variable says."""
    return load(environ={"CLOISTER_DROP_FEEDBACK_AFTER_DAYS": value}, dotenv=None).settings.feedback_days


def test_two_years_unless_told_otherwise():
    """Never is a word, not a number that may be mistaken."""
    assert Settings().feedback_days == 730
    assert [days("90"), days(" 1095 "), days("Never")] == [90, 1095, None]


@pytest.mark.parametrize("value", ["89", "0", "-1", "36501", "2 years", "1e3", "nevermore", "٩٩"])
def test_what_is_no_number_of_days_is_one_line(value: str):
    """With the bounds: less would take labels that still change."""
    with pytest.raises(SettingsError) as raised:
        days(value)
    (line,) = str(raised.value).splitlines()
    assert line.startswith(
        "CLOISTER_DROP_FEEDBACK_AFTER_DAYS (environment): must be a number of days from 90 to 36500"
    )


def test_reviews_stay_unless_told_otherwise():
    """With the same bounds."""
    assert Settings().review_days is None
    assert load(environ={"CLOISTER_DROP_REVIEWS_AFTER_DAYS": "365"}, dotenv=None).settings.review_days == 365
    with pytest.raises(SettingsError, match="from 90 to 36500"):
        load(environ={"CLOISTER_DROP_REVIEWS_AFTER_DAYS": "30"}, dotenv=None)
