"""What a lock file or manifest says about one package."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

#: More is no file that a package manager wrote.
MOST_PACKAGES = 50_000

#: More origins of a package than that tell the reader nothing.
_MOST_ORIGINS = 3


class Unreadable(ValueError):
    """Say why a file cannot be understood; the message ends the sentence "not analysed: ..."."""


@dataclass(frozen=True, slots=True)
class Place:
    """Hold lines of a file, 1-based and inclusive."""

    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Package:
    """Hold one package at one version.

    ``ecosystem`` and ``name`` are those of the OSV schema. ``places`` are the lines that decide about the
    version, the most telling first. ``direct`` is None where the file does not tell; ``via`` names what brings
    in a package that is not direct. ``pinned_line`` is the line on which the version stands and may simply be
    replaced, 0 where nothing may.
    """

    ecosystem: str
    name: str
    version: str
    places: tuple[Place, ...]
    direct: bool | None = None
    via: tuple[str, ...] = ()
    development: bool = False
    pinned_line: int = 0


def at(line: int, end_line: int | None = None) -> tuple[Place, ...]:
    """Return one place."""
    return (Place(line, max(line, end_line or line)),)


def brought_in_by(
    needs: Mapping[str, Collection[str]], direct: Iterable[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return which *direct* packages bring in each of the others, the nearest first, at most three.

    Args:
        needs: what each package depends on.
        direct: None takes those that nobody else needs, for files that do not name them.
    """
    if direct is None:
        needed = {name for names in needs.values() for name in names}
        direct = [name for name in needs if name not in needed]
    origins: dict[str, list[str]] = {}
    queue = deque((name, name) for name in dict.fromkeys(direct))
    direct = {name for name, _ in queue}
    while queue:
        name, origin = queue.popleft()
        for need in needs.get(name, ()):
            known = origins.setdefault(need, [])
            if len(known) < _MOST_ORIGINS and origin not in known and need != origin:
                known.append(origin)
                queue.append((need, origin))
    return {name: tuple(known) for name, known in origins.items() if name not in direct}
