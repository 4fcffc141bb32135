"""gradle.lockfile, and literal coordinates in build.gradle and build.gradle.kts."""

from __future__ import annotations

import re

from bot.scanners.lockfiles.names import MAVEN
from bot.scanners.lockfiles.package import Package, at

_LOCKED = re.compile(r"(?P<name>[^\s:=#]++:[^\s:=]++):(?P<version>[^\s:=]++)=(?P<used>\S*+)\s*+$")
_LITERAL = re.compile(
    r"""\s*+(?P<used>[A-Za-z]++)\s*+\(?\s*+(?:(?:platform|enforcedPlatform)\s*+\(\s*+)?+["']"""
    r"""(?P<name>[A-Za-z0-9_.-]++:[A-Za-z0-9_.-]++):(?P<version>[0-9][A-Za-z0-9_.-]*+)(?:[:@][^"'\n]*+)?+["']"""
)
_CONFIGURATIONS = re.compile(
    r"(?i)(?:implementation|api|compile|compileOnly|runtime|runtimeOnly|classpath|annotationProcessor|kapt|ksp|testfixturesapi)$"
)


def parse_lock(text: str) -> list[Package]:
    """Return the locked modules; the file does not tell which are direct."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _LOCKED.match(line):
            used = match["used"].split(",")
            development = all(name.startswith("test") for name in used)
            found.append(Package(MAVEN, match["name"], match["version"], at(number), development=development))
    return found


def parse_build(text: str) -> list[Package]:
    """Return dependencies whose coordinates stand there as one string with a plain version."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        match = _LITERAL.match(line)
        if match and (_CONFIGURATIONS.search(match["used"]) and not match["version"].endswith("+")):
            found.append(
                Package(
                    MAVEN,
                    match["name"],
                    match["version"],
                    at(number),
                    direct=True,
                    development=match["used"].lower().startswith(("test", "androidtest")),
                    pinned_line=number,
                )
            )
    return found
