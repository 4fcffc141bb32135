"""Bring commits of a merge request from the forge into a mirror."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from bot.adapters.git_errors import GitFailed
from bot.adapters.git_process import Git
from bot.domain.errors import Permanent
from bot.domain.merge_request import Revision

_FETCH = (
    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
    "--no-show-forced-updates",
)
#: How often a running fetch is measured.
_WATCH_S = 0.5
#: By how much the times of files may lag behind the clock.
_CLOCK_S = 1.0


class TooLarge(Permanent):
    """Say that the repository is larger than the operator allows."""


def url_on(forge_url: str, stated: str) -> str:
    """Return the clone URL on the configured forge, whatever host *stated* names.

    Raises:
        Permanent: *stated* has no usable path.
    """
    base = urlsplit(forge_url.rstrip("/"))
    path = unquote(urlsplit(stated).path)
    if ".." in path.split("/") or not path.startswith("/") or path.strip("/") == "":
        raise Permanent(f"GitLab states an unusable clone URL: {stated[:200]!r}")
    if not path.startswith(f"{base.path}/"):
        path = f"{base.path}{path}"
    return f"{base.scheme}://{base.netloc}{quote(path)}"


def by_id(revision: Revision) -> list[str]:
    """Return what asks for the commits of *revision* by their ids."""
    ref = f"refs/cloister/{revision.ref.iid}"
    sides = {"base": revision.base_sha, "start": revision.start_sha, "head": revision.head_sha}
    return [f"+{commit}:{ref}/{side}" for side, commit in sides.items()]


def advertised(revision: Revision) -> list[str]:
    """Return what asks for all that a forge advertises of the merge request and its targets."""
    iid = revision.ref.iid
    return [
        # A branch a/b cannot be stored beside a branch a that is gone meanwhile.
        "--prune",
        f"+refs/merge-requests/{iid}/*:refs/cloister/{iid}/advertised/*",
        "+refs/heads/*:refs/cloister/heads/*",
    ]


async def transfer(
    git: Git,
    repository: Path,
    url: str,
    wanted: Sequence[str],
    *,
    limit_s: float,
    limit_bytes: int,
    options: Sequence[str] = (),
) -> None:
    """Fetch *wanted* from *url*, watching how large *repository* gets; *options* go to ``git fetch``.

    Raises:
        GitFailed: the forge or the repository refuses.
        TooLarge: *repository* has more than *limit_bytes*; what it has is of no use.
        Transient: it takes longer than *limit_s*.
    """
    fetching = asyncio.ensure_future(git.run(*_FETCH, *options, url, *wanted, at=repository, limit_s=limit_s))
    too_large = False
    try:
        while not too_large and not fetching.done():
            await asyncio.wait({fetching}, timeout=_WATCH_S)
            size_bytes = await asyncio.to_thread(_size_bytes, repository)
            too_large = size_bytes > limit_bytes
        if not too_large:
            await fetching
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
        for leftover in (repository / "objects" / "pack").glob("tmp_*"):
            leftover.unlink(missing_ok=True)
    if too_large:
        raise TooLarge(
            f"the repository is larger than the limit of {limit_bytes} bytes;"
            " raise the limit or exclude the project"
        )


async def transfer_alone(
    git: Git, repository: Path, url: str, wanted: Sequence[str], *, limit_s: float, limit_bytes: int
) -> None:
    """Do as `transfer`, where nobody else writes to *repository*: locks in the way are those of a killed git."""
    began = time.time() - _CLOCK_S
    try:
        await transfer(git, repository, url, wanted, limit_s=limit_s, limit_bytes=limit_bytes)
    except GitFailed as failure:
        # A young one may belong to a git that has outlived the process that started it.
        old = time.time() - limit_s
        if not (failure.locked and _remove_locks(repository, lambda changed: changed < old)):
            raise
        await transfer(git, repository, url, wanted, limit_s=limit_s, limit_bytes=limit_bytes)
    except BaseException:
        # Broken off, it was killed and could not tidy up.
        _remove_locks(repository, lambda changed: changed > began)
        raise


def _remove_locks(repository: Path, left: Callable[[float], bool]) -> bool:
    """Remove the lock files that were *left* behind, by when they were made, and say whether there were any."""
    removed = False
    for lock in list(repository.rglob("*.lock")):
        with contextlib.suppress(FileNotFoundError):
            if left(lock.lstat().st_mtime):
                lock.unlink()
                removed = True
    return removed


def _size_bytes(repository: Path) -> int:
    total = 0
    for file in (repository / "objects").rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += file.lstat().st_size
    return total
