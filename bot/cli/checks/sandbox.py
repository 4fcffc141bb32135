"""Can unit tests that the model wrote be executed?"""

from __future__ import annotations

from bot.cli.checks import Check, fail, ok, skipped
from bot.ports import Sandbox

NAME = "sandbox"


async def sandbox(place: Sandbox | None) -> list[Check]:
    """Judge the sandbox by letting a program run in it."""
    if place is None:
        return [skipped(NAME, "CLOISTER_SANDBOX is off: unit tests of the model are not executed")]
    problem = await place.problem()
    if not problem:
        return [
            ok(NAME, "unit tests of the model are executed, cut off from everything but named directories")
        ]
    found, _, remedy = problem.partition("; ")
    return [fail(NAME, found, remedy or "see docs/unit-tests.md, or set CLOISTER_SANDBOX=off")]
