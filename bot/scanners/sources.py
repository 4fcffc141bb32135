"""What scanners get to see of a diff: whole files, or no more than the lines that the diff itself shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.domain.diff import Diff, FileDiff, Sign
from bot.ports import Blob
from bot.scanners import Source


def whole(paths: Iterable[str], blobs: Mapping[str, Blob], diff: Diff) -> list[Source]:
    """Return the files at the head; those without content are left out."""
    return [
        Source(path, content, file.added_lines if (file := diff.by_new_path.get(path)) else frozenset())
        for path in paths
        if path in blobs and (content := blobs[path].content) is not None
    ]


def whole_before(files: Iterable[FileDiff], blobs: Mapping[str, Blob]) -> list[Source]:
    """Return the files before the change, by their paths then, the lines that went away as the ones of interest."""
    return [
        Source(file.old_path, content, file.removed_lines)
        for file in files
        if file.old_path in blobs and (content := blobs[file.old_path].content) is not None
    ]


def excerpt(file: FileDiff) -> Source:
    """Return the lines of *file* that its diff shows, the added ones with some around them."""
    lines = [line for hunk in file.hunks for line in hunk.lines if line.sign is not Sign.removed]
    return _source(file.new_path, [(line.new, line.text) for line in lines], file.added_lines)


def excerpt_before(file: FileDiff) -> Source:
    """Return the lines that the diff of *file* shows as they were, the removed ones as the ones of interest."""
    lines = [line for hunk in file.hunks for line in hunk.lines if line.sign is not Sign.added]
    return _source(file.old_path, [(line.old, line.text) for line in lines], file.removed_lines)


def _source(path: str, lines: Iterable[tuple[int | None, str]], marked: frozenset[int]) -> Source:
    known = [(number, text) for number, text in lines if number is not None]
    # Git showed it as text, whatever a scanner would make of a stray NUL.
    content = "\n".join(text.replace("\0", " ") for _, text in known).encode(errors="replace")
    return Source(path, content, marked, tuple(number for number, _ in known))
