"""A parsed diff with exact line numbers on both sides."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

#: The mode of a link to a commit of another repository.
SUBMODULE: Final = "160000"


class Change(enum.StrEnum):
    """How a file changed."""

    added = "added"
    deleted = "deleted"
    modified = "modified"
    renamed = "renamed"


class Sign(enum.StrEnum):
    """The first character of a diff line."""

    added = "+"
    removed = "-"
    context = " "


@dataclass(frozen=True, slots=True)
class DiffLine:
    """Hold one line of a hunk.

    ``old`` and ``new`` are 1-based line numbers; ``old`` is None on an added line, ``new`` on a removed
    one. ``text`` has no line ending; a carriage return before it is kept.
    """

    sign: Sign
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Hold one hunk; starts are 1-based, a count of 0 means that the side is empty there."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True)
class FileDiff:
    """Hold the change of one file.

    Paths are relative to the repository root and unescaped. ``old_path`` equals ``new_path`` unless the
    file was renamed. Binary files and submodules have no hunks. ``truncated`` marks a file whose hunks
    the source could not give; nothing about its lines is known then.
    """

    old_path: str
    new_path: str
    change: Change
    old_mode: str = "100644"
    new_mode: str = "100644"
    binary: bool = False
    truncated: bool = False
    hunks: tuple[Hunk, ...] = field(default=())

    @property
    def submodule(self) -> bool:
        """Say whether either side is a submodule link (git mode 160000)."""
        return SUBMODULE in (self.old_mode, self.new_mode)

    @property
    def regular(self) -> bool:
        """Say whether there is a file with content after the change, not a link or a submodule."""
        return self.change is not Change.deleted and self.new_mode.startswith("100")

    @property
    def unreadable(self) -> str:
        """Return why the change brings no line that could be read, empty if it does."""
        reasons = (
            (self.change is Change.deleted, "it is deleted"),
            (self.submodule, "it is a submodule"),
            (self.binary, "it is binary, or larger than 10 MB"),
            (self.truncated, "its diff is not available"),
            (not self.hunks, "none of its lines changed"),
            (not self.added_lines, "it only loses lines"),
        )
        return next((reason for applies, reason in reasons if applies), "")

    @cached_property
    def added_lines(self) -> frozenset[int]:
        """Return the new-side numbers of the lines that this change adds."""
        return frozenset(
            line.new for hunk in self.hunks for line in hunk.lines if line.sign is Sign.added and line.new
        )

    @cached_property
    def removed_lines(self) -> frozenset[int]:
        """Return the old-side numbers of the lines that this change removes."""
        return frozenset(
            line.old for hunk in self.hunks for line in hunk.lines if line.sign is Sign.removed and line.old
        )


@dataclass(frozen=True)
class Diff:
    """Hold all file changes of one revision, in git's order."""

    files: tuple[FileDiff, ...]

    @cached_property
    def by_new_path(self) -> dict[str, FileDiff]:
        """Return the files by their path at the head."""
        return {file.new_path: file for file in self.files}

    @property
    def added_line_count(self) -> int:
        """Return how many lines the revision adds."""
        return sum(len(file.added_lines) for file in self.files)
