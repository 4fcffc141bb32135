"""Where a comment stands: checking a position, and carrying it over to newer commits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.demo.gitlab.diffs import Diff, Diffs, FileDiff
from bot.demo.gitlab.errors import ApiError, bad_note, invalid, missing
from bot.demo.gitlab.repository import Repository
from bot.demo.gitlab.state import Refs

Position = dict[str, Any]

_SHAS = ("base_sha", "start_sha", "head_sha")
_LINE_CODE = re.compile(r"[0-9a-f]{40}_\d+_\d+")


def read_position(value: Any, version: tuple[int, int]) -> Position:
    """Return the position in a request after the checks that need no repository.

    Raises:
        ApiError: parameters are missing or of the wrong kind.
    """
    if not isinstance(value, Mapping):
        raise invalid("position")
    absent = [f"position[{name}]" for name in (*_SHAS, "position_type") if name not in value]
    if absent:
        raise missing(*absent)
    kinds = ("text", "image", "file") if version >= (16, 4) else ("text", "image")
    if value["position_type"] not in kinds:
        raise invalid("position[position_type]", "does not have a valid value")
    position = {name: value.get(name) or None for name in (*_SHAS, "old_path", "new_path", "position_type")}
    for name, text in position.items():
        if text is not None and not isinstance(text, str):
            raise invalid(f"position[{name}]")
    for name in ("old_line", "new_line"):
        position[name] = _number(value.get(name), f"position[{name}]")
    position["line_range"] = _line_range(value.get("line_range"))
    return position


def _number(value: Any, name: str) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise invalid(name)
    return int(value)


def _line_range(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise invalid("position[line_range]")
    ends: dict[str, Any] = {}
    for end in ("start", "end"):
        given = value.get(end)
        if not isinstance(given, Mapping):
            raise missing(f"position[line_range][{end}]")
        absent = [
            f"position[line_range][{end}][{name}]" for name in ("line_code", "type") if name not in given
        ]
        if absent:
            raise missing(*absent)
        ends[end] = {name: given[name] for name in ("line_code", "type")}
        for name in ("old_line", "new_line"):
            ends[end][name] = _number(given.get(name), f"position[line_range][{end}][{name}]")
    return ends


class Positions:
    """Check positions against the diffs of one server."""

    def __init__(self, diffs: Diffs, version: tuple[int, int]) -> None:
        self._diffs = diffs
        self._ruby = (3, 4) if version >= (18, 5) else (3, 2)
        #: Answer 500 to an ``old_path`` that comes with an added file, as some instances do.
        self.old_path_of_added_file_breaks = False

    def place(
        self, repository: Repository, current: Refs | None, position: Position
    ) -> tuple[Position, Position | None, str | None]:
        """Return a position as it is stored, where its line went if it is gone, and the line code.

        A position made for older commits is carried over to *current* first, as GitLab does.

        Raises:
            ApiError: the position names no line.
        """
        if current is None:
            raise bad_note("noteable", "doesn't support new-style diff notes", ruby=self._ruby)
        if self.old_path_of_added_file_breaks:
            position = self._without_old_path(repository, position)
        if any(not position[name] for name in (*_SHAS, "old_path", "new_path")):
            raise bad_note("position", "is incomplete", ruby=self._ruby)
        own_refs = Refs(*(position[name] for name in _SHAS))
        file = self._file(repository, own_refs, position)
        code = self._code(repository, own_refs, position, file)
        if own_refs == current or position["position_type"] != "text":
            return position, None, code
        moved = self.trace(repository, current, position)
        if moved is None:
            change = dict(position, base_sha=own_refs.head_sha, head_sha=current.head_sha)
            return position, change, code
        moved_file = self._file(repository, current, moved)
        return moved, None, self._code(repository, current, moved, moved_file)

    def _without_old_path(self, repository: Repository, position: Position) -> Position:
        if position["old_path"] is None:
            return position | {"old_path": position["new_path"]}
        file = self._file(repository, Refs(*(str(position[name]) for name in _SHAS)), position)
        if file.new_file:
            raise ApiError(500, {"message": "500 Internal Server Error"})
        return position

    def _file(self, repository: Repository, refs: Refs, position: Position) -> FileDiff:
        if any(repository.resolve(sha) != sha for sha in (refs.base_sha, refs.head_sha)):
            raise self._no_line()
        diff = self._diffs.between(repository, refs.base_sha, refs.head_sha)
        file = diff.find(position["old_path"], position["new_path"])
        if file is None:
            raise self._no_line()
        return file

    def _code(self, repository: Repository, refs: Refs, position: Position, file: FileDiff) -> str | None:
        if position["position_type"] != "text":
            return None
        length = old_length(repository, refs, file)
        code = file.code_of(position["old_line"], position["new_line"], length)
        if code is None:
            raise self._no_line()
        if position["line_range"]:
            self._check_range(position["line_range"], code, file, length)
        return code

    def _check_range(self, line_range: dict[str, Any], code: str, file: FileDiff, length: int) -> None:
        codes = [line_range[end]["line_code"] for end in ("start", "end")]
        shaped = all(isinstance(each, str) and _LINE_CODE.fullmatch(each) for each in codes)
        if not shaped or codes[1] != code or not all(_names_line(each, file, length) for each in codes):
            raise self._no_line()
        if any(line_range[end]["type"] not in ("new", "old", None) for end in ("start", "end")):
            raise invalid("position[line_range][start][type]", "does not have a valid value")

    def _no_line(self) -> ApiError:
        return bad_note("line_code", "can't be blank", "must be a valid line code", ruby=self._ruby)

    def trace(self, repository: Repository, current: Refs, position: Position) -> Position | None:
        """Return *position* carried over to *current*, or None when its line was changed or left the diff."""
        if position["position_type"] != "text":
            return None
        new_diff = self._diffs.between(repository, current.base_sha, current.head_sha)
        trace = self._trace_removed if position["new_line"] is None else self._trace_present
        found = trace(repository, current, position, new_diff)
        if found is None:
            return None
        file, old, new = found
        if file.code_of(old, new, old_length(repository, current, file)) is None:
            return None
        moved = dict(position, old_line=old, new_line=new, old_path=file.old_path, new_path=file.new_path)
        # The ends of a range move on their own in GitLab; here a range that moved shrinks to its last line.
        moved["line_range"] = position["line_range"] if (old, new) == _lines(position) else None
        return moved | {name: getattr(current, name) for name in _SHAS}

    def _trace_removed(
        self, repository: Repository, current: Refs, position: Position, new_diff: Diff
    ) -> tuple[FileDiff, int | None, int | None] | None:
        bases = self._diffs.between(repository, position["base_sha"], current.base_sha)
        path, line = _follow(bases, position["old_path"], position["old_line"])
        file = new_diff.from_old(path) if path else None
        return None if file is None or line is None else (file, line, None)

    def _trace_present(
        self, repository: Repository, current: Refs, position: Position, new_diff: Diff
    ) -> tuple[FileDiff, int | None, int | None] | None:
        heads = self._diffs.between(repository, position["head_sha"], current.head_sha)
        path, line = _follow(heads, position["new_path"], position["new_line"])
        file = new_diff.to_new(path) if path else None
        if file is None or line is None:
            return None
        return file, old_line_of(file, line), line


def _lines(position: Position) -> tuple[int | None, int | None]:
    return position["old_line"], position["new_line"]


def old_length(repository: Repository, refs: Refs, file: FileDiff) -> int:
    """Return how many lines the file had before."""
    if file.new_file:
        return 0
    content = repository.blob(refs.base_sha, file.old_path) or b""
    return content.count(b"\n") + (not content.endswith(b"\n") and content != b"")


def _names_line(code: str, file: FileDiff, length: int) -> bool:
    _, old, new = code.split("_")
    if code != file.line_code(int(old), int(new)):
        return False
    in_hunk = any((line.old, line.new) == (int(old), int(new)) for hunk in file.hunks for line in hunk.lines)
    return in_hunk or file.code_of(int(old), int(new), length) is not None


def _follow(diff: Diff, path: str, line: int) -> tuple[str | None, int | None]:
    file = diff.from_old(path)
    if file is None:
        return path, line
    if file.deleted_file:
        return None, None
    return file.new_path, file.new_line(line)


def old_line_of(file: FileDiff, new: int) -> int | None:
    """Return the old number of a line that is there now, None when it was added."""
    shift = 0
    for hunk in file.hunks:
        for line in hunk.lines:
            if line.new == new and line.sign != "-":
                return line.old if line.sign == " " else None
            if line.new > new and line.sign != "-":
                return new - shift
            shift += {"+": 1, "-": -1, " ": 0}[line.sign]
    return new - shift
