"""Read what each commit of a branch adds, in two git commands for any number."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.git_process import Git
from bot.domain.errors import Permanent, Transient
from bot.domain.history import CommitDiff, History, parse_commits
from bot.domain.merge_request import Revision
from bot.domain.patch import MalformedDiff

#: Longer branches are imports of other histories; nobody reviews them commit by commit.
MOST_COMMITS = 300
_SHA_BYTES = 65
#: Names of parents included; an octopus has few.
_LIST_BYTES = (MOST_COMMITS + 1) * 20 * _SHA_BYTES

_DIFF_TREE = (
    *("diff-tree", "--stdin", "-r", "--root", "-c", "--raw", "-z", "--patch", "--full-index", "-U3"),
    *("--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--no-relative"),
    *("--ignore-submodules=none", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"),
)


async def commits_of(git: Git, repository: Path, revision: Revision) -> list[str]:
    """Return the commits that the branch of *revision* has and the target branch lacks, parents first.

    The newest, one more than `MOST_COMMITS` at most.

    Raises:
        GitFailed: a commit is not there, or the repository is damaged.
    """
    without = {f"^{revision.base_sha}", f"^{revision.start_sha}"}
    output = await git.run(
        *("rev-list", "--topo-order", "--reverse", f"--max-count={MOST_COMMITS + 1}"),
        *(revision.head_sha, *sorted(without), "--"),
        at=repository,
        max_bytes=_LIST_BYTES,
    )
    return output.stdout.decode().split()


async def read_history(
    git: Git, repository: Path, commits: Sequence[str], *, limit_s: float, max_bytes: int
) -> History:
    """Return what each of *commits* adds, and what of it is missing because a limit was reached.

    Raises:
        GitFailed: a commit is not there, or the repository is damaged.
        Permanent: git's answer cannot be read.
    """
    wanted = commits[-MOST_COMMITS:]
    try:
        output = await git.run(
            *_DIFF_TREE,
            at=repository,
            stdin="".join(f"{commit}\n" for commit in wanted).encode(),
            limit_s=limit_s,
            max_bytes=max_bytes,
        )
    except Transient as error:
        return History(missing=f"none of its commits was looked at: {error}")
    try:
        found = await asyncio.to_thread(lambda: list(parse_commits(output.stdout, cut=output.cut)))
    except MalformedDiff as error:
        raise Permanent(f"the commits of the branch cannot be read: {error}") from error
    return History(tuple(found), _missing(commits, wanted, found if output.cut else None))


def _missing(commits: Sequence[str], wanted: Sequence[str], cut: Sequence[CommitDiff] | None) -> str:
    if cut is not None:
        return f"its commits are too large; only the first {len(cut)} of {len(wanted)} were looked at"
    return f"only its newest {len(wanted)} commits were looked at" if len(commits) > len(wanted) else ""
