"""Which files the ``paths`` of a rule are about, as Semgrep's engine reads them.

The engine is told the names of files and decides itself; the ``semgrep`` command sees harmless names only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def plain_path(path: str) -> str:
    """Return *path* without steps that lead nowhere or up."""
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))


def applies(rule: Mapping[str, Any], path: str) -> bool:
    """Say whether a rule, given as in its file, is meant for the file *path* (relative, with ``/``)."""
    paths = rule.get("paths") or {}
    include, exclude = (_matches(paths.get(key), path) for key in ("include", "exclude"))
    return include is not False and exclude is not True


def _matches(globs: Any, path: str) -> bool | None:
    """Say whether one of *globs* matches *path* or a directory above it; None if there are no globs."""
    if not globs:
        return None
    return any(_compiled(str(glob)).fullmatch(path) is not None for glob in globs)


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    anchored = glob.startswith(("/", "./"))
    *parts, last = glob.removeprefix(".").split("/") if anchored else glob.split("/")
    parts = [part for part in parts if part]
    inside = not last or last == "**"  # only what is in such a directory, not a file of that name
    pattern = "" if anchored else "(?:.*/)?"
    for part in parts:
        pattern += "(?:.*/)?" if part == "**" else f"{_segment(part)}/"
    pattern += ".+" if inside else f"{_segment(last)}(?:/.*)?"
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return re.compile(".*", re.DOTALL)  # a range that runs backwards; a finding too many can be seen


def _segment(glob: str) -> str:
    """Return an expression for one name."""
    pattern, place = "", 0
    while place < len(glob):
        char = glob[place]
        end = glob.find("]", place + 2)
        if char == "[" and end > 0:
            inner = glob[place + 1 : end]
            negated = "^" if inner[0] in "!^" else ""
            members = inner[1:] if negated else inner
            pattern += f"[{negated}{_members(members)}]"
            place = end
        elif char == "\\" and place + 1 < len(glob):
            place += 1
            pattern += re.escape(glob[place])
        else:
            pattern += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
        place += 1
    return pattern


def _members(inner: str) -> str:
    """Return the members of a class; only ranges keep their meaning."""
    return re.sub(r"([\\\[\]^&~|])", r"\\\1", inner)
