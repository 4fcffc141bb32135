"""A package, where it stands, and the advisories about it -> findings; and those of one package -> one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.domain.findings import Confidence, Finding, Fix
from bot.scanners.advisories.advisory import Advisory, lowest_repair
from bot.scanners.advisories.weakness import Weakness, merged
from bot.scanners.lockfiles.names import CRATES, GO, NPM, key
from bot.scanners.lockfiles.package import Package

VULNERABLE_RULE, MALICIOUS_RULE = "vulnerable-package", "malicious-package"
_VULNERABLE, _MALICIOUS = " has a known vulnerability (", " is known to be malicious ("
_MOST_OTHERS = 5
_MOST_PLACES = 3
_NAME_CHARS = 100
_PLAIN_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]*$")
_MALICIOUS_CWE, _VULNERABLE_CWE = "CWE-506", "CWE-1395"
_ADVISORY_PAGE = "https://osv.dev/vulnerability/"
#: What has to follow an edit of the manifest by hand.
_FOLLOWS = {NPM: "the lock file", CRATES: "Cargo.lock", GO: "go.sum"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """Hold a package in a file; ``pinned`` is the line with its version, ``touched`` whether lines are added."""

    path: str
    line: int
    end_line: int
    package: Package
    pinned: str = ""
    touched: bool = True


def findings(sighting: Sighting, advisories: Sequence[Advisory]) -> Iterator[Finding]:
    """Yield a finding for each vulnerability of a package, the gravest first.

    Each has its own subject, so that each is compared with what was there before; `fold` joins what is left.

    Args:
        sighting: the package.
        advisories: those that affect it.
    """
    package = sighting.package
    subject = f"{package.ecosystem}/{key(package.ecosystem, package.name)}/"
    # What stands on other lines is only counted.
    repair = lowest_repair(package.ecosystem, package.version, advisories) if sighting.touched else ""
    fix = _fix(package, sighting.pinned, repair)
    for weakness in merged(advisories):
        yield Finding(
            scanner="dependencies",
            rule=MALICIOUS_RULE if weakness.malicious else VULNERABLE_RULE,
            category="security",
            severity=weakness.severity,
            confidence=Confidence.high,
            path=sighting.path,
            line=sighting.line,
            end_line=sighting.end_line,
            title=_title(package, weakness),
            message=_message(package, weakness, repair, fixed=fix is not None),
            cwe=_cwe(weakness),
            references=_references(weakness.records),
            fix=None if weakness.malicious else fix,
            subject=subject + weakness.known_as,
        )


def fold(found: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each package at one version, whichever files name it: the gravest leads."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        groups.setdefault((finding.subject.rpartition("/")[0], _what(finding)), []).append(finding)
    return [_folded(group) for group in groups.values()]


def _folded(group: Sequence[Finding]) -> Finding:
    worst = min(group, key=lambda one: (one.rule != MALICIOUS_RULE, -one.severity.rank, one.subject))
    # The same in several files: where it can best be mended.
    same = [one for one in group if one.subject == worst.subject]
    leader = min(same, key=lambda one: (one.fix is None, one.path, one.line))
    names = {one.subject: one for one in group if one.subject != worst.subject}
    others = sorted(names.values(), key=lambda one: (-one.severity.rank, one.subject))
    places = sorted({(one.path, one.line) for one in group if one.path != leader.path})
    title = leader.title
    if others and leader.rule != MALICIOUS_RULE:
        title = f"{_what(leader)} has {len(others) + 1} known vulnerabilities ({_label(leader)} and others)"
    notes = [
        _sentence(
            "It is also affected by", [f"{_label(o)} ({o.severity.value})" for o in others], _MOST_OTHERS
        ),
        _sentence("The same version is named in", [f"{path}:{line}" for path, line in places], _MOST_PLACES),
    ]
    message = "\n\n".join([leader.message, *filter(None, notes)])
    return leader.model_copy(update={"title": title, "message": message})


def _what(finding: Finding) -> str:
    """Return name and version."""
    marker = _MALICIOUS if finding.rule == MALICIOUS_RULE else _VULNERABLE
    return finding.title.rpartition(marker)[0]


def _label(finding: Finding) -> str:
    return finding.subject.rpartition("/")[2]


def _title(package: Package, weakness: Weakness) -> str:
    marker = _MALICIOUS if weakness.malicious else _VULNERABLE
    return f"{_shortened(package.name)} {_shortened(package.version)}{marker}{weakness.known_as})"


def _message(package: Package, weakness: Weakness, repair: str, *, fixed: bool) -> str:
    summary = weakness.records[0].summary
    parts = [
        f"{weakness.known_as}: {summary}" if summary else "",
        _origin(package),
        _remedy(package, weakness, repair, fixed=fixed),
    ]
    return "\n\n".join(part for part in parts if part)


def _origin(package: Package) -> str:
    purpose = " for development only" if package.development else ""
    if package.via:
        return f"It is not a direct dependency: {_listed(list(map(_shortened, package.via)))} brought it in{purpose}."
    if package.direct:
        return f"It is a direct dependency{purpose}."
    return "It is used for development only." if package.development else ""


def _remedy(package: Package, weakness: Weakness, repair: str, *, fixed: bool) -> str:
    if weakness.malicious:
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
    follows = _FOLLOWS.get(package.ecosystem)
    return f"Update to {target}{f', and then {follows}' if fixed and follows else ''}."


def _cwe(weakness: Weakness) -> tuple[str, ...]:
    if weakness.malicious:
        return (_MALICIOUS_CWE,)
    told = dict.fromkeys(cwe for record in weakness.records for cwe in record.cwe)
    return tuple(told) or (_VULNERABLE_CWE,)


def _references(records: Sequence[Advisory]) -> tuple[str, ...]:
    told = [url for record in records[:2] for url in record.references]
    return tuple(dict.fromkeys([_ADVISORY_PAGE + records[0].id, *told]))[:4]


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


def _sentence(start: str, words: Sequence[str], most: int) -> str:
    if not words:
        return ""
    more = [f"{len(words) - most} more"] if len(words) > most else []
    return f"{start} {_listed([*words[:most], *more])}."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _shortened(text: str) -> str:
    return text if len(text) <= _NAME_CHARS else f"{text[: _NAME_CHARS - 1]}…"
