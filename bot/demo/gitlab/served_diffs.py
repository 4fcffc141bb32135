"""Diffs under the limits of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.demo.gitlab.diffs import Diff, DiffLimits, FileDiff


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file's diff as the API serves it."""

    file: FileDiff
    collapsed: bool = False
    too_large: bool = False

    def entity(self, version: tuple[int, int], *, unidiff: bool = False) -> dict[str, Any]:
        """Return the JSON; the flags that say why a diff is empty exist in newer releases only."""
        file = self.file
        shown: dict[str, Any] = {
            "diff": "" if self.collapsed or self.too_large else _text(file, unidiff),
            "new_path": _shown_path(file.new_path),
            "old_path": _shown_path(file.old_path),
            "a_mode": file.old_mode,
            "b_mode": file.new_mode,
            "new_file": file.new_file,
            "renamed_file": file.renamed_file,
            "deleted_file": file.deleted_file,
        }
        if version >= (16, 11):
            shown["generated_file"] = False
        if version >= (18, 0):
            shown |= {"collapsed": self.collapsed, "too_large": self.too_large}
        return shown


@dataclass(frozen=True, slots=True)
class ServedDiff:
    """The files within the limits, and whether some are left out or cut."""

    shown: tuple[ServedFile, ...]
    overflow: bool


def serve(diff: Diff, limits: DiffLimits) -> ServedDiff:
    """Return *diff* cut down to *limits*."""
    shown: list[ServedFile] = []
    lines = size = 0
    for file in diff.files:
        if len(shown) >= limits.files or lines + file.line_count > limits.lines:
            return ServedDiff(tuple(shown), overflow=True)
        lines += file.line_count
        size += len(file.patch)
        too_large = len(file.patch) > limits.patch_bytes
        beyond_soft = len(shown) >= limits.soft_files or lines > limits.soft_lines or size > limits.soft_bytes
        collapsed = not too_large and (len(file.patch) > limits.patch_bytes // 10 or beyond_soft)
        shown.append(ServedFile(file, collapsed, too_large))
    return ServedDiff(tuple(shown), overflow=any(file.collapsed or file.too_large for file in shown))


def _text(file: FileDiff, unidiff: bool) -> str:
    text = file.patch.decode("utf-8", "replace")
    if not unidiff or not text.startswith("@@"):
        return text
    old = "/dev/null" if file.new_file else f"a/{_shown_path(file.old_path)}"
    new = "/dev/null" if file.deleted_file else f"b/{_shown_path(file.new_path)}"
    return f"--- {old}\n+++ {new}\n{text}"


def _shown_path(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
