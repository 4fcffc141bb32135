"""Code of merge requests from cached bare mirrors, one for each project."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bot.adapters.git_diff import read_diff
from bot.adapters.git_errors import GitFailed, from_fetch
from bot.adapters.git_fetch import TooLarge, advertised, by_id, transfer, url_on
from bot.adapters.git_history import commits_of, read_history
from bot.adapters.git_lock import file_lock
from bot.adapters.git_objects import list_files, read_blobs
from bot.adapters.git_process import Git
from bot.adapters.git_search import search
from bot.adapters.recent import Recent
from bot.domain.diff import Diff
from bot.domain.errors import Permanent, Transient
from bot.domain.history import CommitDiff, History
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.ports import Blob, Occurrences

_T = TypeVar("_T")
_Made = tuple[int, ...]

#: Revisions whose diffs and arrival are remembered: those under review at one time.
_REMEMBERED_DIFFS = 8
_REMEMBERED_REVISIONS = 1_024
#: Each fetch leaves one pack; look-ups slow down with their number.
_MAX_PACKS = 50
#: One on a mirror that may be damaged, one on another that a second reader replaced, and one more.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what one merge request may cost."""

    fetch_s: float = 300.0
    command_s: float = 60.0
    repository_bytes: int = 5_000_000_000
    diff_bytes: int = 20_000_000


@dataclass(frozen=True, slots=True)
class _Mirror:
    path: Path
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)
    diffing: asyncio.Lock = field(default_factory=asyncio.Lock)


class GitMirror:
    """Fetch merge requests, forks included, into bare repositories below *root*, and read them there.

    A commit is fetched by its id, which GitLab keeps reachable in the target project even for forks; a
    server that hands out only what it advertises is asked for its branches and the merge request's refs.
    Mirrors are shared between processes on one machine, made anew when damaged, and never checked out.

    Args:
        root: directory of the mirrors, on a local disk.
        forge_url: base URL of the forge; requests and the token go nowhere else.
        clone_url: project id -> clone URL as the forge states it; only its path is used.
        token: access token with the scope ``api`` or ``read_repository``; empty for none.
        ca_file: certificate authorities to trust instead of the system's.
        limits: what one merge request may cost.
    """

    def __init__(
        self,
        root: Path,
        *,
        forge_url: str,
        clone_url: Callable[[int], Awaitable[str]],
        token: str = "",
        ca_file: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._root = root
        self._forge_url = forge_url
        self._clone_url = clone_url
        self._git = Git(forge_url=forge_url, token=token, ca_file=ca_file)
        self._limits = limits or Limits()
        self._mirrors: dict[tuple[str, int], _Mirror] = {}
        #: Which mirror a revision has arrived in; other processes may put a new one in its place.
        self._arrived: Recent[Revision, _Made] = Recent(_REMEMBERED_REVISIONS)
        self._diffs: Recent[tuple[Path, str, str], Diff] = Recent(_REMEMBERED_DIFFS)

    async def fetch(self, revision: Revision) -> None:
        """Make the commits available; costs nothing when they are known to be there.

        Raises:
            Transient: the forge is out of reach, or a commit has not arrived yet.
            Permanent: access is denied, or the repository is too large. ``GitOverHttpClosed`` where the forge
                serves no git over HTTP.
        """
        mirror = self._mirror(revision.ref)
        made = _made(mirror.path)
        if made and self._arrived.get(revision) == made:
            return
        async with self._exclusive(mirror):
            try:
                await self._bring(mirror, revision)
            except GitFailed as failure:
                if not failure.broken_mirror:
                    raise _unusable(failure) from failure
                await self._discard(mirror)
                await self._bring_anew(mirror, revision)
            self._arrived.put(revision, _made(mirror.path))

    async def diff(self, revision: Revision) -> Diff:
        """Return the exact diff from base to head; files past the size limit are ``truncated``."""
        mirror = self._mirror(revision.ref)
        key = (mirror.path, revision.base_sha, revision.head_sha)
        async with mirror.diffing:
            return self._diffs.get(key) or self._diffs.put(
                key, await self._mending(revision, lambda: self._compute_diff(mirror, revision))
            )

    async def commits(self, revision: Revision) -> History:
        """Return what each commit of the branch adds; a branch of one adds what its diff shows."""
        mirror = self._mirror(revision.ref)
        commits = await self._mending(revision, lambda: commits_of(self._git, mirror.path, revision))
        if len(commits) <= 1:
            return History(tuple([CommitDiff(sha, await self.diff(revision)) for sha in commits]))
        limits = self._limits
        return await self._mending(
            revision,
            lambda: read_history(
                self._git, mirror.path, commits, limit_s=limits.command_s, max_bytes=limits.diff_bytes
            ),
        )

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 1_000_000
    ) -> Mapping[str, Blob]:
        """Return the regular files at *side*; one over *max_bytes* comes without its content."""
        commit, mirror = revision.at(side), self._mirror(revision.ref)
        return await self._mending(
            revision, lambda: read_blobs(self._git, mirror.path, commit, paths, max_bytes)
        )

    async def search(
        self, revision: Revision, names: Sequence[str], *, limit_s: float = 5.0, max_bytes: int = 500_000
    ) -> Occurrences:
        """Return the lines at the head that hold one of *names*."""
        path, head = self._mirror(revision.ref).path, revision.head_sha
        return await self._mending(
            revision, lambda: search(self._git, path, head, names, limit_s=limit_s, max_bytes=max_bytes)
        )

    async def paths(self, revision: Revision, *, side: str = "head") -> frozenset[str]:
        """Return the paths of all regular files at *side*."""
        commit, mirror = revision.at(side), self._mirror(revision.ref)
        return await self._mending(revision, lambda: list_files(self._git, mirror.path, commit))

    async def _compute_diff(self, mirror: _Mirror, revision: Revision) -> Diff:
        return await read_diff(
            self._git,
            mirror.path,
            revision,
            limit_s=self._limits.command_s,
            max_bytes=self._limits.diff_bytes,
        )

    async def _mending(self, revision: Revision, operation: Callable[[], Awaitable[_T]]) -> _T:
        """Run *operation* on the fetched revision; on a damaged mirror, again on a new one."""
        mirror, said = self._mirror(revision.ref), ""
        for _ in range(_TRIES):
            await self.fetch(revision)
            made = _made(mirror.path)
            try:
                return await operation()
            except GitFailed as failure:
                if not failure.broken_mirror:
                    raise Permanent(f"git cannot read {revision.ref}: {failure.stderr}") from failure
                said = failure.stderr
            async with self._exclusive(mirror):
                # Another reader may have put a new one in its place, under this one and for others who read now.
                if _made(mirror.path) == made:
                    await self._discard(mirror)
        raise Permanent(f"the repository of {revision.ref} is damaged: {said}")

    def _mirror(self, ref: MergeRequestRef) -> _Mirror:
        instance = hashlib.sha256(ref.instance.encode()).hexdigest()[:12]
        path = self._root / f"{instance}-{ref.project_id}.git"
        return self._mirrors.setdefault((ref.instance, ref.project_id), _Mirror(path))

    @contextlib.asynccontextmanager
    async def _exclusive(self, mirror: _Mirror) -> AsyncIterator[None]:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with mirror.fetching, file_lock(mirror.path.with_suffix(".lock"), limit_s=self._limits.fetch_s):
            yield

    async def _discard(self, mirror: _Mirror) -> None:
        self._arrived.clear()
        await asyncio.to_thread(shutil.rmtree, mirror.path, ignore_errors=True)

    async def _bring(self, mirror: _Mirror, revision: Revision) -> None:
        if not mirror.path.is_dir():
            await self._create(mirror)
        elif not await self._missing(mirror, revision):
            return
        await self._fetch_commits(mirror, revision)

    async def _bring_anew(self, mirror: _Mirror, revision: Revision) -> None:
        try:
            await self._bring(mirror, revision)
        except GitFailed as failure:
            raise _unusable(failure) from failure

    async def _create(self, mirror: _Mirror) -> None:
        # Made aside and renamed: a crash leaves no half mirror. An unborn HEAD keeps git from reading
        # attributes out of the project's default branch.
        with tempfile.TemporaryDirectory(dir=self._root, prefix=".new-") as aside:
            new = Path(aside) / "new.git"
            new.mkdir()
            await self._git.run("init", "-q", "--bare", "--template=", "--initial-branch=unborn", at=new)
            new.rename(mirror.path)

    async def _missing(self, mirror: _Mirror, revision: Revision) -> bool:
        commits = {revision.base_sha, revision.start_sha, revision.head_sha}
        asked = "".join(f"{commit}^{{tree}}\n" for commit in commits)
        output = await self._git.run("cat-file", "--batch-check", at=mirror.path, stdin=asked.encode())
        return output.stdout.count(b" tree ") < len(commits)

    async def _fetch_commits(self, mirror: _Mirror, revision: Revision) -> None:
        url = url_on(self._forge_url, await self._clone_url(revision.ref.project_id))
        try:
            await self._transfer(mirror, url, by_id(revision))
        except GitFailed as failure:
            if not failure.unwanted_sha:
                raise self._fetch_error(failure, url) from failure
            await self._fetch_advertised(mirror, revision, url)
        await self._merge_packs(mirror)

    async def _fetch_advertised(self, mirror: _Mirror, revision: Revision, url: str) -> None:
        try:
            await self._transfer(mirror, url, advertised(revision))
        except GitFailed as failure:
            raise self._fetch_error(failure, url) from failure
        if await self._missing(mirror, revision):
            raise Transient(f"{revision.ref}: GitLab does not have the commits yet")

    async def _transfer(self, mirror: _Mirror, url: str, wanted: Sequence[str]) -> None:
        limits = self._limits
        try:
            await transfer(
                self._git,
                mirror.path,
                url,
                wanted,
                limit_s=limits.fetch_s,
                limit_bytes=limits.repository_bytes,
            )
        except TooLarge:
            await self._discard(mirror)
            raise

    @staticmethod
    def _fetch_error(failure: GitFailed, url: str) -> Exception:
        return failure if failure.broken_mirror else from_fetch(failure, url)

    async def _merge_packs(self, mirror: _Mirror) -> None:
        if len(list((mirror.path / "objects" / "pack").glob("*.pack"))) > _MAX_PACKS:
            await self._git.run(
                "repack", "-q", "-d", "--geometric=2", at=mirror.path, limit_s=self._limits.fetch_s
            )


def _made(mirror: Path) -> _Made:
    """Return what tells a mirror from a later one at the same place, nothing where there is none.

    Nobody writes its settings again. A number of a file alone would not do, since the next file may get it.
    """
    with contextlib.suppress(OSError):
        status = (mirror / "config").stat()
        return status.st_ino, status.st_mtime_ns
    return ()


def _unusable(failure: GitFailed) -> Transient:
    return Transient(f"the git mirror does not work: {failure.stderr}")
