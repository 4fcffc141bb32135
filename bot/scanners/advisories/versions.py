"""Which of two versions is newer, by the rules of each ecosystem.

Each function turns a version into a key that compares as the ecosystem says, or raises ValueError where the
ecosystem does not accept the version.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from packaging.version import Version

from bot.scanners.advisories.maven_version import maven_key
from bot.scanners.lockfiles.names import CRATES, GO, MAVEN, NPM, NUGET, PACKAGIST, PYPI, RUBYGEMS

#: Longer is no version; the bound also keeps hostile ones cheap.
MAX_CHARS = 200

_SEMVER = re.compile(
    r"[vV=]?(?P<core>[0-9]+(?:\.[0-9]+){0,3})(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?$"
)
_GEM_PART = re.compile(r"[0-9]+|[a-z]+", re.IGNORECASE)
_GEM = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$")
_COMPOSER = re.compile(
    r"v?(?P<core>[0-9]+(?:\.[0-9]+){0,3})"
    r"(?:[._-]?(?P<stage>stable|beta|b|rc|alpha|a|patch|pl|p|dev)[.-]?(?P<number>[0-9]+(?:[.-][0-9]+)*)?)?"
    r"(?P<dev>[.-]?dev)?(?:\+[0-9A-Za-z.-]*)?$",
    re.IGNORECASE,
)
_STAGES = {"dev": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "rc": 3, "": 4, "stable": 4}
_PATCH = 5


def _semver_key(version: str) -> Any:
    """Semantic Versioning 2.0.0, section 11; also fewer parts, or a fourth as NuGet has it."""
    match = _SEMVER.match(version)
    if match is None:
        raise ValueError(version)
    core = tuple(int(part) for part in match["core"].split("."))
    # Identifiers: numbers before words, a shorter list first; no prerelease at all comes last.
    pre = match["pre"]
    words = tuple((0, int(w), "") if w.isdecimal() else (1, 0, w) for w in pre.split(".")) if pre else ()
    return (*core, 0, 0, 0)[:4], not pre, words


def _nuget_key(version: str) -> Any:
    return _semver_key(version.lower())


def _gem_key(version: str) -> Any:
    """``Gem::Version``: words come before numbers, and a dash means a prerelease."""
    if not _GEM.match(version.strip()):
        raise ValueError(version)
    parts = [
        (1, int(part), "") if part.isdecimal() else (-1, 0, part)
        for part in _GEM_PART.findall(version.replace("-", ".pre."))
    ]
    first_word = next((at for at, part in enumerate(parts) if part[0] < 0), len(parts))
    numbers, rest = parts[:first_word], parts[first_word:]
    # What follows is compared with 0, so trailing zeros of both halves say nothing.
    zero = (1, 0, "")
    while numbers and numbers[-1] == zero:
        numbers.pop()
    while rest and rest[-1] == zero:
        rest.pop()
    return (*numbers, *rest, (0, 0, ""))


def _composer_key(version: str) -> Any:
    """Composer: up to four numbers, then dev < alpha < beta < RC < none < patch."""
    match = _COMPOSER.match(version)
    if match is None:
        raise ValueError(version)
    core = tuple(int(part) for part in match["core"].split("."))
    stage = _STAGES.get((match["stage"] or "").lower(), _PATCH)
    numbers = tuple(int(part) for part in re.findall("[0-9]+", match["number"] or ""))
    return (*core, 0, 0, 0)[:4], stage, numbers, not match["dev"]


_KEYS: dict[str, Callable[[str], Any]] = {
    PYPI: Version,
    NPM: _semver_key,
    CRATES: _semver_key,
    GO: _semver_key,
    MAVEN: maven_key,
    RUBYGEMS: _gem_key,
    PACKAGIST: _composer_key,
    NUGET: _nuget_key,
}


@lru_cache(maxsize=20_000)
def version_key(ecosystem: str, version: str) -> Any:
    """Return what compares as versions of *ecosystem* do; keys of one ecosystem compare with each other.

    Raises:
        ValueError: this is no version there.
    """
    if len(version) > MAX_CHARS:
        msg = "too long for a version"
        raise ValueError(msg)
    return _KEYS[ecosystem](version.strip())


def is_prerelease(ecosystem: str, version: str) -> bool:
    """Say whether *version* comes before the release that it is named after."""
    key = version_key(ecosystem, version)
    if isinstance(key, Version):
        return key.is_prerelease
    if ecosystem in {MAVEN, RUBYGEMS}:
        # Some releases are named after their platform, which is no prerelease.
        return bool(
            re.search(r"(?i)[0-9.-](?:alpha|beta|milestone|rc|cr|snapshot|pre|a|b|m)[0-9.-]*$", version)
        )
    return bool(key[1] < _STAGES[""]) if ecosystem == PACKAGIST else not key[1]
