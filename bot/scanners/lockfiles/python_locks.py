"""poetry.lock, uv.lock, pdm.lock, pylock.toml and Pipfile.lock."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.scanners.lockfiles import json_reader, toml_reader
from bot.scanners.lockfiles.names import PYPI, key
from bot.scanners.lockfiles.package import Package, at, brought_in_by
from bot.scanners.lockfiles.tree import Node, mapping

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def parse_toml(text: str) -> list[Package]:
    """Return the packages of a lock file with one ``[[package]]`` (PEP 751: ``[[packages]]``) for each."""
    document = toml_reader.read(text)
    blocks = [b for b in (*document["package"].elements(), *document["packages"].elements()) if b.is_mapping]
    needs = {_name(block): _needs(block) for block in blocks}
    roots = [block for block in blocks if _is_project(block)]
    direct = {need for root in roots for need in needs[_name(root)]} if roots else None
    origins = brought_in_by({k: v for k, v in needs.items() if k not in {*map(_name, roots)}}, direct)
    return list(_packages(blocks, origins))


def _packages(blocks: list[Node], origins: dict[str, tuple[str, ...]]) -> Iterator[Package]:
    for block in blocks:
        name, version = block["name"], block["version"]
        if not name.text or not version.text or _is_project(block) or _from_elsewhere(block):
            continue
        via = origins.get(_name(block), ())
        first, last = sorted((name.line, version.line))
        yield Package(PYPI, _name(block), version.text, at(first, last), not via, via, _is_development(block))


def _name(block: Node) -> str:
    return key(PYPI, block["name"].text)


def _needs(block: Node) -> set[str]:
    """Return names of dependencies: poetry has a table, uv and PEP 751 tables in a list, pdm strings."""
    found = {key(PYPI, name) for name, _ in block["dependencies"].items()}
    sections = [block["dependencies"], *block["dev-dependencies"].values()]
    sections += block["optional-dependencies"].values()
    for section in sections:
        for element in section.elements():
            text = element.text or element["name"].text
            match = _NAME.match(text)
            found.add(key(PYPI, match[0]) if match else "")
    return found - {""}


def _is_project(block: Node) -> bool:
    source = block["source"]
    return bool(source["virtual"].text or source["editable"].text)


def _from_elsewhere(block: Node) -> bool:
    """Say whether it comes from a repository or a directory, where a version says nothing about advisories."""
    source = block["source"]
    kinds = {"git", "directory", "file", "url"}
    return source["type"].text in kinds or bool(source["git"].text or source["directory"].text)


def _is_development(block: Node) -> bool:
    groups = block["groups"].names()
    return block["category"].text == "dev" or bool(groups and not {"main", "default"} & set(groups))


def parse_pipfile_lock(text: str) -> list[Package]:
    """Return the pins of Pipfile.lock."""
    document = mapping(json_reader.read(text))
    found = []
    for section, development in (("default", False), ("develop", True)):
        for name, entry in document[section].items():
            version = entry["version"].text
            if version.startswith("==") and not version.endswith("*"):
                places = at(entry.line, entry["version"].line)
                found.append(
                    Package(PYPI, key(PYPI, name), version.lstrip("="), places, development=development)
                )
    return found
