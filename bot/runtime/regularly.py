"""Passes that are made again and again, whatever becomes of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from bot.domain.errors import CloisterError
from bot.domain.retry import describe

log = structlog.get_logger()


async def regularly(
    make_pass: Callable[[], Awaitable[object]], *, every_s: float, failed: str, **facts: object
) -> NoReturn:
    """Make a pass, wait for *every_s*, and so on until cancelled.

    No failure of a pass ends this, for nobody would notice that the work stands still: neither an outage, nor an
    exception that nobody foresaw, whose traceback is logged.

    Args:
        make_pass: may be broken off at any time.
        every_s: seconds from the end of a pass to the next one.
        failed: the log event for a pass that failed.
        facts: more fields of that event.
    """
    while True:
        (outcome,) = await asyncio.gather(make_pass(), return_exceptions=True)
        if isinstance(outcome, Exception):
            bug = None if isinstance(outcome, CloisterError) else outcome
            log.warning(failed, error=describe(outcome), exc_info=bug, **facts)
        await asyncio.sleep(every_s)
