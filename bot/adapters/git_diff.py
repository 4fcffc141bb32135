"""Read the diff of a revision as GitLab makes it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.adapters.git_process import Git
from bot.domain.diff import Diff
from bot.domain.errors import Permanent
from bot.domain.merge_request import Revision
from bot.domain.patch import MalformedDiff, parse

_DIFF = (
    *(
        "diff",
        "--raw",
        "-z",
        "--patch",
        "--full-index",
        "-U3",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
    ),
    # The threshold that GitLab's own diffs use; renames must be the same or positions do not match.
    "--find-renames=30%",
    *("--ignore-submodules=none", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/", "--no-relative"),
)


async def read_diff(
    git: Git, repository: Path, revision: Revision, *, limit_s: float, max_bytes: int
) -> Diff:
    """Return the exact diff from base to head; files past *max_bytes* are ``truncated``.

    Raises:
        GitFailed: a commit is not there, or the repository is damaged.
        Permanent: git's answer cannot be read.
    """
    output = await git.run(
        *_DIFF,
        *(revision.base_sha, revision.head_sha, "--"),
        at=repository,
        limit_s=limit_s,
        max_bytes=max_bytes,
    )
    try:
        return await asyncio.to_thread(parse, output.stdout, cut=output.cut)
    except MalformedDiff as error:
        raise Permanent(f"the diff of {revision.ref} cannot be read: {error}") from error
