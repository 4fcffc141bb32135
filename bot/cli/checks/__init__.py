"""What `cloister doctor` looks at: small checks that say what is wrong and what to do.

The checks take values and small protocols, never settings or vendors, so that each runs with nothing
around it; `bot.cli.doctor` puts them together.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable
from dataclasses import dataclass

from bot.domain.errors import CloisterError

#: An interactive command: what has not answered by then counts as broken.
CHECK_LIMIT_S = 5.0


class Outcome(enum.StrEnum):
    """How a check went; only ``fail`` makes the doctor's exit status 1."""

    ok = "ok"
    warn = "warn"
    fail = "fail"
    skipped = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """Hold the result of one check; ``remedy`` says what to do unless all is well."""

    name: str
    outcome: Outcome
    detail: str
    remedy: str = ""


def ok(name: str, detail: str) -> Check:
    """Return a check that went well."""
    return Check(name, Outcome.ok, detail)


def warn(name: str, detail: str, remedy: str) -> Check:
    """Return a check that works but should not stay as it is."""
    return Check(name, Outcome.warn, detail, remedy)


def fail(name: str, detail: str, remedy: str) -> Check:
    """Return a check that keeps Cloister from working."""
    return Check(name, Outcome.fail, detail, remedy)


def skipped(name: str, detail: str, remedy: str = "") -> Check:
    """Return a check that could not be made, and why."""
    return Check(name, Outcome.skipped, detail, remedy)


async def guarded(
    name: str, checks: Awaitable[list[Check]], *, remedy: str, limit_s: float = CHECK_LIMIT_S
) -> list[Check]:
    """Return *checks*, or one failed check called *name* when they break or take longer than *limit_s*."""
    try:
        async with asyncio.timeout(limit_s):
            return await checks
    except TimeoutError:
        return [fail(name, f"no answer within {limit_s:g} s", remedy)]
    except CloisterError as error:
        return [fail(name, str(error), remedy)]


def version_of(text: str) -> tuple[int, int, int]:
    """Return the first three numbers of a version such as ``17.5.1-ee`` or ``v0.17``; missing ones are 0.

    Raises:
        ValueError: *text* does not start with a number.
    """
    numbers = []
    for part in text.strip().removeprefix("v").split(".")[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    if not numbers:
        msg = f"{text[:40]!r} is not a version"
        raise ValueError(msg)
    major, minor, patch = (*numbers, 0, 0)[:3]
    return major, minor, patch
