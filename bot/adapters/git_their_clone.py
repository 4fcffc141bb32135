"""The repository that somebody else has made, as in a CI job: where it is, and how its objects are lent to another.

Git is asked there for names only, and reaches no other place: what its settings say of servers and programs is nothing
that we asked for.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.adapters.git_errors import GitFailed
from bot.adapters.git_process import Git
from bot.adapters.git_version import require_git
from bot.domain.errors import Permanent

#: File that names the commits where a shallow repository ends.
SHALLOW: Final = "shallow"


@dataclass(frozen=True, slots=True)
class TheirClone:
    """Look into the git directory of a clone.

    Args:
        git: runs git, and fetches nothing.
        path: the git directory.
        common: where the objects are, which working trees beside each other share.
        form: how objects are named, ``sha1`` or ``sha256``.
        partial: git may have left out objects on purpose.
    """

    git: Git
    path: Path
    common: Path
    form: str
    partial: bool

    @classmethod
    async def around(cls, place: Path) -> TheirClone:
        """Return the repository that *place* is in.

        Raises:
            Permanent: there is none, or git is not installed, or too old.
        """
        await asyncio.to_thread(require_git)
        path = await asyncio.to_thread(_git_directory, place)
        git = Git(forge_url="")
        try:
            output = await git.run("rev-parse", "--git-common-dir", "--show-object-format", at=path)
        except GitFailed as failure:
            raise Permanent(f"{path} is no git repository: {failure.stderr}") from failure
        named, _, form = output.stdout.decode(errors="surrogateescape").strip("\n").rpartition("\n")
        common = (path / named).resolve()
        return cls(git, path, common, form, await asyncio.to_thread(_is_partial, common))

    async def commit(self, ref: str) -> str:
        """Return the commit that *ref* names, empty if it names none."""
        return await named(self.git, f"{ref}^{{commit}}", self.path)

    async def lend(self, other: Path) -> None:
        """Let the bare repository *other* read all objects here.

        Raises:
            Permanent: git cannot be told where they are.
        """
        await asyncio.to_thread(_lend, self.common, other)


async def named(git: Git, name: str, at: Path) -> str:
    """Return the object that *name* names in the repository *at*, empty if it names none."""
    try:
        output = await git.run("rev-parse", "--verify", "--quiet", "--end-of-options", name, at=at)
    except GitFailed:
        return ""
    return output.stdout.decode().strip()


def _git_directory(clone: Path) -> Path:
    """Return the git directory of the repository that *clone* is in, found by names alone."""
    for place in (clone.resolve(), *clone.resolve().parents):
        found = place / ".git"
        if found.is_dir():
            return found
        if found.is_file():
            return place / found.read_text(errors="replace").removeprefix("gitdir:").strip()
        if (place / "HEAD").is_file() and (place / "objects").is_dir():
            return place
    raise Permanent(f"{clone} is in no git repository; in a CI job, do not set GIT_STRATEGY to none or empty")


def _is_partial(common: Path) -> bool:
    """Say whether git has marked packs from which objects were left out on purpose."""
    return any((common / "objects" / "pack").glob("*.promisor"))


def _lend(common: Path, other: Path) -> None:
    objects = str(common / "objects")
    if "\n" in objects or objects.startswith('"'):
        raise Permanent(f"{objects!r} is no directory that git can borrow from; clone to another one")
    (other / "objects" / "info").mkdir(exist_ok=True)
    (other / "objects" / "info" / "alternates").write_text(objects + "\n")
    if (common / SHALLOW).is_file():
        shutil.copyfile(common / SHALLOW, other / SHALLOW)
