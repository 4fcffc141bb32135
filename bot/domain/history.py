"""The commits of a branch, and git's account of them -> what each of them adds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.patch import MalformedDiff, parse, path_of

#: Where ``git diff-tree --stdin -z`` begins with the next commit. No line of a patch begins like that.
_COMMIT = re.compile(rb"\n(?=[0-9a-f]{40}(?:[0-9a-f]{24})?\0:)")
_COMBINED = re.compile(r"(@@@+) (?:-\d+(?:,\d+)? )+\+(\d+)(?:,(\d+))? @@@+")
_GONE = b"000000"


@dataclass(frozen=True)
class CommitDiff:
    """Hold what one commit adds; a merge adds only what none of its parents has."""

    sha: str
    diff: Diff


@dataclass(frozen=True)
class History:
    """Hold the commits of a branch, parents before their children.

    ``missing`` says what of the branch is not here, nothing if all is.
    """

    commits: tuple[CommitDiff, ...] = ()
    missing: str = ""


def parse_commits(output: bytes, *, cut: bool = False) -> Iterator[CommitDiff]:
    """Yield the commits in the output of ``git diff-tree --stdin -c --raw -z --patch``.

    What was *cut* off is missing: the last commit, and files of it.

    Raises:
        MalformedDiff: this is not such output.
    """
    rest = output
    while rest:
        sha, _, rest = rest.partition(b"\0")
        # Names of files may hold anything, so the end of the commit is looked for behind their list.
        listing, end_of_list, behind = rest.partition(b"\0\0")
        if cut and not end_of_list:
            return
        following = _COMMIT.search(behind)
        patch, rest = (behind[: following.end()], behind[following.end() :]) if following else (behind, b"")
        read = _merge if listing.startswith(b"::") else parse
        diff = read(b"".join((listing, end_of_list, patch)), cut=cut and not rest)
        yield CommitDiff(sha.decode("ascii", "replace"), diff)


def only_own(diffs: list[Diff]) -> Diff:
    """Return what a merge adds that none of its parents has, from its *diffs* to each of them.

    A file of which one of the diffs does not know the lines is ``truncated``.
    """
    first, *others = diffs
    return Diff(tuple(file for one in first.files if (file := _own(one, others)) is not None))


def _own(file: FileDiff, others: list[Diff]) -> FileDiff | None:
    versions = [
        file,
        *(other.by_new_path[file.new_path] for other in others if file.new_path in other.by_new_path),
    ]
    if len(versions) <= len(others):
        return None  # it is as in one of the parents
    if any(version.truncated for version in versions):
        return replace(file, truncated=True, hunks=())
    own = frozenset.intersection(*(version.added_lines for version in versions))
    hunks = (replace(hunk, lines=tuple(_demoted(line, own) for line in hunk.lines)) for hunk in file.hunks)
    return replace(file, hunks=tuple(hunks))


def _demoted(line: DiffLine, own: frozenset[int]) -> DiffLine:
    foreign = line.sign is Sign.added and line.new not in own
    return replace(line, sign=Sign.context) if foreign else line


def _merge(output: bytes, *, cut: bool) -> Diff:
    """Parse a combined diff: what is added or removed is so in comparison with every parent."""
    listing, _, patch = output.partition(b"\0\0")
    entries = _combined_entries(listing)
    patches = re.split(rb"\ndiff --combined ", b"\n" + patch)[1:]
    if len(patches) > len(entries) or (len(patches) < len(entries) and not cut):
        raise MalformedDiff(f"git lists {len(entries)} merged files but shows {len(patches)}")
    whole = len(patches) - cut
    return Diff(
        tuple(
            replace(file, hunks=tuple(_combined_hunks(patches[number]))) if number < whole else _unknown(file)
            for number, file in enumerate(entries)
        )
    )


def _unknown(file: FileDiff) -> FileDiff:
    return replace(file, truncated=True)


def _combined_entries(listing: bytes) -> list[FileDiff]:
    fields = listing.split(b"\0")
    if len(fields) % 2:
        raise MalformedDiff("the list of merged files does not end")
    files = []
    for header, name in zip(fields[::2], fields[1::2], strict=True):
        modes = header.lstrip(b":").split(b" ")[: header.count(b":") + 1]
        path = path_of(name)
        files.append(
            FileDiff(
                path,
                path,
                Change.deleted if modes[-1] == _GONE else Change.modified,
                old_mode=modes[0].decode("ascii", "replace"),
                new_mode=modes[-1].decode("ascii", "replace"),
            )
        )
    return files


def _combined_hunks(patch: bytes) -> Iterator[Hunk]:
    start = count = parents = 0
    lines: list[DiffLine] = []
    for text in patch.decode(errors="replace").split("\n"):
        header = _COMBINED.match(text)
        if header:
            if parents:
                yield Hunk(0, 0, start, count, "", tuple(lines))
            lines, parents = [], len(header[1]) - 1
            start, count = int(header[2]), int(header[3] or 1)
        elif parents and len(text) >= parents and "-" not in text[:parents] and not text.startswith("\\"):
            sign = Sign.added if text[:parents] == "+" * parents else Sign.context
            lines.append(DiffLine(sign, None, start + len(lines), text[parents:]))
    if parents:
        yield Hunk(0, 0, start, count, "", tuple(lines))
