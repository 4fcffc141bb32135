"""Where a comment goes: the ``position`` of a discussion or draft note.

GitLab accepts a text position only if its diff has a line with exactly the given pair of numbers, so an
added line names its new number alone, a removed line its old number alone, and an unchanged line both. It
unfolds unchanged lines outside hunks from the old file. See
https://docs.gitlab.com/api/discussions/#create-a-thread-in-the-merge-request-diff and GitLab's
``lib/gitlab/diff/{file,parser,lines_unfolder}.rb``.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.domain.diff import Change, DiffLine, FileDiff, Hunk, Sign
from bot.domain.line_map import LineMap
from bot.domain.merge_request import Revision

#: GitLab stores no longer path in a position (``app/validators/json_schemas/position.json``).
MAX_PATH_CHARS = 1000


class NoPosition(ValueError):
    """Say why GitLab has no place for a comment on these lines; the text belongs in the summary."""


class Side(enum.StrEnum):
    """Which version of the file the line numbers count."""

    old = "old"
    new = "new"


@dataclass(frozen=True, slots=True)
class Target:
    """Name lines ``start``..``end`` (1-based, inclusive) of one side of a file."""

    start: int
    end: int
    side: Side = Side.new


@dataclass(frozen=True, slots=True)
class _Spot:
    """Hold one line as GitLab finds it: its numbers, and the counters that make its line code."""

    old: int | None
    new: int | None
    old_counter: int
    new_counter: int


def position(
    file: FileDiff, revision: Revision, target: Target, *, old_line_count: int | None = None
) -> dict[str, Any]:
    """Return the ``position`` of *target*.

    Several lines become a ``line_range`` of line codes, anchored at the last line. The ends carry no line
    numbers of their own: the schema of draft notes rejects them in some releases. Numbers that do not
    belong to a line are left out, since even a null too many is a mismatch.

    Args:
        file: the change of the file, with the context that GitLab shows (three lines).
        revision: the commits that *file* compares.
        target: the lines to comment on.
        old_line_count: length of the old file, to refuse unchanged lines past its end.

    Raises:
        NoPosition: GitLab has no such line in this diff.
    """
    _check(file, target)
    end = _spot(file, target.side, target.end, old_line_count)
    place: dict[str, Any] = {
        "position_type": "text",
        "base_sha": revision.base_sha,
        "start_sha": revision.start_sha,
        "head_sha": revision.head_sha,
        "old_path": file.old_path,
        "new_path": file.new_path,
    }
    if end.old is not None:
        place["old_line"] = end.old
    if end.new is not None:
        place["new_line"] = end.new
    if target.start != target.end:
        start = _spot(file, target.side, target.start, old_line_count)
        place["line_range"] = {"start": _range_end(file, start), "end": _range_end(file, end)}
    return place


def line_code(path: str, old_counter: int, new_counter: int) -> str:
    """Return GitLab's name of a diff line.

    The counters run through the diff, so an added line carries the old number that comes next (0 in a new
    file) and a removed line the new one (``lib/gitlab/git.rb``).
    """
    digest = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    return f"{digest}_{old_counter}_{new_counter}"


def _check(file: FileDiff, target: Target) -> None:
    reasons = {
        "its diff is too large to be shown": file.truncated,
        "it is binary": file.binary,
        "it is a submodule": file.submodule,
        "its content is unchanged": not file.hunks,
        "its path is too long": max(len(file.old_path), len(file.new_path)) > MAX_PATH_CHARS,
        "it is deleted": file.change is Change.deleted and target.side is Side.new,
        "it is new": file.change is Change.added and target.side is Side.old,
    }
    for reason, applies in reasons.items():
        if applies:
            msg = f"no comment on the {target.side} side of {file.new_path}: {reason}"
            raise NoPosition(msg)
    if not 1 <= target.start <= target.end:
        msg = f"lines {target.start} to {target.end} are not a range of lines"
        raise NoPosition(msg)


def _spot(file: FileDiff, side: Side, number: int, old_line_count: int | None) -> _Spot:
    for line, old_counter, new_counter in _counted(file.hunks):
        if number == (line.new if side is Side.new else line.old):
            return _Spot(line.old, line.new, old_counter, new_counter)
    lines = LineMap(file)
    old, new = (lines.old_of(number), number) if side is Side.new else (number, lines.new_of(number))
    if old is None or new is None or (old_line_count is not None and old > old_line_count):
        msg = f"line {number} on the {side} side of {file.new_path} is not part of the diff"
        raise NoPosition(msg)
    return _Spot(old, new, old, new)


def _counted(hunks: tuple[Hunk, ...]) -> Iterator[tuple[DiffLine, int, int]]:
    for hunk in hunks:
        old, new = _first(hunk.old_start, hunk.old_count), _first(hunk.new_start, hunk.new_count)
        for line in hunk.lines:
            yield line, old, new
            old += line.sign is not Sign.added
            new += line.sign is not Sign.removed


def _first(start: int, count: int) -> int:
    # An empty side names the line before the gap; GitLab counts on from 0 in a file that is empty there.
    return start if count or not start else start + 1


def _range_end(file: FileDiff, spot: _Spot) -> dict[str, str]:
    return {
        "line_code": line_code(file.new_path or file.old_path, spot.old_counter, spot.new_counter),
        "type": "new" if spot.old is None else "old",
    }
