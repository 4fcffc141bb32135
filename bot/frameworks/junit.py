"""JUnit 4 and 5, compiled and run without a build tool: those fetch what they need, and there is no network."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from bot.domain.unit_tests import Outcome, State
from bot.frameworks import Project
from bot.frameworks.layout import free, numbered, stem, word
from bot.frameworks.results import counted, over_limit, tail
from bot.ports import Trial, Tried

_MAIN, _TEST = "src/main/java", "src/test/java"
_FIVE = re.compile(r"org\.junit\.jupiter|junit-jupiter")
_FOUR = re.compile(r"org\.junit\.(?:Test|Assert|Before)\b|junit:junit|<artifactId>junit</artifactId>")
_ANNOTATED = re.compile(r"@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest)\b")
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)
_SUMMARY_FIVE = re.compile(rb"\[\s*(\d{1,6}) tests (successful|failed)\s*\]")
_OK_FOUR = re.compile(rb"^OK \((\d{1,6}) tests?\)", re.MULTILINE)
_FAILED_FOUR = re.compile(rb"^Tests run: (\d{1,6}),  Failures: (\d{1,6})", re.MULTILINE)

_NO_COMPILER, _NOT_COMPILED = 91, 90
#: Compiles the test with what it needs of all modules, its own one first, and runs its class. Sources outside the
#: usual layout are found by the directories of the test's package. Jars are those in the operator's roots.
_SCRIPT = rf"""
command -v javac >/dev/null || exit {_NO_COMPILER}
mkdir /tmp/classes
sources=$({{ find . -type d \( -path '*/{_MAIN}' -o -path '*/{_TEST}' \)
    [ -z "$5" ] && dirname "$1" || find . -type d -path "*/$5" | sed "s|/$5\$||"; }} | sort -u | tr '\n' ':')
javac -J-Xmx512m -nowarn -proc:none -implicit:class -encoding UTF-8 -d /tmp/classes \
    -sourcepath "$3/{_MAIN}:$3/{_TEST}:$sources" "$1" >&2 || exit {_NOT_COMPILED}
export CLASSPATH="/tmp/classes:$3/src/main/resources:$3/src/test/resources:$CLASSPATH"
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
            f"{_TEST}/" in path or re.search(r"(?:Test|Tests|IT)\.java$", path) is not None
        )

    def home(self, project: Project, source: str) -> str:  # noqa: ARG002 - others need it
        """Return the root: sources of all modules are found from there."""
        return ""

    def place(self, project: Project, source: str, function: str) -> str:
        """Return a class of its own in the package of *source*, on the side of the tests."""
        tests = (path for path in project.paths if self.is_test(path))
        folder = _folder(source.rpartition("/")[0], {path.rpartition("/")[0] for path in tests})
        home = f"{folder}/" if folder else ""
        base, part = stem(source), word(function)
        stems = numbered(f"{base}Test", f"{base}{part[:1].upper()}{part[1:]}Test")
        return f"{home}{free(stems, lambda one: f'{home}{one}.java' in project.paths)}.java"

    def advice(self, source: str, path: str) -> str:  # noqa: ARG002 - others need it
        """Return how a test looks."""
        package = _package(path)
        where = f"`package {package};`" if package else "the package of the code"
        return f"Write one class `{stem(path)}` in {where} with methods annotated with `@Test`, for the JUnit that the example uses."

    def objection(self, path: str, code: str) -> str:
        """Require the class that the file is named for, in its package."""
        if not _ANNOTATED.search(code):
            return "no method is annotated as a test"
        if not re.search(rf"\bclass\s+{re.escape(stem(path))}\b", code):
            return f"it does not define the class {stem(path)}"
        return "" if _fits(_declared(code), path) else "it is in another package than its file"

    def trial(self, path: str, code: str) -> Trial:
        """Compile and run one class."""
        package = _declared(code)
        name = f"{package}.{stem(path)}" if package else stem(path)
        version = "5" if _FIVE.search(code) else "4"
        module = path.partition(_TEST)[0].rstrip("/") or "."
        folder = package.replace(".", "/")
        return Trial(("sh", "-c", _SCRIPT, "sh", path, name, module, version, folder), limit_s=120.0)

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


def _folder(folder: str, of_tests: set[str]) -> str:
    """Return where tests of the code in *folder* stand; outside the usual layout, where their package has tests."""
    if _MAIN in folder:
        return folder.replace(_MAIN, _TEST, 1)
    alike = [(_shared(one, folder), one) for one in of_tests]
    return max((pair for pair in alike if pair[0] > 1), default=(0, folder))[1]


def _shared(one: str, other: str) -> int:
    """Return how many directories at their ends *one* and *other* share."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _declared(code: str) -> str:
    found = _PACKAGE.search(code)
    return found[1] if found else ""


def _fits(package: str, path: str) -> bool:
    """Say whether a class of *package* may stand at *path*; outside the usual layout no one knows where packages begin."""
    if f"{_TEST}/" in path:
        return package == _package(path)
    return f"/{path.rpartition('/')[0]}".endswith(f"/{package.replace('.', '/')}" if package else "")


def _package(path: str) -> str:
    _, found, below = path.rpartition(f"{_TEST}/")
    return below.rpartition("/")[0].replace("/", ".") if found else ""


def plug() -> JUnit:
    """Return the framework."""
    return JUnit()
