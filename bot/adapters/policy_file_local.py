"""The policy of the instance in a file of this machine, read anew each time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.domain.errors import Permanent

_MAX_BYTES = 100_000


class LocalPolicyFile:
    """Implement ``bot.ports.PolicyFiles`` for the one file that the operator names, whatever path is asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def name(self) -> str:
        """Return its path."""
        return str(self._file)

    async def read(self, path: str) -> bytes | None:
        """Return the file; see the port. It has been named, so it must be there."""
        del path
        return await asyncio.to_thread(self._content)

    def _content(self) -> bytes:
        try:
            with self._file.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except OSError as error:
            msg = f"the policy {self._file} cannot be read ({error.strerror}); correct CLOISTER_POLICY_FILE"
            raise Permanent(msg) from error
        if len(content) > _MAX_BYTES:
            raise Permanent(f"the policy {self._file} is larger than {_MAX_BYTES // 1000} kB; shorten it")
        return content
