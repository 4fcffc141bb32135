"""pom.xml, as far as one file tells: its own properties and managed versions; parents are elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.scanners.lockfiles.names import MAVEN
from bot.scanners.lockfiles.package import Package, Place, Unreadable
from bot.scanners.lockfiles.xml_reader import Element, read

_PROPERTY = re.compile(r"\$\{([^${}]++)\}")
_EXACT_RANGE = re.compile(r"\[([^\[\],()]++)\]$")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]*+$")
_MOST_ROUNDS = 8
_PLUGINS = "org.apache.maven.plugins"

_Properties = Mapping[str, tuple[str, int]]


def parse(text: str) -> list[Package]:
    """Return dependencies, managed ones, plugins and the parent with a version that this file tells."""
    project = read(text)
    if project.name != "project":
        raise Unreadable("not a pom.xml: it holds no project")
    properties = _properties(project)
    managed = {}
    for item in project.all("dependencyManagement", "dependencies", "dependency"):
        managed[_coordinates(item, properties)] = item.child("version")
    found = [_package(item, managed, properties) for item in _declared(project)]
    return [package for package in found if package is not None]


def _properties(project: Element) -> _Properties:
    """Return value and line of each property by name."""
    found = {
        item.name: (item.text, item.line)
        for section in (project.child("properties"), *project.all("profiles", "profile", "properties"))
        for item in section.children
    }
    for name in ("groupId", "artifactId", "version"):
        own = project.child(name)
        item = own if own.text else project.child("parent", name)
        for prefix in ("project.", "pom.", ""):
            found.setdefault(f"{prefix}{name}", (item.text, item.line))
    parent = project.child("parent", "version")
    found.setdefault("project.parent.version", (parent.text, parent.line))
    return found


def _declared(project: Element) -> Iterator[Element]:
    for item in project.walk():
        if item.name in {"dependency", "plugin", "extension", "parent"}:
            yield item


def _coordinates(item: Element, properties: _Properties) -> tuple[str, str]:
    group, _ = _resolved(item.child("groupId").text, properties)
    artifact, _ = _resolved(item.child("artifactId").text, properties)
    return group or (_PLUGINS if item.name == "plugin" else ""), artifact


def _package(
    item: Element, managed: Mapping[tuple[str, str], Element], properties: _Properties
) -> Package | None:
    group, artifact = coordinates = _coordinates(item, properties)
    own = item.child("version")
    version = own if own.text else managed.get(coordinates, own)
    text, lines = _resolved(version.text, properties)
    if exact := _EXACT_RANGE.match(text):
        text = exact[1].strip()
    if not group or not artifact or not _VERSION.match(text) or "${" in group + artifact:
        return None
    places = [Place(item.line, max(item.line, version.line if version is own else item.line))]
    if version.line and version is not own:
        places.append(Place(version.line, version.line))
    places += [Place(line, line) for line in lines]
    scope = item.child("scope").text
    return Package(
        MAVEN,
        f"{group}:{artifact}",
        text,
        tuple(places),
        direct=True,
        development=scope == "test" or item.name in {"plugin", "extension"},
        pinned_line=version.line if not lines and version.line == version.end_line else 0,
    )


def _resolved(text: str, properties: _Properties) -> tuple[str, list[int]]:
    """Return *text* with properties filled in, and the lines that they stand on."""
    lines: list[int] = []

    def value(match: re.Match[str]) -> str:
        known = properties.get(match[1])
        if known is None:
            return match[0]
        lines.append(known[1])
        return known[0]

    for _ in range(_MOST_ROUNDS):
        if "${" not in text or len(text) > 300:
            break
        text = _PROPERTY.sub(value, text)
    return text, lines[:_MOST_ROUNDS]
