"""Where tests may be executed, and what they may see there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.checks import Outcome
from bot.cli.checks.sandbox import sandbox
from bot.settings import SettingsError, load
from bot.settings_sandbox import sandbox_roots
from bot.wiring_unit_tests import sandbox_of


def test_it_is_off_unless_switched_on():
    """Nothing of a project is executed by default."""
    assert sandbox_of(load(environ={}, dotenv=None).settings) is None
    assert sandbox_of(load(environ={"CLOISTER_SANDBOX": "Bubblewrap"}, dotenv=None).settings) is not None


def test_roots_are_separated_by_commas_or_lines():
    """In order, each once."""
    assert sandbox_roots("/opt/a, /opt/b\n/opt/a,") == (Path("/opt/a"), Path("/opt/b"))
    assert sandbox_roots(None) == ()


@pytest.mark.parametrize(
    "value", ["opt/a", "/opt/../etc", "/", "/etc", "/home/", "/tmp", "/opt/a,/root", "/opt/a:b"]
)
def test_roots_that_reveal_more_than_tools_are_refused(value: str):
    """With the variable's name and what to do."""
    with pytest.raises(SettingsError, match="CLOISTER_SANDBOX_ROOTS"):
        load(environ={"CLOISTER_SANDBOX_ROOTS": value}, dotenv=None)


class Place:
    """A sandbox with a problem, or none."""

    def __init__(self, said: str) -> None:
        self.said = said

    async def problem(self) -> str:
        """Return it."""
        return self.said

    def holding(self, files: object) -> None:  # type: ignore[empty-body]
        """Hold nothing."""


async def test_the_doctor_says_what_is_wrong():
    """Off is no fault; a sandbox that is on must work."""
    (off,), (good,), (bad,) = [
        await sandbox(place) for place in (None, Place(""), Place("bwrap not found; install it"))
    ]  # type: ignore[arg-type]
    assert (off.outcome, good.outcome, bad.outcome) == (Outcome.skipped, Outcome.ok, Outcome.fail)
    assert (bad.detail, bad.remedy) == ("bwrap not found", "install it")
