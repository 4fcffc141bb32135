"""Defects put into code on purpose, to see whether a test notices them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """Hold one defect: what replaces the bytes from ``first`` to ``end``, in ``line`` (1-based).

    ``kind`` names the way of breaking it, ``change`` says in a few words what was done.
    """

    kind: str
    first: int
    end: int
    replacement: str
    line: int
    change: str

    def applied(self, content: bytes) -> bytes:
        """Return *content* with the defect."""
        return content[: self.first] + self.replacement.encode(errors="replace") + content[self.end :]


def varied(mutants: Iterable[Mutant], most: int) -> tuple[Mutant, ...]:
    """Return up to *most* of *mutants*, of as many kinds and lines as there are, the same ones every time."""
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_kind.setdefault(mutant.kind, []).append(mutant)
    rounds = itertools.zip_longest(*(by_kind[kind] for kind in sorted(by_kind)))
    ordered = [mutant for one in rounds for mutant in one if mutant is not None]
    first_of_lines = list({mutant.line: mutant for mutant in reversed(ordered)}.values())
    chosen = [mutant for mutant in ordered if mutant in first_of_lines]
    rest = [mutant for mutant in ordered if mutant not in first_of_lines]
    return tuple((chosen + rest)[:most])
