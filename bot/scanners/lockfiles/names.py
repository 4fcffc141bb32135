"""Ecosystems as the OSV schema spells them, and when two of their names mean the same package."""

from __future__ import annotations

import re

PYPI, NPM, MAVEN, GO, CRATES = "PyPI", "npm", "Maven", "Go", "crates.io"
RUBYGEMS, PACKAGIST, NUGET = "RubyGems", "Packagist", "NuGet"

ECOSYSTEMS = (PYPI, NPM, MAVEN, GO, CRATES, RUBYGEMS, PACKAGIST, NUGET)

_SEPARATORS = re.compile(r"[-_.]+")
_CASELESS = frozenset({PACKAGIST, NUGET})


def key(ecosystem: str, name: str) -> str:
    """Return what is equal for two spellings of one package."""
    if ecosystem == PYPI:
        return _SEPARATORS.sub("-", name).lower()
    return name.lower() if ecosystem in _CASELESS else name
