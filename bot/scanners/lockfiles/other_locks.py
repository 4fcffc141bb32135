"""Gemfile.lock, composer.lock and packages.lock.json."""

from __future__ import annotations

import re

from bot.scanners.lockfiles import json_reader
from bot.scanners.lockfiles.names import NUGET, PACKAGIST, RUBYGEMS
from bot.scanners.lockfiles.package import Package, Unreadable, at, brought_in_by
from bot.scanners.lockfiles.tree import mapping

_SPEC = re.compile(r" {4}(?P<name>[A-Za-z0-9._-]++) \((?P<version>[0-9][0-9A-Za-z.]*+)(?:-[^)]*+)?\)\s*+$")
_NEED = re.compile(r" {6}(?P<name>[A-Za-z0-9._-]++)")
_DIRECT = re.compile(r" {2}(?P<name>[A-Za-z0-9._-]++)!?")


def parse_gemfile_lock(text: str) -> list[Package]:
    """Return the gems from gem servers."""
    specs: list[tuple[str, str, int]] = []
    needs: dict[str, list[str]] = {}
    direct: set[str] = set()
    section, known = "", False
    for number, line in enumerate(text.split("\n"), start=1):
        if line[:1].strip():
            section = line.strip()
            known = known or section in {"GEM", "DEPENDENCIES", "PLATFORMS"}
        elif section == "GEM" and (match := _SPEC.match(line)):
            specs.append((match["name"], match["version"], number))
        elif section == "GEM" and specs and (match := _NEED.match(line)):
            needs.setdefault(specs[-1][0], []).append(match["name"])
        elif section == "DEPENDENCIES" and (match := _DIRECT.match(line)):
            direct.add(match["name"])
    if not known and text.strip():
        raise Unreadable("not a lock file of Bundler")
    origins = brought_in_by(needs, direct)
    return [
        Package(RUBYGEMS, name, version, at(line), name in direct, origins.get(name, ()))
        for name, version, line in specs
    ]


def parse_composer_lock(text: str) -> list[Package]:
    """Return the packages of Composer; the file does not tell which are direct."""
    document = mapping(json_reader.read(text))
    entries = [
        (entry, section == "packages-dev")
        for section in ("packages", "packages-dev")
        for entry in document[section].elements()
    ]
    origins = brought_in_by({e["name"].text.lower(): _lower(e["require"].names()) for e, _ in entries})
    found = []
    for entry, development in entries:
        name, version = entry["name"].text.lower(), entry["version"]
        if name and version.text and not version.text.startswith("dev-"):
            first, last = sorted((entry["name"].line, version.line))
            via = origins.get(name, ())
            text = version.text.removeprefix("v")
            found.append(
                Package(PACKAGIST, name, text, at(first, last), None if via else True, via, development)
            )
    return found


def parse_nuget_lock(text: str) -> list[Package]:
    """Return the packages of NuGet, each once however many frameworks use it."""
    document = mapping(json_reader.read(text))
    found: dict[tuple[str, str], Package] = {}
    for framework in document["dependencies"].values():
        needs = {name: entry["dependencies"].names() for name, entry in framework.items()}
        direct = [name for name, entry in framework.items() if entry["type"].text == "Direct"]
        origins = brought_in_by(needs, direct)
        for name, entry in framework.items():
            version = entry["resolved"]
            if version.text and entry["type"].text != "Project":
                known = found.get((name, version.text))
                places = (*(known.places if known else ()), *at(entry.line, version.line))
                found[name, version.text] = Package(
                    NUGET, name, version.text, places, name in direct, origins.get(name, ())
                )
    return list(found.values())


def _lower(names: list[str]) -> list[str]:
    return [name.lower() for name in names]
