"""`cloister reconcile` without anything to look at."""

from datetime import UTC, datetime

import pytest
import typer

from bot.cli.reconcile import moment
from tests.unit.cli.command import run


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (datetime(2026, 5, 31, 8, tzinfo=UTC), "2026-05-31T08:00Z"),
        (datetime(2026, 5, 31, 8, tzinfo=UTC), "2026-05-31T10:00+02:00"),
        (datetime(2026, 5, 31, 8, tzinfo=UTC), "2026-05-31 08:00"),
        (datetime(2026, 5, 31, tzinfo=UTC), "2026-05-31"),
    ],
)
def test_times_are_read_with_and_without_a_zone(expected: datetime, text: str):
    """Without one they are in UTC, as the times in the log are."""
    assert expected == moment(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00", "2999-01-01"])
def test_other_times_are_refused(text: str):
    """Neither one that is none, nor one that has not come."""
    with pytest.raises(typer.BadParameter, match="--since"):
        moment(text)


def test_what_is_missing_is_named():
    """Settings are checked before anything is started."""
    result = run("reconcile", CLOISTER_GITLAB_URL="https://gitlab.example")

    assert result.exit_code == 2
    assert "CLOISTER_GITLAB_TOKEN is not set" in result.stderr


def test_a_wrong_time_is_a_wrong_call():
    """The message shows how to write one."""
    result = run("reconcile", "--since", "tomorrow")

    assert result.exit_code == 2
    assert "2026-05-31T08:00Z" in result.stderr
