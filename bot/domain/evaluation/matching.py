"""Which comment says which expected thing: each counts once, so that saying one thing five times earns nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.evaluation.case import Expected
from bot.domain.findings import Finding

#: A comment this many lines off still sends its reader to the right place.
NEAR_LINES = 3


@dataclass(frozen=True, slots=True)
class Matches:
    """Hold which comment met which expectation, both by their place in what was compared."""

    pairs: Mapping[int, int] = field(default_factory=dict)
    comments: int = 0
    expected: int = 0

    @property
    def unexpected(self) -> list[int]:
        """Return the comments that met nothing."""
        return [number for number in range(self.comments) if number not in self.pairs]

    @property
    def missed(self) -> list[int]:
        """Return the expectations that nothing met."""
        met = set(self.pairs.values())
        return [number for number in range(self.expected) if number not in met]


def fits(comment: Finding, expected: Expected) -> bool:
    """Say whether *comment* can be meant by *expected*: file, lines, what it says and how grave it finds it."""
    first, last = expected.lines
    return (
        comment.path == expected.path
        and comment.line <= last + NEAR_LINES
        and comment.end_line >= first - NEAR_LINES
        and comment.severity.rank >= expected.severity.rank
        and _means(comment, expected)
    )


def reachable(expected: Expected, lines: Collection[int]) -> bool:
    """Say whether a comment on one of *lines*, those of the file that may be commented, can stand near enough."""
    first, last = expected.lines
    return any(first - NEAR_LINES <= line <= last + NEAR_LINES for line in lines)


def match(comments: Sequence[Finding], expected: Sequence[Expected]) -> Matches:
    """Pair as many of *comments* with *expected* as possible; each takes part in one pair at most.

    Required expectations are served before optional ones, and what is near before what is less near.
    """
    options = {number: _fitting(comments, one) for number, one in enumerate(expected)}
    taken: dict[int, int] = {}
    for number in sorted(options, key=lambda number: (expected[number].optional, number)):
        _pair(number, options, taken, set())
    return Matches(taken, len(comments), len(expected))


def _pair(number: int, options: Mapping[int, Sequence[int]], taken: dict[int, int], tried: set[int]) -> bool:
    """Find a comment for an expectation, moving earlier ones to others of theirs where that makes room."""
    for comment in options[number]:
        if comment in tried:
            continue
        tried.add(comment)
        if comment not in taken or _pair(taken[comment], options, taken, tried):
            taken[comment] = number
            return True
    return False


def _fitting(comments: Sequence[Finding], expected: Expected) -> list[int]:
    found = [at for at, comment in enumerate(comments) if fits(comment, expected)]
    return sorted(found, key=lambda at: (_distance(comments[at], expected), at))


def _means(comment: Finding, expected: Expected) -> bool:
    if not expected.categories and not expected.keywords:
        return True
    said = f"{comment.title}\n{comment.message}\n{comment.rule}\n{' '.join(comment.cwe)}".casefold()
    return comment.category in expected.categories or any(
        keyword.casefold() in said for keyword in expected.keywords
    )


def _distance(comment: Finding, expected: Expected) -> int:
    return max(expected.lines[0] - comment.line, comment.line - expected.lines[1], 0)
