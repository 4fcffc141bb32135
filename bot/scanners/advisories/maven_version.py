"""Maven's order of versions (``ComparableVersion``).

https://maven.apache.org/pom.html#version-order-specification
"""

from __future__ import annotations

import re
from functools import total_ordering
from itertools import zip_longest
from typing import Any

_WORDS = re.compile(r"[0-9]+|[^0-9.\-]+|[.\-]")
_QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_RELEASE = _QUALIFIERS.index("")
_SAME = {"ga": "", "final": "", "release": "", "cr": "rc"}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}

#: One part: its kind (qualifier, list, number), then its value. A list stands behind a dash.
_Part = tuple[int, int, str] | list["_Part"]
_WORD, _LIST, _NUMBER = 0, 1, 2


@total_ordering
class MavenKey:
    """Compare as Maven compares; build it with `maven_key`."""

    __slots__ = ("_parts",)

    def __init__(self, parts: list[_Part]) -> None:
        self._parts = parts

    def __eq__(self, other: object) -> bool:
        """Say whether Maven takes both for the same version."""
        return isinstance(other, MavenKey) and _compare_lists(self._parts, other._parts) == 0

    def __lt__(self, other: MavenKey) -> bool:
        """Say whether this version is the older one."""
        return _compare_lists(self._parts, other._parts) < 0

    def __hash__(self) -> int:
        """Return a hash that fits equality: lists compare to missing parts, so nothing finer would."""
        return 0


def maven_key(version: str) -> MavenKey:
    """Return the key of *version*; Maven accepts any text.

    Raises:
        ValueError: it is empty.
    """
    if not version:
        msg = "an empty version"
        raise ValueError(msg)
    root: list[_Part] = []
    current, open_lists = root, [root]
    previous = "."
    words = _WORDS.findall(version.lower())
    for at, word in enumerate(words):
        if word in ".-":
            if previous in ".-":
                current.append((_NUMBER, 0, ""))
            if word == "-":
                current = _nested(current, open_lists)
        else:
            following = words[at + 1] if at + 1 < len(words) else ""
            if previous not in ".-" or (current and not word.isdecimal()):
                # A change between digits and letters counts as a dash, and so does a dot before letters.
                current = _nested(current, open_lists)
            current.append(_part(word, before_digit=following[:1].isdecimal()))
        previous = word
    for opened in reversed(open_lists):
        _normalise(opened)
    return MavenKey(root)


def _nested(current: list[_Part], open_lists: list[list[_Part]]) -> list[_Part]:
    inner: list[_Part] = []
    current.append(inner)
    open_lists.append(inner)
    return inner


def _part(word: str, *, before_digit: bool) -> _Part:
    if word.isdecimal():
        return (_NUMBER, int(word), "")
    word = _SHORT.get(word, word) if before_digit else word
    word = _SAME.get(word, word)
    if word in _QUALIFIERS:
        return (_WORD, _QUALIFIERS.index(word), "")
    return (_WORD, len(_QUALIFIERS), word)


def _normalise(parts: list[_Part]) -> None:
    """Drop parts from the end that say nothing: zeros, releases and empty lists, up to a list that does."""
    for at in reversed(range(len(parts))):
        if _compare(parts[at], None) == 0:
            del parts[at]
        elif not isinstance(parts[at], list):
            break


def _compare(one: _Part | None, other: _Part | None) -> int:
    if one is None:
        return 0 if other is None else -_compare(other, None)
    if isinstance(one, list):
        return _compare_list(one, other)
    if other is None:
        base = _RELEASE if one[0] == _WORD else 0
        return _sign((one[1], one[2]), (base, ""))
    if isinstance(other, list):
        return 1 if one[0] == _NUMBER else -1
    return _sign(one, other)


def _compare_list(one: list[_Part], other: _Part | None) -> int:
    if other is None:
        return next((sign for part in one if (sign := _compare(part, None))), 0)
    if isinstance(other, list):
        return _compare_lists(one, other)
    return -1 if other[0] == _NUMBER else 1


def _compare_lists(one: list[_Part], other: list[_Part]) -> int:
    return next((sign for pair in zip_longest(one, other) if (sign := _compare(*pair))), 0)


def _sign(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    return (one > other) - (one < other)
