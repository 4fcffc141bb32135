"""Cargo.lock, and exact versions in Cargo.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.scanners.lockfiles import toml_reader
from bot.scanners.lockfiles.names import CRATES
from bot.scanners.lockfiles.package import Package, at, brought_in_by
from bot.scanners.lockfiles.tree import Node

_EXACT = re.compile(r"\s*+=\s*+(?P<version>[0-9]++\.[0-9]++\.[0-9]++(?:[-+][0-9A-Za-z.+-]++)?)\s*+$")
_REGISTRY = "registry+"


def parse_lock(text: str) -> list[Package]:
    """Return the crates from registries."""
    blocks = [block for block in toml_reader.read(text)["package"].elements() if block.is_mapping]
    needs: dict[str, list[str]] = {}
    direct: set[str] = set()
    for block in blocks:
        names = [element.text.partition(" ")[0] for element in block["dependencies"].elements()]
        if block["source"]:
            needs.setdefault(block["name"].text, []).extend(names)
        else:
            direct.update(names)
    origins = brought_in_by(needs, direct)
    found = []
    for block in blocks:
        name, version = block["name"], block["version"]
        if name.text and version.text and _from_registry(block["source"].text):
            first, last = sorted((name.line, version.line))
            via = origins.get(name.text, ())
            found.append(Package(CRATES, name.text, version.text, at(first, last), name.text in direct, via))
    return found


def _from_registry(source: str) -> bool:
    return source.startswith((_REGISTRY, "sparse+"))


def parse_manifest(text: str) -> list[Package]:
    """Return the dependencies that allow one version only."""
    document = toml_reader.read(text)
    tables = [document, document["workspace"], *(target for target in document["target"].values())]
    found: list[Package] = []
    for table in tables:
        found += _exact(table["dependencies"])
        found += _exact(table["dev-dependencies"], development=True)
        found += _exact(table["build-dependencies"], development=True)
    return found


def _exact(section: Node, *, development: bool = False) -> Iterator[Package]:
    for alias, value in section.items():
        version = value["version"] if value.is_mapping else value
        match = _EXACT.match(version.text)
        if match and not value["git"] and not value["path"]:
            name = value["package"].text or alias
            yield Package(
                CRATES,
                name,
                match["version"],
                at(version.line),
                direct=True,
                development=development,
                pinned_line=version.line,
            )
