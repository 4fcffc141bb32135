"""Git's diff output -> ``Diff``, exact to the line whatever the files contain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk as ParsedHunk
from unidiff.patch import PatchSet

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign

_CHANGES = {
    b"A": Change.added,
    b"D": Change.deleted,
    b"M": Change.modified,
    b"T": Change.modified,
    b"R": Change.renamed,
    b"C": Change.added,
}
_NO_FILE = "000000"
_SUBMODULE = "160000"
_HEADER = ("--- a\n", "+++ b\n")
_FILE_START = b"\ndiff --git "
#: What looks like a byte of a name that is not UTF-8, or like a backslash next to one.
_SHOWN_BYTE = re.compile(r"\\x(5c|[89a-f][0-9a-f])")


class MalformedDiff(ValueError):
    """Say that the input is not a diff, naming the place where it stops being one."""


@dataclass(frozen=True, slots=True)
class _Entry:
    change: Change
    old_path: str
    new_path: str
    old_mode: str
    new_mode: str


def parse(output: bytes, *, cut: bool = False) -> Diff:
    r"""Parse the output of ``git diff --raw -z --patch`` with the default prefixes.

    Paths and modes come from the NUL-separated list, which is exact; the patch, where they are quoted,
    gives only the hunks. Lines end at ``\n`` and nowhere else. Bytes that are not UTF-8 become U+FFFD in lines
    and ``\xNN`` in paths. A file that turns into a link or a submodule is a deletion and an addition, as
    git and GitLab show it.

    Args:
        output: what git wrote.
        cut: True when *output* ends early; files whose patch is not whole are then ``truncated``.

    Raises:
        MalformedDiff: this is not such output.
    """
    if not output:
        return Diff(files=())
    listing, separator, patch = output.partition(b"\0\0")
    if not separator:
        raise MalformedDiff("the list of changed files does not end")
    entries = list(_entries(listing))
    patches = (b"\n" + patch).split(_FILE_START)[1:]
    if cut and patches:
        patches.pop()
    if len(patches) > len(entries) or (len(patches) < len(entries) and not cut):
        raise MalformedDiff(f"git lists {len(entries)} changed files but shows {len(patches)}")
    return Diff(files=tuple(map(_file, entries, chain(patches, repeat(None)))))


def parse_hunks(text: str) -> tuple[Hunk, ...]:
    """Parse hunks without file headers: *text* is empty or starts at the first ``@@``.

    Raises:
        MalformedDiff: a line is not what its hunk header announces; the message has its number in *text*.
    """
    if not text:
        return ()
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if not lines[0].startswith("@@ "):
        raise MalformedDiff("line 1: a hunk header must come first")
    reader = _Reader(lines)
    try:
        parsed = list(PatchSet(reader)[0])
    except (UnidiffParseError, ValueError):
        # The parser's own words quote the line, which is somebody's code and may be a secret.
        raise MalformedDiff(f"line {reader.line}: not what the hunk header announces") from None
    hunks = tuple(_hunk(hunk) for hunk in parsed)
    if len(lines) != sum(len(hunk) + 1 for hunk in parsed):
        raise MalformedDiff(f"line {_first_stray(parsed)}: more lines than the hunk headers announce")
    return hunks


class _Reader:
    """Feed lines to the parser below a file header of our own, remembering how far it got."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.line = 0

    def __iter__(self) -> Iterator[str]:
        yield from _HEADER
        for line in self._lines:
            self.line += 1
            yield line + "\n"


def _entries(listing: bytes) -> Iterator[_Entry]:
    fields = iter(listing.split(b"\0"))
    for header in fields:
        try:
            old_mode, new_mode, _, _, status = header.removeprefix(b":").split(b" ")
            change = _CHANGES[status[:1]]
            old_path = next(fields)
            new_path = next(fields) if status[:1] in b"RC" else old_path
        except (ValueError, KeyError, StopIteration) as error:
            raise MalformedDiff(f"{header[:80]!r} is not an entry of git diff --raw -z") from error
        yield from _split_type_change(
            _Entry(change, path_of(old_path), path_of(new_path), old_mode.decode(), new_mode.decode())
        )


def path_of(raw: bytes) -> str:
    r"""Return a path as git wrote it after ``-z``; bytes that are not UTF-8 become ``\xNN``.

    So does each backslash of a name that has such a byte, or seems to: no two names look the same.
    """
    try:
        path = raw.decode()
    except UnicodeDecodeError:
        return _shown(raw)
    return _shown(raw) if _SHOWN_BYTE.search(path) else path


def raw_of(path: str) -> bytes:
    """Return the bytes of a path that `path_of` has shown.

    Raises:
        UnicodeEncodeError: it holds half a character, so it is none.
    """
    if not _SHOWN_BYTE.search(path):
        return path.encode(errors="surrogateescape")
    parts = _SHOWN_BYTE.split(path)
    # Texts and the digits between them take turns.
    pairs = zip(parts[::2], [*parts[1::2], ""], strict=True)
    return b"".join(text.encode(errors="surrogateescape") + bytes.fromhex(digits) for text, digits in pairs)


def _shown(raw: bytes) -> str:
    return raw.replace(b"\\", rb"\x5c").decode(errors="backslashreplace")


def _split_type_change(entry: _Entry) -> Iterator[_Entry]:
    # The list has one entry when a file becomes a link, the patch shows a deletion and an addition.
    if _NO_FILE in (entry.old_mode, entry.new_mode) or entry.old_mode[:2] == entry.new_mode[:2]:
        yield entry
    else:
        yield replace(entry, change=Change.deleted, new_mode=_NO_FILE)
        yield replace(entry, change=Change.added, old_mode=_NO_FILE)


def _file(entry: _Entry, patch: bytes | None) -> FileDiff:
    head, _, body = (patch or b"").partition(b"\n@@ ")
    submodule = _SUBMODULE in (entry.old_mode, entry.new_mode)
    try:
        hunks = parse_hunks(f"@@ {body.decode(errors='replace')}") if body and not submodule else ()
    except MalformedDiff as error:
        raise MalformedDiff(f"{entry.new_path!r}, {error}") from error
    return FileDiff(
        old_path=entry.old_path,
        new_path=entry.new_path,
        change=entry.change,
        old_mode=entry.old_mode,
        new_mode=entry.new_mode,
        binary=b"\nBinary files " in head,
        truncated=patch is None,
        hunks=hunks,
    )


def _first_stray(parsed: list[ParsedHunk]) -> int:
    expected = 1
    for hunk in parsed:
        if hunk and hunk[0].diff_line_no != len(_HEADER) + expected + 1:
            break
        expected += len(hunk) + 1
    return expected


def _hunk(parsed: ParsedHunk) -> Hunk:
    return Hunk(
        old_start=parsed.source_start,
        old_count=parsed.source_length,
        new_start=parsed.target_start,
        new_count=parsed.target_length,
        section=parsed.section_header,
        lines=tuple(
            DiffLine(Sign(line.line_type), line.source_line_no, line.target_line_no, line.value[:-1])
            for line in parsed
            if line.line_type != "\\"
        ),
    )
