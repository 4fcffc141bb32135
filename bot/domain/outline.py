"""What a file's syntax says about its code: where definitions stand, what calls what, what does not parse."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """Hold one definition; lines are 1-based and include decorators, ``line`` is where it says its name.

    ``kind`` is ``module``, ``class``, ``function`` or ``block``. ``signature`` is the text before the body, on one
    line and clipped. ``parent`` names the definitions around it, outermost first, joined by dots.
    """

    kind: str
    name: str
    first_line: int
    last_line: int
    signature: str
    parent: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one call by the last part of the name that is called; ``line`` is 1-based."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Syntax:
    """Hold what is known of one file.

    ``errors`` has the 1-based lines where something begins that the grammar does not know, or lacks. Grammars lag
    behind languages, so that only *new* errors say something: compare with the file before a change.
    """

    language: str
    definitions: tuple[Definition, ...] = ()
    all_calls: tuple[Call, ...] = ()
    errors: frozenset[int] = frozenset()
    error_count: int = 0

    def calls(self, first: int, last: int) -> tuple[str, ...]:
        """Return the names that lines *first* to *last* call, in order of their first call."""
        return tuple(dict.fromkeys(call.name for call in self.all_calls if first <= call.line <= last))

    def enclosing(self, first: int, last: int) -> tuple[Definition, ...]:
        """Return the definitions that hold all of *first* to *last*, outermost first."""
        around = [one for one in self.definitions if one.first_line <= first and last <= one.last_line]
        return tuple(sorted(around, key=lambda one: (one.first_line, -one.last_line)))
