"""JUnit 4 and 5, compiled and run without a build tool: those fetch what they need, and there is no network."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.unit_tests import Outcome, State
from bot.frameworks import Project
from bot.frameworks.layout import free, numbered, stem, word
from bot.frameworks.results import counted, over_limit, tail
from bot.ports import Trial, Tried

_MAIN, _TEST = "src/main/java/", "src/test/java/"
_FIVE = re.compile(r"org\.junit\.jupiter|junit-jupiter")
_FOUR = re.compile(r"org\.junit\.(?:Test|Assert|Before)\b|junit:junit|<artifactId>junit</artifactId>")
_ANNOTATED = re.compile(r"@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest)\b")
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)
_SUMMARY_FIVE = re.compile(rb"\[\s*(\d{1,6}) tests (successful|failed)\s*\]")
_OK_FOUR = re.compile(rb"^OK \((\d{1,6}) tests?\)", re.MULTILINE)
_FAILED_FOUR = re.compile(rb"^Tests run: (\d{1,6}),  Failures: (\d{1,6})", re.MULTILINE)

_NO_COMPILER, _NOT_COMPILED = 91, 90
#: Compiles all sources with the test, and runs its class. Jars are those that the operator has put into the roots.
_SCRIPT = rf"""
command -v javac >/dev/null || exit {_NO_COMPILER}
mkdir /tmp/classes
{{ for root in "$3" .; do [ -d "$root/src/main/java" ] && find "$root/src/main/java" -name '*.java'; done; }} |
    sort -u > /tmp/sources
javac -J-Xmx512m -nowarn -proc:none -encoding UTF-8 -d /tmp/classes @/tmp/sources "$1" >&2 || exit {_NOT_COMPILED}
export CLASSPATH="/tmp/classes:$CLASSPATH"
if [ "$4" = 4 ]; then exec java -Xmx512m org.junit.runner.JUnitCore "$2"; fi
exec java -Xmx512m org.junit.platform.console.ConsoleLauncher execute \
    --disable-banner --details=summary --select-class="$2"
"""


class JUnit:
    """Tests as annotated methods."""

    name = "JUnit"
    suffixes = (".java",)
    manifests = ("pom.xml", "build.gradle", "build.gradle.kts")

    def weight(self, project: Project, source: str, neighbours: Mapping[str, str]) -> int:
        """Trust neighbouring tests and manifests alike."""
        texts = [*neighbours.values(), project.manifests(source, self.manifests)]
        return sum(bool(_FIVE.search(text) or _FOUR.search(text)) for text in texts)

    def is_test(self, path: str) -> bool:
        """Say whether *path* is a file of tests."""
        return path.endswith(".java") and (
            _TEST in path or re.search(r"(?:Test|Tests|IT)\.java$", path) is not None
        )

    def place(self, project: Project, source: str, function: str) -> str:
        """Return a class of its own in the package of *source*, on the side of the tests."""
        folder = source.rpartition("/")[0].replace(_MAIN.rstrip("/"), _TEST.rstrip("/"), 1)
        home = f"{folder}/" if folder else ""
        base, part = stem(source), word(function)
        stems = numbered(f"{base}Test", f"{base}{part[:1].upper()}{part[1:]}Test")
        return f"{home}{free(stems, lambda one: f'{home}{one}.java' in project.paths)}.java"

    def advice(self, source: str, path: str) -> str:  # noqa: ARG002 - others need it
        """Return how a test looks."""
        package = _package(path)
        where = f" in `package {package};`" if package else ""
        return f"Write one class `{stem(path)}`{where} with methods annotated with `@Test`, for the JUnit that the example uses."

    def objection(self, path: str, code: str) -> str:
        """Require the class that the file is named for, in its package."""
        if not _ANNOTATED.search(code):
            return "no method is annotated as a test"
        if not re.search(rf"\bclass\s+{re.escape(stem(path))}\b", code):
            return f"it does not define the class {stem(path)}"
        declared = _PACKAGE.search(code)
        return (
            ""
            if (declared[1] if declared else "") == _package(path)
            else "it is in another package than its file"
        )

    def trial(self, path: str, code: str) -> Trial:
        """Compile and run one class."""
        package = _package(path)
        name = f"{package}.{stem(path)}" if package else stem(path)
        version = "5" if _FIVE.search(code) else "4"
        module = path.partition("src/test/java")[0].rstrip("/") or "."
        return Trial(("sh", "-c", _SCRIPT, "sh", path, name, module, version), limit_s=120.0)

    def outcome(self, tried: Tried) -> Outcome:
        """Read the exit code and the summary."""
        if tried.returncode == _NO_COMPILER:
            return Outcome(State.absent, detail="no Java compiler is installed in the sandbox")
        if re.search(rb"Could not find or load main class org\.junit", tried.stderr):
            return Outcome(State.absent, detail="JUnit's runner is not among the jars of the sandbox")
        if ended := over_limit(tried):
            return ended
        if tried.returncode == _NOT_COMPILED:
            said = next((line for line in tried.stderr.splitlines() if b"error:" in line), b"")
            return Outcome(State.broken, detail=tail(said) or "it does not compile")
        tests, failed = _numbers(tried.stdout)
        return counted(tried, tests=tests, failed=failed)


def _numbers(output: bytes) -> tuple[int, int]:
    """Return how many tests ran and how many of them failed."""
    found = {kind: int(count) for count, kind in _SUMMARY_FIVE.findall(output)}
    if found:
        failed = found.get(b"failed", 0)
        return found.get(b"successful", 0) + failed, failed
    if match := _OK_FOUR.search(output):
        return int(match[1]), 0
    match = _FAILED_FOUR.search(output)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _package(path: str) -> str:
    _, found, below = path.rpartition(_TEST)
    return below.rpartition("/")[0].replace("/", ".") if found else ""


def plug() -> JUnit:
    """Return the framework."""
    return JUnit()
