"""`cloister reconcile` without anything to look at."""

from tests.unit.cli.command import run


def test_what_is_missing_is_named():
    """Settings are checked before anything is started."""
    result = run("reconcile", CLOISTER_GITLAB_URL="https://gitlab.example")

    assert result.exit_code == 2
    assert "CLOISTER_GITLAB_TOKEN is not set" in result.stderr


def test_a_wrong_time_is_a_wrong_call():
    """The message shows how to write one."""
    result = run("reconcile", "--since", "tomorrow")

    assert result.exit_code == 2
    assert "2026-05-31T14:00" in result.stderr
