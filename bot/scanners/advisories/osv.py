"""OSV records -> advisories by package; every field may be missing or of a wrong type.

https://ossf.github.io/osv-schema/
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.findings import Severity
from bot.scanners.advisories.advisory import Advisory, Event
from bot.scanners.advisories.severity import severity_of
from bot.scanners.advisories.versions import MAX_CHARS
from bot.scanners.lockfiles.names import ECOSYSTEMS, key

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{1,99}$")
_CWE = re.compile(r"CWE-[0-9]{1,5}$")
_URL = re.compile(r"https://[^\s<>\"'`]{3,300}$")
_UPPER_BOUND = re.compile(r"\s*(?P<sign><=?)\s*(?P<version>[0-9A-Za-z][^\s,]*)\s*$")
_EVENTS = ("introduced", "fixed", "last_affected")
_SUMMARY_CHARS = 300
_MOST_ALIASES, _MOST_CWE, _MOST_REFERENCES = 30, 10, 3
_MOST_AFFECTED, _MOST_RANGES, _MOST_EVENTS, _MOST_VERSIONS = 2_000, 500, 1_000, 20_000
_NAME_CHARS = 300
_PREFERRED = ("ADVISORY", "FIX", "WEB", "REPORT")


class NotOsv(ValueError):
    """Say why a record cannot be used."""


@dataclass(frozen=True, slots=True)
class Record:
    """Hold one OSV record; ``advisories`` has one for each (ecosystem, key of the package)."""

    id: str
    modified: str
    withdrawn: bool
    advisories: dict[tuple[str, str], Advisory]


def record(value: Any) -> Record:
    """Translate a parsed record; packages of ecosystems that no reader knows are left out.

    Raises:
        NotOsv: it has no usable id or time, or names more than any record does.
    """
    if not isinstance(value, dict):
        raise NotOsv("not a JSON object")
    name = value.get("id")
    if not isinstance(name, str) or not _ID.match(name):
        raise NotOsv("no usable id")
    modified = _moment(value.get("modified"))
    if not isinstance(value.get("affected", []), list):
        raise NotOsv("'affected' is not a list")
    if _withdrawn(value.get("withdrawn")):
        return Record(name, modified, withdrawn=True, advisories={})
    return Record(name, modified, withdrawn=False, advisories=_advisories(name, value))


def _moment(value: Any) -> str:
    """Return the time in a form that sorts as text."""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (TypeError, ValueError, OverflowError):
        raise NotOsv("no usable time in 'modified'") from None


def _withdrawn(value: Any) -> bool:
    """Say whether the record was taken back by now."""
    if not value:
        return False
    try:
        return _moment(value) <= datetime.now(UTC).isoformat(timespec="microseconds")
    except NotOsv:
        return True


def _advisories(name: str, value: dict[str, Any]) -> dict[tuple[str, str], Advisory]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for affected in _dicts(value.get("affected"), _MOST_AFFECTED):
        package = affected.get("package")
        if isinstance(package, dict) and (place := _package(package)):
            groups.setdefault(place, []).append(affected)
    return {place: _advisory(name, value, blocks) for place, blocks in groups.items()}


def _package(package: dict[str, Any]) -> tuple[str, str] | None:
    ecosystem, name = package.get("ecosystem"), package.get("name")
    if not isinstance(ecosystem, str) or not isinstance(name, str) or not 0 < len(name) <= _NAME_CHARS:
        return None
    # "Maven:https://..." names a repository of the ecosystem.
    ecosystem = ecosystem.partition(":")[0]
    return (ecosystem, key(ecosystem, name)) if ecosystem in ECOSYSTEMS else None


def _advisory(name: str, value: dict[str, Any], blocks: list[dict[str, Any]]) -> Advisory:
    specific = value.get("database_specific")
    specific = specific if isinstance(specific, dict) else {}
    aliases = tuple(a for a in _strings(value.get("aliases"), _MOST_ALIASES) if _ID.match(a))
    malicious = any(one.startswith("MAL-") for one in (name, *aliases))
    vectors = [vector for block in blocks for vector in _vectors(block)] or list(_vectors(value))
    label = specific.get("severity")
    return Advisory(
        id=name,
        summary=_summary(value),
        severity=Severity.critical
        if malicious
        else severity_of(vectors, label if isinstance(label, str) else ""),
        aliases=aliases,
        cwe=tuple(c for c in _strings(specific.get("cwe_ids"), _MOST_CWE) if _CWE.match(c)),
        references=_references(value),
        ranges=tuple(events for block in blocks for events in _ranges(block)),
        versions=frozenset(
            version
            for block in blocks
            for version in _strings(block.get("versions"), _MOST_VERSIONS)
            if len(version) <= MAX_CHARS
        ),
    )


def _summary(value: dict[str, Any]) -> str:
    summary, details = value.get("summary"), value.get("details")
    if not isinstance(summary, str) or not summary.strip():
        summary = details.strip().partition("\n")[0] if isinstance(details, str) else ""
    summary = summary[: 4 * _SUMMARY_CHARS]
    words = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in summary).split()
    text = " ".join(words).lstrip("# ")
    return text if len(text) <= _SUMMARY_CHARS else f"{text[: _SUMMARY_CHARS - 1]}…"


def _vectors(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in _dicts(value.get("severity"), 10):
        kind, score = entry.get("type"), entry.get("score")
        if isinstance(kind, str) and isinstance(score, str):
            yield kind, score


def _references(value: dict[str, Any]) -> tuple[str, ...]:
    found = [
        (_PREFERRED.index(kind), url)
        for entry in _dicts(value.get("references"), 100)
        if (kind := entry.get("type")) in _PREFERRED
        and isinstance(url := entry.get("url"), str)
        and _URL.match(url)
    ]
    return tuple(dict.fromkeys(url for _, url in sorted(found, key=lambda one: one[0])))[:_MOST_REFERENCES]


def _ranges(block: dict[str, Any]) -> Iterator[tuple[Event, ...]]:
    for entry in _dicts(block.get("ranges"), _MOST_RANGES):
        if entry.get("type") not in {"SEMVER", "ECOSYSTEM"}:
            continue
        events = tuple(
            (kind, version)
            for event in _dicts(entry.get("events"), _MOST_EVENTS)
            for kind in _EVENTS
            if isinstance(version := event.get(kind), str) and 0 < len(version) <= MAX_CHARS
        )
        if any(kind == "introduced" for kind, _ in events):
            yield events if any(kind != "introduced" for kind, _ in events) else (*events, *_bound(block))


def _bound(block: dict[str, Any]) -> Iterator[Event]:
    """Yield the end that GitHub gives apart from the events, where no repair is known."""
    specific = block.get("database_specific")
    bound = specific.get("last_known_affected_version_range") if isinstance(specific, dict) else None
    match = _UPPER_BOUND.match(bound) if isinstance(bound, str) and len(bound) <= MAX_CHARS else None
    if match:
        yield ("last_affected" if match["sign"] == "<=" else "before"), match["version"]


def _dicts(value: Any, most: int) -> Iterator[dict[str, Any]]:
    if not isinstance(value, list):
        return
    if len(value) > most:
        raise NotOsv(f"more than {most} entries in one list")
    yield from (entry for entry in value if isinstance(entry, dict))


def _strings(value: Any, most: int) -> Iterator[str]:
    if isinstance(value, list):
        yield from (entry for entry in value[:most] if isinstance(entry, str))
