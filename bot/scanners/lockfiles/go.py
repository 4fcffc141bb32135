"""go.mod: required modules, direct and indirect, with replacements."""

from __future__ import annotations

import re

from bot.scanners.lockfiles.names import GO
from bot.scanners.lockfiles.package import Package, Place, Unreadable

# A possessive group must not fail after its first character: Python before 3.11.5 then finds no match at all.
_REQUIRE = re.compile(
    r"(?:(?=require\s)require\s++)?+(?P<path>[^\s()]++)\s++(?P<version>v[0-9][^\s/]*+)\s*+(?P<note>//.*+)?$"
)
_REPLACE = re.compile(
    r"(?:(?=replace\s)replace\s++)?+(?P<old>[^\s()]++)(?:\s++(?P<old_version>v\S++))?\s*+=>\s*+(?P<new>\S++)(?:\s++(?P<version>v\S++))?"
)
_BLOCK = re.compile(r"(?P<kind>[a-z]++)\s*+\($")


def parse(text: str) -> list[Package]:
    """Return the required modules; what is replaced by a directory is left out."""
    required: list[tuple[str, str, int, bool]] = []
    replaced: dict[tuple[str, str], tuple[str, str, int]] = {}
    kind, known = "", False
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        known = known or line.startswith(("module ", "require", "go "))
        if match := _BLOCK.match(line):
            kind = match["kind"]
        elif line == ")":
            kind = ""
        elif (kind == "require" or line.startswith("require ")) and (match := _REQUIRE.match(line)):
            indirect = "indirect" in (match["note"] or "")
            required.append((match["path"].strip('"'), match["version"], number, not indirect))
        elif (kind == "replace" or line.startswith("replace ")) and (match := _REPLACE.match(line)):
            replacement = (match["new"].strip('"'), match["version"] or "", number)
            replaced[match["old"].strip('"'), match["old_version"] or ""] = replacement
    if not known and text.strip():
        raise Unreadable("not a go.mod: it names no module")
    return [found for one in required if (found := _package(*one, replaced))]


def _package(
    path: str, version: str, line: int, direct: bool, replaced: dict[tuple[str, str], tuple[str, str, int]]
) -> Package | None:
    replacement = replaced.get((path, version)) or replaced.get((path, ""))
    if replacement is None:
        return Package(GO, path, version[1:], (Place(line, line),), direct, pinned_line=line if direct else 0)
    new_path, new_version, new_line = replacement
    if not new_version:
        return None
    return Package(GO, new_path, new_version[1:], (Place(new_line, new_line), Place(line, line)), direct)
