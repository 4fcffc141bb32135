"""yarn.lock, classic (version 1) and berry (YAML)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.scanners.lockfiles import yaml_reader
from bot.scanners.lockfiles.names import NPM
from bot.scanners.lockfiles.package import Package, Unreadable, at, brought_in_by
from bot.scanners.lockfiles.tree import mapping

_DESCRIPTOR = re.compile(r'"?(?P<name>@?[^@",\s]++)@(?P<range>[^",]*+)')
_FIELD = re.compile(r'(?P<indent> ++)"?(?P<key>[^"\s:]++)"?:?(?: "?+(?P<value>[^"\n]*+)"?+)?+\s*+$')
_RESOLUTION = re.compile(r"(?P<name>@?[^@]++)@(?P<protocol>[a-z]++):(?P<rest>.*+)$")
_SECTIONS = ("dependencies", "optionalDependencies")
_CLASSIC = "# yarn lockfile v1"
_ELSEWHERE = ("file:", "link:", "git", "http:", "https:", "portal:")


@dataclass(slots=True)
class _Entry:
    name: str
    line: int
    version: str = ""
    version_line: int = 0
    needs: list[str] = field(default_factory=list)


def parse(text: str) -> list[Package]:
    """Return the packages; those of workspaces, directories and repositories are left out."""
    if "__metadata:" in text:
        return list(_berry(text))
    entries = list(_classic(text))
    if not entries and _CLASSIC not in text:
        raise Unreadable("not a lock file of Yarn")
    needs: dict[str, list[str]] = {}
    for entry in entries:
        needs.setdefault(entry.name, []).extend(entry.needs)
    origins = brought_in_by(needs)
    return [
        Package(
            NPM,
            entry.name,
            entry.version,
            at(entry.line, entry.version_line),
            None if entry.name in origins else True,
            origins.get(entry.name, ()),
        )
        for entry in entries
        if entry.version
    ]


def _classic(text: str) -> Iterator[_Entry]:
    """Yield the entries: descriptors without indent, fields with two blanks, dependencies with four."""
    entry, section = None, ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if entry is not None:
                yield entry
            entry, section = _entry(line, number), ""
        elif entry is not None and (match := _FIELD.match(line.rstrip("\r"))):
            if len(match["indent"]) > 2:
                if section in _SECTIONS:
                    entry.needs.append(match["key"])
            elif match["key"] == "version":
                entry.version, entry.version_line = match["value"] or "", number
            else:
                section = match["key"]
    if entry is not None:
        yield entry


def _entry(line: str, number: int) -> _Entry | None:
    match = _DESCRIPTOR.match(line)
    if match is None or match["range"].startswith(_ELSEWHERE):
        return None
    alias = _DESCRIPTOR.match(match["range"].removeprefix("npm:")) if "npm:" in match["range"] else None
    return _Entry(alias["name"] if alias else match["name"], number)


def _berry(text: str) -> Iterator[Package]:
    document = mapping(yaml_reader.read(text))
    needs: dict[str, list[str]] = {}
    direct: list[str] = []
    entries = []
    for descriptor, entry in document.items():
        match = _RESOLUTION.match(entry["resolution"].text)
        if descriptor == "__metadata" or match is None:
            continue
        names = [name for section in _SECTIONS for name in entry[section].names()]
        if match["protocol"] == "workspace":
            direct += [*names, *entry["devDependencies"].names()]
        else:
            needs.setdefault(match["name"], []).extend(names)
            entries.append((match, entry))
    origins = brought_in_by(needs, direct)
    for match, entry in entries:
        version = entry["version"]
        if match["protocol"] in {"npm", "patch"} and version.text:
            name = match["name"]
            yield Package(
                NPM, name, version.text, at(entry.line, version.line), name in direct, origins.get(name, ())
            )
