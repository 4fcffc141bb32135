"""pip's requirements and constraints: pins with extras, markers, hashes and continuations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.scanners.lockfiles.names import PYPI, key
from bot.scanners.lockfiles.package import Package, at

# The name, extras, and nothing but one exact version; markers follow a semicolon.
_PIN = re.compile(
    r"\s*+(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*+)\s*+(?:\[[^\]]*+\])?+\s*+\(?\s*+===?\s*+"
    r"(?P<version>[A-Za-z0-9.+!_-]++)(?!\.?\*)\s*+\)?\s*+(?P<rest>;[^\n]*+)?$"
)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_OPTION = re.compile(r"\s--?[A-Za-z][^\n]*+")
_VIA = re.compile(r"^\s*#\s*(?:via\b)?\s*(?P<names>.*)$")


def parse(text: str) -> list[Package]:
    """Return the pinned packages; ranges, addresses, options and other files are left out."""
    return list(_packages(text))


def pin(requirement: str) -> tuple[str, str] | None:
    """Return name and version of *requirement* (PEP 508) if it allows exactly one version."""
    found = _PIN.match(requirement)
    return (key(PYPI, found["name"]), found["version"]) if found else None


def _packages(text: str) -> Iterator[Package]:
    # Like pip, which knows more line ends than git: behind a lone CR, a comment is over.
    parted = [line.splitlines() or [""] for line in text.split("\n")]
    lines = [part for line in parted for part in line]
    numbers = [number for number, line in enumerate(parted, 1) for _ in line]
    index = 0
    while index < len(lines):
        first, parts = index, []
        while index < len(lines):
            raw = lines[index]
            index += 1
            parts.append(raw.rstrip("\\"))
            if not raw.endswith("\\"):
                break
        joined = " ".join(parts)
        code = _COMMENT.sub("", joined)
        found = pin(_OPTION.sub("", code))
        if found is not None:
            direct, via = _origin(joined, lines, index)
            number = numbers[first]
            simple = len(parts) == len(parted[number - 1]) == 1 and "--hash" not in code
            yield Package(PYPI, *found, at(number), direct, via, pinned_line=number if simple else 0)


def _origin(line: str, lines: list[str], after: int) -> tuple[bool | None, tuple[str, ...]]:
    """Return what pip-compile notes behind a pin: ``# via -r requirements.in`` or names, also line by line."""
    comment = _COMMENT.search(line)
    notes = [comment[0].strip()] if comment else []
    for further in lines[after : after + 20]:
        if not further.lstrip().startswith("#") or not further[:1].isspace():
            break
        notes.append(further.strip())
    if not notes or not notes[0].startswith("# via"):
        return None, ()
    words = [word for note in notes for word in re.split(r"[,\s]+", _names(note)) if word]
    if "-r" in words or "-c" in words or any(".in" in word or "pyproject" in word for word in words):
        return True, ()
    return False, tuple(words[:3])


def _names(note: str) -> str:
    match = _VIA.match(note)
    return match["names"] if match else ""
