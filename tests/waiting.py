"""Waiting for what comes by itself: the one place where a look at a clock may fail a test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

#: Far more than a busy machine needs, and less than pytest gives a test.
PATIENCE_S = 150.0

_Answer = TypeVar("_Answer")


async def until(
    ask: Callable[[], Awaitable[_Answer]],
    otherwise: str,
    *,
    wanted: Callable[[_Answer], object] = bool,
    within_s: float = PATIENCE_S,
) -> _Answer:
    """Ask again and again, and return the first answer that is as it should be.

    Args:
        ask: what is asked.
        otherwise: what is wrong if no answer ever is.
        wanted: says whether an answer is as it should be; by default one that is true.
        within_s: how long it may take: many times what it takes a machine with nothing else to do.

    Raises:
        AssertionError: the time is up.
    """
    deadline = time.monotonic() + within_s
    while not wanted(answer := await ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{otherwise} within {within_s:g} s: {answer!r}")
        await asyncio.sleep(0.05)
    return answer


async def until_it_holds(holds: Callable[[], bool], otherwise: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for what is asked in a thread, since the answer may take a while."""
    await until(lambda: asyncio.to_thread(holds), otherwise, within_s=within_s)
