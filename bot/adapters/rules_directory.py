"""Rules in a directory of this machine, such as a mounted volume."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from bot.domain.errors import Permanent
from bot.ports import RuleCopy

_MAX_FILES = 20_000


class DirectoryRules:
    """Implement ``bot.ports.RuleSource``; the directory is used where it is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def name(self) -> str:
        """Return its path."""
        return str(self._directory)

    async def last(self) -> RuleCopy | None:
        """Return the directory if it is there."""
        return await self.refresh() if self._directory.is_dir() else None

    async def refresh(self) -> RuleCopy:
        """Return the directory; names, sizes and times of its files make the version.

        Raises:
            Permanent: it is not there, or holds far more files than rules need.
        """
        return RuleCopy(self._directory, await asyncio.to_thread(_version, self._directory))


def _version(directory: Path) -> str:
    if not directory.is_dir():
        raise Permanent(f"the directory of rules {directory} does not exist; correct CLOISTER_RULES_DIRS")
    digest = hashlib.sha256()
    for number, file in enumerate(sorted(directory.rglob("*"))):
        if number > _MAX_FILES:
            raise Permanent(f"{directory} has over {_MAX_FILES} files; name the directory with the rules")
        try:
            state = file.stat()
        except OSError:
            continue
        digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
