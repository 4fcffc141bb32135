"""The few lines around findings, out of what a model was shown before: enough to look at them once more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from bot.domain.excerpt import Excerpt, header
from bot.domain.findings import Finding
from bot.domain.prompt import fence_around

Point = TypeVar("Point")

#: Lines above and below a finding: most of a function.
_AROUND = 12
#: Lines above and below a line that proves it.
_AROUND_EVIDENCE = 2


def showing(finding: Finding, excerpts: Iterable[Excerpt]) -> Excerpt | None:
    """Return the excerpt that shows the first line of *finding*, None if none does."""
    return next((one for one in excerpts if one.path == finding.path and finding.line in one.shown), None)


def windows(findings: Collection[Finding], excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """Return the rows of *excerpts* around *findings*, in their order, what lies together in one piece."""
    return [window for excerpt in excerpts for window in _windows(findings, excerpt)]


def sheet(shown: Sequence[Excerpt], points: Sequence[str], heading: str) -> tuple[str, str]:
    """Return a fence, and what stands between two of it: the code *shown*, then numbered *points*."""
    parts: list[str] = []
    for path, of_file in groupby(shown, key=lambda excerpt: excerpt.path):
        parts.append(f"{header(path)}\n" + "\n\n".join(excerpt.text for excerpt in of_file))
    parts.append("\n".join([heading, *(f"{number}. {point}" for number, point in enumerate(points))]))
    body = "\n\n".join(parts)
    return fence_around([body]), body


def batches(
    points: Iterable[Point], *, most: int, fits: Callable[[Sequence[Point]], bool]
) -> Iterator[tuple[Point, ...]]:
    """Yield *points* in groups of up to *most* that fit into one request; one that never fits is left out."""
    group: list[Point] = []
    for point in points:
        if group and (len(group) == most or not fits([*group, point])):
            yield tuple(group)
            group = []
        if group or fits([point]):
            group.append(point)
    if group:
        yield tuple(group)


def _windows(findings: Collection[Finding], excerpt: Excerpt) -> Iterator[Excerpt]:
    wanted = {
        number
        for finding in findings
        if finding.path == excerpt.path
        for first, last, around in _spans(finding)
        for number in range(first - around, last + around + 1)
    }
    if not wanted & excerpt.added:
        return
    keep, nearest = [], 0
    for row in excerpt.rows:
        nearest = row.number or nearest
        keep.append(nearest in wanted)
    enclosing = excerpt.enclosing
    for kept, group in groupby(zip(keep, excerpt.rows, strict=True), key=lambda pair: pair[0]):
        if kept:
            yield Excerpt(excerpt.path, tuple(row for _, row in group), enclosing)
            enclosing = ()


def _spans(finding: Finding) -> Iterator[tuple[int, int, int]]:
    yield finding.line, finding.end_line, _AROUND
    for item in finding.evidence:
        yield item.line, item.line, _AROUND_EVIDENCE
