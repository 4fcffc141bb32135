"""How the operator's commands get at the database, beside a running Cloister or without one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from bot.domain.errors import Permanent

if TYPE_CHECKING:
    from bot.settings import Settings

#: So long a Cloister that has just begun may take to start its database.
_START_LIMIT_S = 15.0


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[str]:
    """Provide the URL of the database that Cloister works on.

    The embedded one is shared with the `cloister up` that runs it, or else started while the block lasts.

    Raises:
        Permanent: there is no database, or its schema is not that of this release.
    """
    async with AsyncExitStack() as stack:
        if settings.database_url:
            url = settings.database_url.get_secret_value()
            remedy = "run `cloister db upgrade`"
        else:
            url = await _embedded(settings, stack)
            remedy = "restart `cloister up` with this release"
        await _check_schema(url, remedy)
        yield url


async def _embedded(settings: Settings, stack: AsyncExitStack) -> str:
    from bot.adapters import migrations
    from bot.adapters.embedded_postgres import EmbeddedPostgres, InUse

    server = EmbeddedPostgres(settings.data_dir)
    if not server.exists:
        raise Permanent(
            f"there is no database in {settings.data_dir}: set CLOISTER_DATA_DIR or CLOISTER_DATABASE_URL"
            " as for the Cloister that you mean"
        )
    deadline = time.monotonic() + _START_LIMIT_S
    while True:
        try:
            url = await stack.enter_async_context(server)
        except InUse:
            shared = await asyncio.to_thread(server.running)
            if shared is not None:
                return shared
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            await asyncio.to_thread(migrations.upgrade, url)
            return url


async def _check_schema(url: str, remedy: str) -> None:
    from bot.adapters.migrations import current_revision, newest_revision

    current, newest = await current_revision(url), newest_revision()
    if current != newest:
        if current is not None and current > newest:
            remedy = "use the release that the rest of Cloister has"
        raise Permanent(f"the database has schema {current or 'none'}, this release needs {newest}: {remedy}")
