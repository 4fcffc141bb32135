"""Code of a clone that somebody else has made, as in a CI job, read without running anything that it configures.

A bare repository of our own, in a directory that goes away again, borrows the objects of the clone. Git commands run
there: no hook, filter, attribute or setting of the clone is in force. What the clone lacks, being shallow, is fetched
into the same place, so the clone is never written to. A partial clone lacks files here and there: nothing is borrowed
from it where all can be fetched.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.adapters.git_diff import read_diff
from bot.adapters.git_errors import GitFailed, from_fetch
from bot.adapters.git_fetch import TooLarge, transfer
from bot.adapters.git_history import commits_of, read_history
from bot.adapters.git_objects import read_blobs
from bot.adapters.git_origin import Origin
from bot.adapters.git_process import Git
from bot.adapters.git_their_clone import SHALLOW, TheirClone, named
from bot.domain.diff import Diff
from bot.domain.errors import Permanent, Transient
from bot.domain.history import CommitDiff, History
from bot.domain.merge_request import Revision
from bot.ports import Blob

#: The tree without files has the same id everywhere, by the length of ids.
EMPTY_TREES: Final = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
#: So many commits back, one after the other, until base and head meet. Beyond it the whole history is asked for.
_DEPTHS: Final = (100, 1_000, 10_000)
_FETCH_S, _COMMAND_S = 180.0, 60.0
_REPOSITORY_BYTES, _DIFF_BYTES = 5_000_000_000, 20_000_000
#: What git allows in no name, and takes for something else in what is to be fetched.
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^[/-]|[/.]$|//")
_REMEDY = "set the variable GIT_DEPTH of the job to 0, or fetch it before"
_WHOLE = "it is a partial clone: take --filter out of GIT_CLONE_EXTRA_FLAGS or GIT_FETCH_EXTRA_FLAGS, or clone without it"


@asynccontextmanager
async def borrowed(clone: Path, origin: Origin | None) -> AsyncIterator[BorrowedClone]:
    """Give access to the commits of the repository that *clone* is in; what is missing comes from *origin*.

    Raises:
        Permanent: *clone* is in no git repository, or git is not installed.
    """
    theirs = await TheirClone.around(clone)
    made = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="cloister-gate-"))
    try:
        git = Git(
            forge_url=origin.url if origin else "",
            token=origin.token if origin else "",
            user=(origin.user if origin else "") or "oauth2",
            ca_file=origin.ca_file if origin else None,
        )
        await git.run(
            *(
                "init",
                "-q",
                "--bare",
                "--template=",
                "--initial-branch=unborn",
                f"--object-format={theirs.form}",
            ),
            at=made,
        )
        if not (theirs.partial and origin):
            await theirs.lend(made)
        yield BorrowedClone(git, made, theirs, origin)
    finally:
        await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class BorrowedClone:
    """Read revisions of a clone; see `borrowed`.

    Args:
        git: runs git.
        path: our own repository.
        theirs: the clone, in which nothing but names is looked up.
        origin: where missing commits are, if that is known.
    """

    git: Git
    path: Path
    theirs: TheirClone
    origin: Origin | None

    async def commit(self, ref: str) -> str:
        """Return the commit that *ref* names in the clone, empty if it names none."""
        return await self.theirs.commit(ref)

    async def parent(self, commit: str) -> str:
        """Return the first parent of *commit*, empty if it has none.

        Raises:
            Transient: the origin is out of reach.
            Permanent: the clone ends at *commit*, and more cannot be fetched.
        """
        if commit in await self._ends():
            await self._fetch([commit], 2)
        return await self._name(f"{commit}^1^{{commit}}")

    async def merge_base(self, one: str, other: str) -> str:
        """Return the newest common ancestor of two commits, after fetching as much of the history as that needs.

        Empty if they have none at all.

        Raises:
            Transient: the origin is out of reach.
            Permanent: it is not found, and more cannot be fetched.
        """
        for depth in (0, *_DEPTHS):
            if depth:
                await self._fetch([one, other], depth)
            try:
                found = await self.git.run("merge-base", one, other, at=self.path, accept=(0, 1))
            except GitFailed:
                continue
            if found.stdout:
                return found.stdout.decode().split()[0]
            if not self._shallow:
                return ""
        raise Permanent(f"{one[:12]} and {other[:12]} have no common ancestor in this clone; {self._remedy}")

    async def tip(self, branch: str) -> str:
        """Return the commit at the end of *branch* of the origin, as it is now.

        Raises:
            Transient: the origin is out of reach.
            Permanent: it has no such branch, or is not known.
        """
        if _NO_BRANCH.search(branch):
            raise Permanent(f"{branch[:200]!r} cannot be the name of a branch")
        ref = f"refs/cloister/heads/{branch}"
        gone = f"the origin has no branch {branch[:200]}; it was renamed or deleted: name another one with --base"
        await self._transfer([f"+refs/heads/{branch}:{ref}"], depth=1 if self._shallow else 0, gone=gone)
        found = await self._name(f"{ref}^{{commit}}")
        if not found:
            raise Permanent(f"the branch {branch} is no commit that can be read here; {self._remedy}")
        return found

    async def bring(self, commits: Sequence[str]) -> None:
        """Make *commits* available, without their history where they come from the origin.

        Raises:
            Transient: the origin is out of reach.
            Permanent: a commit is neither here nor there.
        """
        missing = [one for one in dict.fromkeys(commits) if not await self._has(one)]
        if missing:
            await self._fetch(missing, 1)
        if lost := [one for one in missing if not await self._has(one)]:
            raise Permanent(f"the commit {lost[0][:12]} is not in this clone; {self._remedy}")

    async def diff(self, revision: Revision) -> Diff:
        """Return the exact diff from base to head."""
        try:
            return await read_diff(self.git, self.path, revision, limit_s=_COMMAND_S, max_bytes=_DIFF_BYTES)
        except GitFailed as failure:
            raise self._unreadable(failure) from failure

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 1_000_000
    ) -> Mapping[str, Blob]:
        """Return the regular files at *side*; one over *max_bytes* comes without its content."""
        commit = revision.at(side)
        try:
            return await read_blobs(self.git, self.path, commit, paths, max_bytes)
        except GitFailed as failure:
            raise self._unreadable(failure) from failure

    async def commits(self, revision: Revision) -> History:
        """Return what each commit of the branch adds, after fetching as many as that needs."""
        try:
            names = await self._whole_branch(revision)
            if names is None:
                return History(
                    missing=f"the clone is too shallow for the commits of the branch; {self._remedy}"
                )
            if len(names) <= 1:
                return History(tuple([CommitDiff(sha, await self.diff(revision)) for sha in names]))
            return await read_history(self.git, self.path, names, limit_s=_COMMAND_S, max_bytes=_DIFF_BYTES)
        except GitFailed as failure:
            raise self._unreadable(failure) from failure

    async def _whole_branch(self, revision: Revision) -> list[str] | None:
        """Return the commits of the branch; None if some are out of reach.

        Where a clone ends, a commit seems to add everything that there is, so the end must not be among them.
        """
        ends = [one for one in (revision.head_sha, revision.base_sha) if one not in EMPTY_TREES.values()]
        for depth in (0, *_DEPTHS):
            if depth:
                try:
                    await self._fetch(ends, depth)
                except (Permanent, Transient):
                    return None
            names = await commits_of(self.git, self.path, revision)
            if not await self._ends() & set(names):
                return names
        return None

    async def _ends(self) -> frozenset[str]:
        """Return the commits whose parents are not here because the clone is shallow."""
        if not self._shallow:
            return frozenset()
        return frozenset((await asyncio.to_thread((self.path / SHALLOW).read_text)).split())

    @property
    def _remedy(self) -> str:
        return _WHOLE if self.theirs.partial else _REMEDY

    def _unreadable(self, failure: GitFailed) -> Permanent:
        return Permanent(f"git cannot read this clone: {failure.stderr}; {self._remedy}")

    @property
    def _shallow(self) -> bool:
        return (self.path / SHALLOW).exists()

    async def _has(self, commit: str) -> bool:
        return bool(await self._name(f"{commit}^{{tree}}"))

    async def _name(self, name: str) -> str:
        return await named(self.git, name, self.path)

    async def _fetch(self, commits: Sequence[str], depth: int) -> None:
        names = list(dict.fromkeys(commits))
        gone = (
            f"the origin does not give out {' and '.join(one[:12] for one in names)}: a force-push took it away, or the"
            f" job may not read where it is; run a new pipeline, or {self._remedy}"
        )
        await self._transfer([f"+{sha}:refs/cloister/{sha}" for sha in names], depth=depth, gone=gone)

    async def _transfer(self, wanted: Sequence[str], *, depth: int, gone: str) -> None:
        if self.origin is None:
            raise Permanent(f"this clone lacks commits that are needed; {self._remedy}")
        options = [f"--depth={depth}"] if depth else []
        try:
            await transfer(
                self.git,
                self.path,
                self.origin.url,
                wanted,
                options=options,
                limit_s=_FETCH_S,
                limit_bytes=_REPOSITORY_BYTES,
            )
        except TooLarge:
            raise
        except GitFailed as failure:
            if failure.unwanted_sha:
                raise Permanent(gone) from failure
            raise from_fetch(failure, self.origin.url) from failure
