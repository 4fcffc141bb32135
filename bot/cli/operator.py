"""Who runs a command, for the audit log, and the database that the command works on."""

from __future__ import annotations

import os
import pwd
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from bot.cli.context import quiet_logs

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")


def actor() -> str:
    """Return whose account on this machine runs the command."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = "?"
    return f"command:{number}:{name}"


def on_database(settings: Settings, act: Callable[[Any], Awaitable[T]]) -> T:
    """Return what *act* makes of connections to the database of Cloister, whether that runs or not."""
    import asyncio

    quiet_logs()

    async def connected() -> T:
        from bot.adapters.postgres import connect_pool
        from bot.cli.connection import database_of

        async with database_of(settings) as url:
            pool = await connect_pool(url, size=2)
            try:
                return await act(pool)
            finally:
                await pool.close()

    return asyncio.run(connected())
