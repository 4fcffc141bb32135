"""Find dependencies with known vulnerabilities that a merge request adds or changes.

Runs inside the process and offline: lock files and manifests are read, nothing is resolved or installed, and
what is known about packages comes from the advisories that the operator has imported.
"""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Sequence
from pathlib import Path

from bot.domain.findings import Finding, ScanReport
from bot.ports import Runner
from bot.scanners import Setup, Source
from bot.scanners.advisories.index import NOT_IMPORTED, AdvisoryIndex, is_imported, opened
from bot.scanners.dependency_findings import Sighting, finding, fold
from bot.scanners.lockfiles import packages_of, reader_of
from bot.scanners.lockfiles.package import Package, Place, Unreadable

_MAX_FINDINGS = 100  # a lock file of hostile making must not flood the merge request


class DependencyScanner:
    """Implement ``bot.scanners.Scanner``; only packages on added lines are looked up."""

    name = "dependencies"
    everywhere = True
    max_bytes = 10_000_000

    def __init__(self, advisories: Path | None) -> None:
        self._advisories = advisories

    def wants(self, path: str) -> bool:
        """Say whether files of that name tell which packages are used."""
        return reader_of(path) is not None

    def absent(self) -> str:
        """Return why nothing can be looked up, empty if advisories are imported."""
        return "" if is_imported(self._advisories) else NOT_IMPORTED

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:  # noqa: ARG002
        """Look up what *sources* add, in a thread; *runner* is not needed."""
        return await asyncio.to_thread(self._scan, sources)

    def _scan(self, sources: Sequence[Source]) -> ScanReport:
        if self._advisories is None or self.absent():
            reasons = {source.path: NOT_IMPORTED for source in sources}
            return ScanReport(scanner=self.name, not_analysed=reasons)
        not_analysed: dict[str, str] = {}
        sightings: list[Sighting] = []
        for source in sources:
            try:
                sightings += _sightings(source, self.max_bytes)
            except Unreadable as why:
                not_analysed[source.path] = str(why)
        with opened(self._advisories) as index:
            found = _looked_up(sightings, index)
        found.sort(key=lambda one: (-one.severity.rank, one.path, one.line))
        for one in found[_MAX_FINDINGS:]:
            not_analysed[one.path] = f"more than {_MAX_FINDINGS} vulnerable packages; the gravest are listed"
        return ScanReport(
            scanner=self.name,
            findings=tuple(sorted(found[:_MAX_FINDINGS], key=lambda one: (one.path, one.line, one.subject))),
            analysed=tuple(source.path for source in sources if source.path not in not_analysed),
            not_analysed=not_analysed,
        )


def _looked_up(sightings: Sequence[Sighting], index: AdvisoryIndex) -> list[Finding]:
    found = []
    for same in fold(sightings):
        package = same[0].package
        advisories = [
            advisory
            for advisory in index.about(package.ecosystem, package.name)
            if advisory.affects(package.ecosystem, package.version)
        ]
        if advisories:
            found.append(finding(same, advisories))
    return found


def _sightings(source: Source, max_bytes: int) -> list[Sighting]:
    """Return the packages of one file that stand on added lines.

    Raises:
        Unreadable: the file cannot be understood.
    """
    if len(source.content) > max_bytes:
        raise Unreadable(f"larger than {max_bytes // 1_000_000} MB")
    text = _text(source.content)
    if "\0" in text:
        raise Unreadable("binary")
    added = sorted(source.added)
    found = []
    lines: list[str] = []
    for package in packages_of(source.path, text):
        place = _touched(package, added)
        if place is not None:
            lines = lines or text.split("\n")
            pinned = lines[package.pinned_line - 1] if 0 < package.pinned_line <= len(lines) else ""
            last = min(place.end_line, len(lines))
            found.append(Sighting(source.path, min(place.line, last), last, package, pinned))
    return found


def _text(content: bytes) -> str:
    """Return the text; PowerShell writes requirements in UTF-16."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8", "replace").removeprefix("\ufeff")


def _touched(package: Package, added: Sequence[int]) -> Place | None:
    for place in package.places:
        at = bisect.bisect_left(added, place.line)
        if at < len(added) and added[at] <= place.end_line:
            return place
    return None


def plug(setup: Setup) -> DependencyScanner:
    """Return the scanner with the advisories of *setup*."""
    return DependencyScanner(setup.advisories)
