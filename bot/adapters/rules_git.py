"""Rules in a git repository: fetched into the data directory, written out as plain files, never checked out."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot.adapters.git_errors import GitFailed, from_fetch
from bot.adapters.git_fetch import transfer_alone
from bot.adapters.git_lock import file_lock
from bot.adapters.git_objects import read_blobs
from bot.adapters.git_process import Git
from bot.domain.errors import Permanent, Transient
from bot.ports import Blob, RuleCopy

_REF = "refs/cloister/rules"
_LIMIT_S = 60.0
_REPOSITORY_BYTES = 500_000_000
_FILE_BYTES = 1_000_000
_LISTING_BYTES = 10_000_000
_MAX_FILES = 20_000
#: Another process may still read the copy before the newest one.
_KEPT_COPIES = 2


class GitRules:
    """Implement ``bot.ports.RuleSource`` for one branch, tag or commit of a repository.

    Nothing in it runs or is followed: no hooks, filters, submodules or links, and only regular files are written.
    Processes on one machine share the copy.

    Args:
        root: directory for copies, on a local disk.
        url: the repository, http(s) or file.
        ref: branch, tag, commit or HEAD.
        token: access token, empty for none; it goes to the host of *url* only.
        ca_file: certificate authorities to trust instead of the system's.
    """

    def __init__(
        self, root: Path, url: str, ref: str, *, token: str = "", ca_file: Path | None = None
    ) -> None:
        self._url = url
        self._ref = ref
        self._git = Git(forge_url=url, token=token, ca_file=ca_file)
        self._home = root / hashlib.sha256(f"{url}\0{ref}".encode()).hexdigest()[:16]
        self._mirror = self._home / "mirror.git"

    @property
    def name(self) -> str:
        """Return address and ref."""
        return f"{self._url}@{self._ref}"

    async def last(self) -> RuleCopy | None:
        """Return the copy of the commit that was fetched last."""
        if not self._mirror.is_dir():
            return None
        try:
            return await self._copied()
        except (GitFailed, Transient, Permanent):
            return None

    async def refresh(self) -> RuleCopy:
        """Fetch, and return a copy of what is there now."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with file_lock(self._home / "lock", limit_s=2 * _LIMIT_S):
            try:
                return await self._brought()
            except GitFailed as failure:
                if not failure.broken_mirror:
                    raise from_fetch(failure, self._url) from failure
            # A damaged mirror is made anew; copies that were written out do not need it.
            await asyncio.to_thread(shutil.rmtree, self._mirror, ignore_errors=True)
            try:
                return await self._brought()
            except GitFailed as failure:
                raise from_fetch(failure, self._url) from failure

    async def _brought(self) -> RuleCopy:
        if not self._mirror.is_dir():
            with tempfile.TemporaryDirectory(dir=self._home, prefix=".new-") as aside:
                new = Path(aside) / "mirror.git"
                new.mkdir()
                await self._git.run("init", "-q", "--bare", "--template=", "--initial-branch=unborn", at=new)
                new.rename(self._mirror)
        wanted = ("--depth=1", "--force", f"+{self._ref}:{_REF}")
        await transfer_alone(
            self._git, self._mirror, self._url, wanted, limit_s=_LIMIT_S, limit_bytes=_REPOSITORY_BYTES
        )
        copy = await self._copied()
        await asyncio.to_thread(self._forget_old, copy.directory)
        return copy

    async def _copied(self) -> RuleCopy:
        """Return the copy of the fetched commit, written out if that has not been done."""
        output = await self._git.run("rev-parse", "--verify", f"{_REF}^{{commit}}", at=self._mirror)
        commit = output.stdout.decode().strip()
        directory = self._home / commit
        if not directory.is_dir():
            files = await self._files(commit)
            await asyncio.to_thread(_write_out, files, directory)
        return RuleCopy(directory, commit)

    async def _files(self, commit: str) -> Mapping[str, Blob]:
        listing = await self._git.run(
            *("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit),
            at=self._mirror,
            max_bytes=_LISTING_BYTES,
        )
        names = listing.stdout.decode(errors="surrogateescape").split("\0")[:-1]
        if listing.cut or len(names) > _MAX_FILES:
            raise Permanent(
                f"{self.name} has over {_MAX_FILES} files; keep rules in a repository of their own"
            )
        return await read_blobs(self._git, self._mirror, commit, names, _FILE_BYTES)

    def _forget_old(self, current: Path) -> None:
        copies = [path for path in self._home.iterdir() if path.is_dir() and path != self._mirror]
        others = [path for path in copies if path != current and not path.name.startswith(".")]
        others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for old in others[_KEPT_COPIES - 1 :]:
            shutil.rmtree(old, ignore_errors=True)


def _write_out(files: Mapping[str, Blob], directory: Path) -> None:
    """Write *files*, whose names come from the repository, and make them *directory* in one step."""
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".new-") as aside:
        new = Path(aside) / "copy"
        new.mkdir()
        for name, blob in files.items():
            place = new / name
            if blob.content is None or not _inside(name):
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(blob.content)
        try:
            new.rename(directory)
        except OSError:
            # Another process was quicker.
            if not directory.is_dir():
                raise


def _inside(name: str) -> bool:
    parts = name.split("/")
    return not {"", ".", ".."} & set(parts) and len(name) < 1_000 and "\0" not in name
