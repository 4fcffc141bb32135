"""Find dependencies with known vulnerabilities that a merge request adds or changes.

Runs inside the process and offline: lock files and manifests are read, nothing is resolved or installed, and
what is known about packages comes from the advisories that the operator has imported.
"""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bot.domain.findings import Finding, ScanReport
from bot.ports import Runner
from bot.scanners import Setup, Source
from bot.scanners.advisories.advisory import Advisory
from bot.scanners.advisories.index import NOT_IMPORTED, AdvisoryIndex, is_imported, opened
from bot.scanners.dependency_findings import MALICIOUS_RULE, VULNERABLE_RULE, Sighting, findings, fold
from bot.scanners.lockfiles import packages_of, reader_of
from bot.scanners.lockfiles.names import key
from bot.scanners.lockfiles.package import Package, Place, Unreadable

# A lock file of hostile making must neither flood the merge request nor keep a machine busy.
_MOST_PACKAGES = 100
_MOST_COMPARISONS = 300_000
_MOST_UNTOUCHED = 5_000


class DependencyScanner:
    """Implement ``Scanner``, ``Ruled``, ``Equipped`` and ``Folding`` of ``bot.scanners``."""

    name = "dependencies"
    everywhere = True
    history = False
    max_bytes = 10_000_000
    rules = frozenset({VULNERABLE_RULE, MALICIOUS_RULE})

    def __init__(self, advisories: Path | None) -> None:
        self._advisories = advisories

    def wants(self, path: str) -> bool:
        """Say whether files of that name tell which packages are used."""
        return reader_of(path) is not None

    def absent(self) -> str:
        """Return why nothing can be looked up, empty if advisories are imported."""
        return "" if is_imported(self._advisories) else NOT_IMPORTED

    def fold(self, found: Iterable[Finding]) -> list[Finding]:
        """Return one finding for each package at one version."""
        return fold(found)

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:  # noqa: ARG002
        """Look up what *sources* name, in a thread; *runner* is not needed."""
        return await asyncio.to_thread(self._scan, sources)

    def _scan(self, sources: Sequence[Source]) -> ScanReport:
        not_analysed: dict[str, str] = {}
        sightings: list[Sighting] = []
        if self._advisories is None or self.absent():
            reasons = {source.path: NOT_IMPORTED for source in sources}
            return ScanReport(scanner=self.name, not_analysed=reasons)
        for source in sources:
            try:
                sightings += _sightings(source, self.max_bytes)
            except Unreadable as why:
                not_analysed[source.path] = str(why)
        with opened(self._advisories) as index:
            found = _looked_up(sightings, index, not_analysed)
        return ScanReport(
            scanner=self.name,
            findings=tuple(sorted(found, key=lambda one: (one.path, one.line, one.subject, one.title))),
            analysed=tuple(source.path for source in sources if source.path not in not_analysed),
            not_analysed=not_analysed,
        )


def _looked_up(
    sightings: Iterable[Sighting], index: AdvisoryIndex, not_analysed: dict[str, str]
) -> list[Finding]:
    """Return the findings; what is left out for its number is noted in *not_analysed*."""
    affected = list(_affected(sightings, index, not_analysed))
    touched = [one for one in affected if one[0].touched]
    touched.sort(key=lambda one: -max(_rank(advisory) for advisory in one[1]))
    for sighting, _ in touched[_MOST_PACKAGES:]:
        not_analysed[sighting.path] = f"more than {_MOST_PACKAGES} vulnerable packages; the gravest are told"
    untouched = [one for one in affected if not one[0].touched]
    told = [*touched[:_MOST_PACKAGES], *untouched[:_MOST_UNTOUCHED]]
    return [finding for sighting, advisories in told for finding in findings(sighting, advisories)]


def _rank(advisory: Advisory) -> int:
    return -1 if advisory.severity is None else advisory.severity.rank


def _affected(
    sightings: Iterable[Sighting], index: AdvisoryIndex, not_analysed: dict[str, str]
) -> Iterator[tuple[Sighting, list[Advisory]]]:
    """Yield the vulnerable packages with what is known against them, those on added lines first."""
    left = _MOST_COMPARISONS
    known: dict[tuple[str, str], list[Advisory]] = {}
    for sighting in sorted(sightings, key=lambda one: not one.touched):
        package = sighting.package
        place = package.ecosystem, package.name
        if place not in known:
            known[place] = index.about(*place)
        left -= sum(advisory.effort for advisory in known[place])
        if left < 0:
            not_analysed[sighting.path] = "it names more packages with advisories than can be compared"
            continue
        against = [one for one in known[place] if one.affects(package.ecosystem, package.version)]
        if against:
            yield sighting, against


def _sightings(source: Source, max_bytes: int) -> Iterator[Sighting]:
    """Yield the packages of one file, each version once, on an added line if it stands on one.

    Raises:
        Unreadable: the file cannot be understood.
    """
    if len(source.content) > max_bytes:
        raise Unreadable(f"larger than {max_bytes // 1_000_000} MB")
    text = _text(source.content)
    if "\0" in text:
        raise Unreadable("binary")
    added, lines = sorted(source.added), text.split("\n")
    found: dict[tuple[str, str, str], Sighting] = {}
    for package in packages_of(source.name, text):
        same = package.ecosystem, key(package.ecosystem, package.name), package.version
        if same not in found or not found[same].touched:
            sighting = _sighting(source.path, package, added, lines)
            if same not in found or sighting.touched:
                found[same] = sighting
    yield from found.values()


def _sighting(path: str, package: Package, added: Sequence[int], lines: Sequence[str]) -> Sighting:
    place = next((place for place in package.places if _touches(place, added)), None)
    shown = place or package.places[0]
    pinned = lines[package.pinned_line - 1] if 0 < package.pinned_line <= len(lines) else ""
    last = max(1, min(shown.end_line, len(lines)))
    return Sighting(path, min(shown.line, last), last, package, pinned, touched=place is not None)


def _touches(place: Place, added: Sequence[int]) -> bool:
    at = bisect.bisect_left(added, place.line)
    return at < len(added) and added[at] <= place.end_line


def _text(content: bytes) -> str:
    """Return the text; PowerShell writes requirements in UTF-16."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8", "replace").removeprefix("\ufeff")


def plug(setup: Setup) -> DependencyScanner:
    """Return the scanner with the advisories of *setup*."""
    return DependencyScanner(setup.advisories)
