"""Code of merge requests the one way, or else the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from bot.adapters.git_errors import GitOverHttpClosed
from bot.domain.diff import Diff
from bot.domain.history import History
from bot.domain.merge_request import Revision
from bot.ports import Blob, Occurrences, Workspaces

_T = TypeVar("_T")


class FallbackWorkspaces:
    """Use *primary*, and *fallback* for projects whose git over HTTP turns out to be closed."""

    def __init__(self, primary: Workspaces, fallback: Workspaces) -> None:
        self._primary = primary
        self._fallback = fallback
        self._closed: set[tuple[str, int]] = set()

    async def fetch(self, revision: Revision) -> None:
        """Make the commits available either way."""
        await self._either(revision, lambda workspaces: workspaces.fetch(revision))

    async def diff(self, revision: Revision) -> Diff:
        """Return the diff either way."""
        return await self._either(revision, lambda workspaces: workspaces.diff(revision))

    async def commits(self, revision: Revision) -> History:
        """Return the commits either way."""
        return await self._either(revision, lambda workspaces: workspaces.commits(revision))

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 1_000_000
    ) -> Mapping[str, Blob]:
        """Return the files either way."""
        return await self._either(
            revision, lambda workspaces: workspaces.read(revision, paths, side=side, max_bytes=max_bytes)
        )

    async def search(
        self, revision: Revision, names: Sequence[str], *, limit_s: float = 5.0, max_bytes: int = 500_000
    ) -> Occurrences:
        """Return the lines that hold one of *names*, either way."""
        return await self._either(
            revision,
            lambda workspaces: workspaces.search(revision, names, limit_s=limit_s, max_bytes=max_bytes),
        )

    async def paths(self, revision: Revision, *, side: str = "head") -> frozenset[str]:
        """Return the paths either way."""
        return await self._either(revision, lambda workspaces: workspaces.paths(revision, side=side))

    async def _either(self, revision: Revision, use: Callable[[Workspaces], Awaitable[_T]]) -> _T:
        project = (revision.ref.instance, revision.ref.project_id)
        if project not in self._closed:
            try:
                return await use(self._primary)
            except GitOverHttpClosed:
                self._closed.add(project)
        return await use(self._fallback)
