"""Findings grouped for reading in a terminal; the caller adds colours and columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from bot.domain.findings import Finding, Severity
from bot.domain.markdown import one_line, visible
from bot.domain.reports.order import in_order


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one finding as plain text without control characters; ``message`` may have several lines."""

    line: int
    severity: Severity
    title: str
    message: str
    source: str


@dataclass(frozen=True, slots=True)
class File:
    """Hold the findings of one file by line."""

    path: str
    entries: tuple[Entry, ...]


def listing(findings: Iterable[Finding]) -> list[File]:
    """Return the files that have findings, by path."""
    return [
        File(one_line(path, len(path) + 1), tuple(map(_entry, group)))
        for path, group in groupby(in_order(findings), key=lambda finding: finding.path)
    ]


def _entry(finding: Finding) -> Entry:
    return Entry(
        line=finding.line,
        severity=finding.severity,
        title=one_line(finding.title),
        message=visible(finding.message).strip(),
        source=one_line(f"{finding.scanner}: {finding.rule}"),
    )
