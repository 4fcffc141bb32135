"""Diffs as GitLab sees them, read from a real ``git diff``.

Gitaly finds renames at 30 % similarity. GitLab's parser gives every line the *running* old and new line
number; a line code is made of both, so an added line names the old line that would come next.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from bot.demo.gitlab.repository import Repository

_HUNK = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
_ESCAPED = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))


@dataclass(frozen=True, slots=True)
class DiffLimits:
    """Bound what the diff endpoints answer; GitLab's own defaults.

    A patch over ``patch_bytes`` is too large; one over a tenth of it, or beyond the soft limits of the whole
    collection, is collapsed. Files after ``files`` files or ``lines`` lines are left out.
    """

    patch_bytes: int = 200 * 1024
    files: int = 1000
    lines: int = 50_000
    soft_files: int = 100
    soft_lines: int = 5000
    soft_bytes: int = 500 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a patch; ``sign`` is a space, plus or minus, the numbers are the running counters."""

    sign: str
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Hunk:
    """The lines of one hunk."""

    old_start: int
    new_start: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class FileDiff:
    """One file of a diff; ``patch`` starts at the first hunk, or at the sentence about binary files."""

    old_path: str
    new_path: str
    old_mode: str
    new_mode: str
    status: str
    patch: bytes

    @property
    def new_file(self) -> bool:
        """Say whether the file was added."""
        return self.status == "A"

    @property
    def deleted_file(self) -> bool:
        """Say whether the file was deleted."""
        return self.status == "D"

    @property
    def renamed_file(self) -> bool:
        """Say whether the file changed its path."""
        return self.old_path != self.new_path

    @cached_property
    def hunks(self) -> tuple[Hunk, ...]:
        """Return the hunks with counted lines."""
        return tuple(_hunks(self.patch))

    @cached_property
    def line_count(self) -> int:
        """Return how many lines the patch has."""
        return self.patch.count(b"\n")

    def line_code(self, old: int, new: int) -> str:
        """Return the code of a line, from the running counters."""
        digest = hashlib.sha1(self.new_path.encode("utf-8", "surrogateescape"), usedforsecurity=False)
        return f"{digest.hexdigest()}_{old}_{new}"

    def code_of(self, old: int | None, new: int | None, old_file_lines: int) -> str | None:
        """Return the code of the line that a position names, or None when there is no such line.

        An added line has no old number, a removed one no new number, an unchanged one both. Unchanged lines
        outside the hunks count too, in a file that is neither new nor deleted, up to *old_file_lines*.
        """
        for hunk in self.hunks:
            for line in hunk.lines:
                if (line.old if line.sign != "+" else None) == old and (
                    line.new if line.sign != "-" else None
                ) == new:
                    return self.line_code(line.old, line.new)
        if old is None or new is None or self.new_file or self.deleted_file or not self.hunks:
            return None
        outside = 1 <= old <= old_file_lines and self.new_line_outside(old) == new
        return self.line_code(old, new) if outside else None

    def new_line_outside(self, old: int) -> int | None:
        """Return the new number of an old line that no hunk shows; None when a hunk covers it."""
        shift = 0
        for hunk in self.hunks:
            removed, added = _sizes(hunk)
            first = hunk.old_start if removed else hunk.old_start + 1
            if old < first:
                break
            if old < first + removed:
                return None
            shift += added - removed
        return old + shift

    def new_line(self, old: int) -> int | None:
        """Return the new number of an old line, None when it was removed or changed."""
        for hunk in self.hunks:
            for line in hunk.lines:
                if line.old == old and line.sign != "+":
                    return line.new if line.sign == " " else None
        return self.new_line_outside(old)


def _sizes(hunk: Hunk) -> tuple[int, int]:
    removed = sum(line.sign != "+" for line in hunk.lines)
    return removed, sum(line.sign != "-" for line in hunk.lines)


def _hunks(patch: bytes) -> Iterator[Hunk]:
    start: tuple[int, int] | None = None
    lines: list[Line] = []
    old = new = 0
    for raw in patch.split(b"\n"):
        header = _HUNK.match(raw)
        if header:
            if start:
                yield Hunk(*start, tuple(lines))
            old, new = int(header[1]), int(header[2])
            start, lines = (old, new), []
        elif start and raw[:1] in (b" ", b"+", b"-"):
            lines.append(Line(raw[:1].decode(), old, new))
            old += raw[:1] != b"+"
            new += raw[:1] != b"-"
    if start:
        yield Hunk(*start, tuple(lines))


@dataclass(frozen=True)
class Diff:
    """All files between two commits."""

    files: tuple[FileDiff, ...] = field(default=())

    def find(self, old_path: str, new_path: str) -> FileDiff | None:
        """Return the file with exactly these paths."""
        return next((f for f in self.files if f.old_path == old_path and f.new_path == new_path), None)

    def from_old(self, path: str) -> FileDiff | None:
        """Return the file that was at *path* before."""
        return next((f for f in self.files if f.old_path == path and not f.new_file), None)

    def to_new(self, path: str) -> FileDiff | None:
        """Return the file that is at *path* now."""
        return next((f for f in self.files if f.new_path == path and not f.deleted_file), None)


class Diffs:
    """Make diffs and remember them: two commits never differ in another way later."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str], Diff] = {}

    def between(self, repository: Repository, base: str, head: str) -> Diff:
        """Return the diff from *base* to *head*."""
        key = (str(repository.path), base, head)
        if key not in self._made:
            self._made[key] = parse(raw_diff(repository, base, head, "--raw", "--abbrev=40", "-p"))
        return self._made[key]


def raw_diff(repository: Repository, base: str, head: str, *options: str) -> bytes:
    """Return git's own text between two commits."""
    fixed = ("--no-color", "--no-ext-diff", "--no-textconv", "--full-index", "--find-renames=30%")
    return repository.git("diff", *fixed, *options, base, head, "--")


def parse(output: bytes) -> Diff:
    """Read the output of ``git diff --raw -p``."""
    raw_lines = []
    rest = output
    while rest.startswith(b":"):
        line, _, rest = rest.partition(b"\n")
        raw_lines += _raw(line)
    patches = re.split(rb"^diff --git ", rest.removeprefix(b"\n"), flags=re.MULTILINE)[1:]
    return Diff(
        tuple(FileDiff(*raw, patch=_body(patch)) for raw, patch in zip(raw_lines, patches, strict=True))
    )


def _raw(line: bytes) -> list[tuple[str, str, str, str, str]]:
    head, *paths = line.split(b"\t")
    old_mode, new_mode, _, _, status = head[1:].decode().split(" ")
    names = [_unquote(path) for path in paths]
    if status[0] == "T":
        # One raw line, two patches: git deletes the old kind of file and adds the new one.
        return [(names[0], names[0], old_mode, "0", "D"), (names[0], names[0], "0", new_mode, "A")]
    old_mode, new_mode = ("0" if mode == "000000" else mode for mode in (old_mode, new_mode))
    return [(names[0], names[-1], old_mode, new_mode, status[0])]


def _unquote(path: bytes) -> str:
    if path.startswith(b'"'):
        path = _ESCAPE.sub(_unescape, path[1:-1])
    return path.decode("utf-8", "surrogateescape")


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) if len(code) == 3 else _ESCAPED[code[0]]])


def _body(patch: bytes) -> bytes:
    start = re.search(rb"^(?:@@ |Binary files )", patch, re.MULTILINE)
    return patch[start.start() :] if start else b""
