"""A Postgres of one's own that can be stopped, frozen, killed and started again at the same address."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Self

from bot.adapters.embedded_postgres import EmbeddedPostgres
from bot.adapters.migrations import upgrade


class Database:
    """Run a server below *directory*; use as an async context manager.

    Its socket file moves with every start, so clients reach it through a link.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="cloister-database-", ignore_cleanup_errors=True)
        self._directory = directory or Path(self._temporary.name, "data")
        self._link = Path(self._temporary.name, "socket")
        self._server = EmbeddedPostgres(self._directory)

    async def __aenter__(self) -> Self:
        # Run by root, the server gives up its rights, and still has to get through here.
        await asyncio.to_thread(Path(self._temporary.name).chmod, 0o755)
        await asyncio.to_thread(self.start)
        await asyncio.to_thread(upgrade, self.url)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.to_thread(self.stop)
        self._temporary.cleanup()

    @property
    def url(self) -> str:
        """Return the address, which outlives restarts."""
        return f"postgresql://postgres:@/postgres?host={self._link}"

    def start(self) -> None:
        """Start the server, on its old data if there are any."""
        url = self._server.start()
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(url.partition("?host=")[2])

    def stop(self) -> None:
        """Stop the server; connections are ended, what was committed stays."""
        self._server.stop()

    @property
    def pid(self) -> int:
        """Return the number of the server's first process."""
        return int((self._directory / "postgres" / "postmaster.pid").read_text().splitlines()[0])
