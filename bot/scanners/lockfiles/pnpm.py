"""pnpm-lock.yaml, formats 5 to 9."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.scanners.lockfiles import yaml_reader
from bot.scanners.lockfiles.names import NPM
from bot.scanners.lockfiles.package import Package, Unreadable, at, brought_in_by
from bot.scanners.lockfiles.tree import Node, mapping

# "/name/1.2.3_peers" (5), "/name@1.2.3(peers)" (6), "name@1.2.3" (9); names may start with "@scope/".
_KEY = re.compile(
    r"/?(?P<name>(?:@[^/@()]++/)?+[^/@()]++)[/@](?P<version>[0-9]++\.[0-9]++\.[0-9]++[0-9A-Za-z.+-]*+)(?:[_(].*+)?$"
)
_SECTIONS = ("dependencies", "optionalDependencies")
_ROOTS = (*_SECTIONS, "devDependencies")


def parse(text: str) -> list[Package]:
    """Return the packages; those of workspaces, directories and repositories are left out."""
    document = mapping(yaml_reader.read(text))
    if "lockfileVersion" not in document.names():
        raise Unreadable("not a lock file of pnpm: it has no lockfileVersion")
    return list(_packages(document))


def _packages(document: Node) -> Iterator[Package]:
    importers = [document, *(importer for importer in document["importers"].values())]
    direct = {name for one in importers for section in _ROOTS for name in one[section].names()}
    shipped = {name for one in importers for section in _SECTIONS for name in one[section].names()}
    needs: dict[str, list[str]] = {}
    for key, entry in (*document["packages"].items(), *document["snapshots"].items()):
        if match := _KEY.match(key):
            names = [name for section in _SECTIONS for name in entry[section].names()]
            needs.setdefault(match["name"], []).extend(names)
    origins = brought_in_by(needs, direct)
    marks_development = "snapshots" not in document.names()
    for key, entry in document["packages"].items():
        match = _KEY.match(key)
        if match is None:
            continue
        name = match["name"]
        development = entry["dev"].flag if marks_development else name in direct - shipped
        via = origins.get(name, ())
        yield Package(NPM, name, match["version"], at(entry.line), name in direct, via, development)
