"""Exact pins in pyproject.toml: of the project (PEP 621), of groups (PEP 735), of Poetry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.scanners.lockfiles import toml_reader
from bot.scanners.lockfiles.names import PYPI, key
from bot.scanners.lockfiles.package import Package, at
from bot.scanners.lockfiles.requirements import pin
from bot.scanners.lockfiles.tree import Node

_POETRY_PIN = re.compile(r"\s*+={0,2}+\s*+(?P<version>[0-9][A-Za-z0-9.+!_-]*+)\s*+$")


def parse(text: str) -> list[Package]:
    """Return the dependencies that allow one version only."""
    document = toml_reader.read(text)
    project, poetry = document["project"], document["tool"]["poetry"]
    found = [*_listed(project["dependencies"])]
    for extra in project["optional-dependencies"].values():
        found += _listed(extra)
    for group in document["dependency-groups"].values():
        found += _listed(group, development=True)
    found += _listed(document["build-system"]["requires"], development=True)
    found += _named(poetry["dependencies"])
    found += _named(poetry["dev-dependencies"], development=True)
    for name, group in poetry["group"].items():
        found += _named(group["dependencies"], development=name != "main")
    return found


def _listed(section: Node, *, development: bool = False) -> Iterator[Package]:
    for element in section.elements():
        if found := pin(element.text):
            yield _package(*found, element, development=development)


def _named(section: Node, *, development: bool = False) -> Iterator[Package]:
    for name, value in section.items():
        version = value["version"] if value.is_mapping else value
        found = _POETRY_PIN.match(version.text)
        if found and name != "python":
            yield _package(key(PYPI, name), found["version"], version, development=development)


def _package(name: str, version: str, place: Node, *, development: bool) -> Package:
    return Package(
        PYPI,
        name,
        version,
        at(place.line, place.end_line),
        direct=True,
        development=development,
        pinned_line=place.line if place.line == place.end_line else 0,
    )
