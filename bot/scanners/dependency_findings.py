"""A package, where it stands, and the advisories about it -> one finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.findings import Confidence, Finding, Fix, Severity
from bot.scanners.advisories.advisory import Advisory, lowest_repair
from bot.scanners.lockfiles.names import GO, key
from bot.scanners.lockfiles.package import Package

_MOST_OTHERS = 5
_MOST_PLACES = 3
_NAME_CHARS = 100
_PLAIN_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]*$")
_MALICIOUS_CWE = "CWE-506"
_VULNERABLE_CWE = "CWE-1395"
_ADVISORY_PAGE = "https://osv.dev/vulnerability/"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Hold a package on lines of a file that the merge request adds; ``pinned`` is the line with its version."""

    path: str
    line: int
    end_line: int
    package: Package
    pinned: str = ""


@dataclass(frozen=True, slots=True)
class Weakness:
    """Hold one vulnerability, told by one or more databases; the most telling record comes first."""

    records: tuple[Advisory, ...]

    @property
    def known_as(self) -> str:
        """Return the name that most people know, the same whichever databases were imported."""
        names = [record.known_as for record in self.records]
        return min(names, key=lambda name: (not name.startswith("CVE-"), name))

    @property
    def severity(self) -> Severity:
        """Return the gravest severity that a record tells, medium if none does."""
        told = [record.severity for record in self.records if record.severity is not None]
        return max(told, key=lambda severity: severity.rank, default=Severity.medium)

    @property
    def malicious(self) -> bool:
        """Say whether the package itself is the attack."""
        return any(record.malicious for record in self.records)


def fold(sightings: Iterable[Sighting]) -> list[list[Sighting]]:
    """Group what is the same package at the same version; where it can best be mended comes first."""
    groups: dict[tuple[str, str, str], list[Sighting]] = {}
    for sighting in sightings:
        package = sighting.package
        same = package.ecosystem, key(package.ecosystem, package.name), package.version
        groups.setdefault(same, []).append(sighting)
    return [sorted(group, key=_usefulness) for group in groups.values()]


def _usefulness(sighting: Sighting) -> tuple[bool, bool, str, int]:
    package = sighting.package
    return not package.pinned_line, package.direct is not True, sighting.path, sighting.line


def finding(same: Sequence[Sighting], advisories: Sequence[Advisory]) -> Finding:
    """Return the one finding about a package.

    Args:
        same: its sightings, as `fold` orders them.
        advisories: those that affect it, at least one.
    """
    first, package = same[0], same[0].package
    weaknesses = merged(advisories)
    worst = weaknesses[0]
    repair = "" if worst.malicious else lowest_repair(package.ecosystem, package.version, advisories)
    fix = _fix(package, first.pinned, repair)
    records = [record for weakness in weaknesses for record in weakness.records]
    return Finding(
        scanner="dependencies",
        rule="malicious-package" if worst.malicious else "vulnerable-package",
        category="security",
        severity=worst.severity,
        confidence=Confidence.high,
        path=first.path,
        line=first.line,
        end_line=first.end_line,
        title=_title(package, weaknesses),
        message=_message(same, weaknesses, repair, lock_too=fix is not None),
        cwe=_cwe(worst),
        references=_references(records),
        fix=fix,
        subject=f"{package.ecosystem}/{key(package.ecosystem, package.name)}/{worst.known_as}",
    )


def merged(advisories: Iterable[Advisory]) -> list[Weakness]:
    """Join records that are about the same vulnerability; malicious ones come first, then the gravest."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in advisories:
        names, records = set(advisory.names), [advisory]
        for group in [group for group in groups if not names.isdisjoint(group[0])]:
            groups.remove(group)
            names |= group[0]
            records = [*group[1], *records]
        groups.append((names, records))
    weaknesses = [Weakness(tuple(sorted(records, key=_telling))) for _, records in groups]
    return sorted(weaknesses, key=lambda one: (not one.malicious, -one.severity.rank, one.known_as))


def _telling(record: Advisory) -> tuple[bool, bool, int, str]:
    rank = -1 if record.severity is None else record.severity.rank
    return not record.malicious, not record.summary, -rank, record.id


def _title(package: Package, weaknesses: Sequence[Weakness]) -> str:
    what = f"{_shortened(package.name)} {_shortened(package.version)}"
    worst = weaknesses[0]
    if worst.malicious:
        return f"{what} is known to be malicious ({worst.known_as})"
    if len(weaknesses) == 1:
        return f"{what} has a known vulnerability ({worst.known_as})"
    return f"{what} has {len(weaknesses)} known vulnerabilities ({worst.known_as} and others)"


def _message(same: Sequence[Sighting], weaknesses: Sequence[Weakness], repair: str, *, lock_too: bool) -> str:
    package, worst = same[0].package, weaknesses[0]
    summary = worst.records[0].summary
    parts = [
        f"{worst.known_as}: {summary}" if summary else "",
        _others(weaknesses[1:]),
        _origin(package),
        _remedy(package, worst, repair, lock_too=lock_too),
        _elsewhere(same[1:]),
    ]
    return "\n\n".join(part for part in parts if part)


def _others(weaknesses: Sequence[Weakness]) -> str:
    if not weaknesses:
        return ""
    names = [f"{one.known_as} ({one.severity.value})" for one in weaknesses[:_MOST_OTHERS]]
    more = [f"{len(weaknesses) - _MOST_OTHERS} more"] if len(weaknesses) > _MOST_OTHERS else []
    return f"It is also affected by {_listed([*names, *more])}."


def _origin(package: Package) -> str:
    purpose = " for development only" if package.development else ""
    if package.via:
        return f"It is not a direct dependency: {_listed(list(map(_shortened, package.via)))} brought it in{purpose}."
    if package.direct:
        return f"It is a direct dependency{purpose}."
    return "It is used for development only." if package.development else ""


def _remedy(package: Package, worst: Weakness, repair: str, *, lock_too: bool) -> str:
    if worst.malicious:
        return (
            "Installing it may have run its code already. Remove it, and replace every secret that was within "
            "reach of the machines that installed it."
        )
    if not repair:
        return (
            "No version that mends this is known: find out whether you use what is affected, or replace it."
        )
    target = f"{_shortened(repair)} or later"
    if package.via:
        origin = _shortened(package.via[0])
        return f"Update {origin} so that it brings in {target}, or require {target} yourself."
    return f"Update to {target}{', and the lock file with it' if lock_too else ''}."


def _elsewhere(others: Sequence[Sighting]) -> str:
    if not others:
        return ""
    places = [f"{other.path}:{other.line}" for other in others[:_MOST_PLACES]]
    more = [f"{len(others) - _MOST_PLACES} more places"] if len(others) > _MOST_PLACES else []
    return f"The same version is named in {_listed([*places, *more])}."


def _cwe(worst: Weakness) -> tuple[str, ...]:
    if worst.malicious:
        return (_MALICIOUS_CWE,)
    told = dict.fromkeys(cwe for record in worst.records for cwe in record.cwe)
    return tuple(told) or (_VULNERABLE_CWE,)


def _references(records: Sequence[Advisory]) -> tuple[str, ...]:
    pages = [_ADVISORY_PAGE + record.id for record in records[:1]]
    return tuple(dict.fromkeys([*pages, *(url for record in records[:2] for url in record.references)]))[:4]


def _fix(package: Package, line: str, repair: str) -> Fix | None:
    """Return the line with the version replaced, None unless it stands there exactly once, by itself."""
    if not repair or not _PLAIN_VERSION.match(repair) or not package.pinned_line:
        return None
    old, new = package.version, repair
    if package.ecosystem == GO:
        if "+" in old + new or old.partition(".")[0] != new.partition(".")[0]:
            return None  # another major version is another module
        old, new = f"v{old}", f"v{new}"
    pieces = re.split(rf"(?<![\w.+-]){re.escape(old)}(?![\w+-]|\.\w)", line)
    if len(pieces) != 2:
        return None
    return Fix(line=package.pinned_line, end_line=package.pinned_line, replacement=new.join(pieces))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _shortened(text: str) -> str:
    return text if len(text) <= _NAME_CHARS else f"{text[: _NAME_CHARS - 1]}…"
