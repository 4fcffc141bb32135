"""The organisation's rules for commands that run once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.ports import RuleSource, Runner
    from bot.runtime.rulebook import Rulebook
    from bot.settings import Settings

#: A command is waited for; with a copy at hand, an old one is better than none.
_LIMIT_S = 20.0


async def packs_of(settings: Settings) -> tuple[tuple[Path, ...], list[str]]:
    """Return the directories of the rules that *settings* name, as new as can be, and what is wrong with any."""
    from bot.wiring_rules import rule_sources

    return await directories(rule_sources(settings))


async def rulebook(settings: Settings, key: bytes, runner: Runner) -> Rulebook:
    """Return the scanners with the shipped rules and those that *settings* name, as new as can be."""
    from bot.wiring_rules import rulebook

    book = rulebook(settings, key, runner)
    await book.refresh()
    return book


async def directories(sources: Sequence[RuleSource]) -> tuple[tuple[Path, ...], list[str]]:
    """Return where the rules of *sources* are, and which of them are old or missing, and why."""
    from bot.domain.errors import CloisterError

    found: list[Path] = []
    problems: list[str] = []
    for source in sources:
        why = f"no answer within {_LIMIT_S:.0f} s"
        try:
            async with asyncio.timeout(_LIMIT_S):
                found.append((await source.refresh()).directory)
            continue
        except CloisterError as error:
            why = str(error)
        except TimeoutError:
            pass
        last = await source.last()
        if last:
            found.append(last.directory)
        use = "its last copy is used" if last else "its rules are not used"
        problems.append(f"{source.name}: {why}; {use}")
    return tuple(found), problems
