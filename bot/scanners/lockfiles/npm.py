"""package.json, package-lock.json (versions 1 to 3) and npm-shrinkwrap.json."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.scanners.lockfiles import json_reader
from bot.scanners.lockfiles.names import NPM
from bot.scanners.lockfiles.package import Package, Unreadable, at, brought_in_by
from bot.scanners.lockfiles.tree import Node, mapping

SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_MODULES = "node_modules/"
_EXACT = re.compile(r"\s*+[=v]{0,2}(?P<version>[0-9]++\.[0-9]++\.[0-9]++(?:[-+][0-9A-Za-z.+-]++)?)\s*+$")
_ALIAS = re.compile(r"npm:(?P<name>@?[^@]++)@(?P<version>.++)$")


def parse_manifest(text: str) -> list[Package]:
    """Return the dependencies of package.json that allow one version only."""
    document = mapping(json_reader.read(text))
    found = []
    for section in ("dependencies", "devDependencies", "optionalDependencies"):
        for name, spec in document[section].items():
            alias = _ALIAS.match(spec.text)
            version = _EXACT.match(alias["version"] if alias else spec.text)
            if version is not None:
                found.append(
                    Package(
                        NPM,
                        alias["name"] if alias else name,
                        version["version"],
                        at(spec.line, spec.end_line),
                        direct=True,
                        development=section == "devDependencies",
                        pinned_line=spec.line,
                    )
                )
    return found


def parse_lock(text: str) -> list[Package]:
    """Return the packages of the lock file; what it links or takes from elsewhere is left out."""
    document = mapping(json_reader.read(text))
    if document["packages"].is_mapping:
        return list(_packages(document["packages"]))
    if document["dependencies"].is_mapping or "lockfileVersion" in document.names():
        return list(_tree(document["dependencies"]))
    raise Unreadable("not a lock file of npm: it lists no packages")


def _packages(entries: Node) -> Iterator[Package]:
    """Yield the packages of versions 2 and 3: one entry for each directory below ``node_modules``."""
    needs: dict[str, list[str]] = {}
    direct: set[str] = set()
    for path, entry in entries.items():
        names = [name for section in SECTIONS for name in entry[section].names()]
        if _MODULES in path:
            needs.setdefault(_named(path, entry), []).extend(names)
        else:
            direct.update(names)
    origins = brought_in_by(needs, direct)
    for path, entry in entries.items():
        version = entry["version"]
        if _MODULES not in path or not version.text or entry["link"].flag or ":" in version.text:
            continue
        name, folder = _named(path, entry), path.rpartition(_MODULES)[2]
        via = origins.get(name, ())
        yield Package(
            NPM,
            name,
            version.text,
            at(entry.line, version.line),
            folder in direct or (None if not via else False),
            () if folder in direct else via,
            entry["dev"].flag or entry["devOptional"].flag,
        )


def _named(path: str, entry: Node) -> str:
    """Return the package's name; under an alias the entry holds it."""
    return entry["name"].text or path.rpartition(_MODULES)[2]


def _tree(root: Node) -> Iterator[Package]:
    """Yield the packages of version 1: a tree of what is installed; it does not tell what is direct."""
    entries = list(_walk(root))
    needs: dict[str, list[str]] = {}
    for name, entry in entries:
        needs.setdefault(name, []).extend(entry["requires"].names())
    origins = brought_in_by(needs)
    for name, entry in entries:
        version = entry["version"]
        alias = _ALIAS.match(version.text)
        exact = _EXACT.match(alias["version"] if alias else version.text)
        if exact is None:
            continue
        via = origins.get(name, ())
        yield Package(
            NPM,
            alias["name"] if alias else name,
            exact["version"],
            at(entry.line, version.line),
            None if via else True,
            via,
            entry["dev"].flag,
        )


def _walk(root: Node) -> Iterator[tuple[str, Node]]:
    waiting = [root]
    while waiting:
        for name, entry in waiting.pop().items():
            yield name, entry
            waiting.append(entry["dependencies"])
