"""Find names in the files of a commit, in one git command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.adapters.git_process import Git
from bot.domain.errors import Transient
from bot.ports import Occurrence, Occurrences

#: Names that one search takes; each costs time in every file.
MOST_NAMES = 60
_NAME = re.compile(r"[^\W\d]\w{0,99}")
_LINE_CHARS = 500
NAME_SEARCH = (
    *("-n", "-I", "-z", "-F", "-w", "--no-color", "--no-column", "--no-heading", "--no-break"),
    *("--no-textconv", "--no-recurse-submodules", "--full-name", "--threads=1"),
)


async def search(
    git: Git, repository: Path, commit: str, names: Sequence[str], *, limit_s: float, max_bytes: int
) -> Occurrences:
    """Return the lines at *commit* that hold one of *names* as a word, in git's order of files.

    Raises:
        GitFailed: the commit is not there, or the repository is damaged.
    """
    wanted = [name for name in dict.fromkeys(names) if _NAME.fullmatch(name)]
    if not wanted:
        return Occurrences()
    missing = f"only {MOST_NAMES} of {len(wanted)} names were looked for" if len(wanted) > MOST_NAMES else ""
    patterns = [word.encode() for name in wanted[:MOST_NAMES] for word in ("-e", name)]
    try:
        output = await git.run(
            "grep",
            *NAME_SEARCH,
            *patterns,
            commit,
            "--",
            at=repository,
            limit_s=limit_s,
            max_bytes=max_bytes,
            accept=(0, 1),
        )
    except Transient as error:
        return Occurrences(missing=str(error))
    if output.cut:
        missing = f"the search stopped after {max_bytes} bytes"
    return Occurrences(tuple(occurrences(output.stdout, prefix=f"{commit}:")), missing)


def occurrences(output: bytes, *, prefix: str = "") -> Iterator[Occurrence]:
    """Yield what git found with `NAME_SEARCH`; *prefix* is what it puts before paths."""
    # A line may hold NUL as little as a path: git calls such files binary. The last record may be half a one.
    for record in output.split(b"\n")[:-1]:
        match record.split(b"\0"):
            case [place, number, text] if number.isdigit():
                path = place.decode(errors="surrogateescape").removeprefix(prefix)
                yield Occurrence(path, int(number), text.decode(errors="replace")[:_LINE_CHARS])
