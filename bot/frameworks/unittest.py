"""unittest of Python's standard library."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.unit_tests import Outcome
from bot.frameworks import Project, python_tests
from bot.frameworks.results import counted, over_limit, tail
from bot.ports import Trial, Tried

_CASE = re.compile(r"^class \w+\(.*TestCase.*\):", re.MULTILINE)
_METHOD = re.compile(r"^\s+(?:async +)?def test\w*\(self", re.MULTILINE)
_RAN = re.compile(rb"^Ran (\d{1,6}) tests? in ", re.MULTILINE)
_FAILED = re.compile(rb"^FAILED \((.{1,100})\)", re.MULTILINE)
_COUNT = re.compile(rb"(failures|errors|unexpected successes)=(\d{1,6})")
_SKIPPED = re.compile(rb"skipped=(\d{1,6})")


class Unittest:
    """Tests as methods of a ``TestCase``."""

    name = "unittest"
    suffixes = python_tests.SUFFIXES
    manifests = python_tests.MANIFESTS

    def weight(self, project: Project, source: str, neighbours: Mapping[str, str]) -> int:  # noqa: ARG002 - it is always there
        """Trust neighbouring tests; without any it is what every Python has."""
        near = [text for path, text in neighbours.items() if python_tests.is_test(path)]
        return 1 + 4 * sum(bool(_CASE.search(text)) for text in near)

    def is_test(self, path: str) -> bool:
        """Say whether *path* is a file of tests."""
        return python_tests.is_test(path)

    def home(self, project: Project, source: str) -> str:
        """Return where its own manifest and tests are."""
        return python_tests.home(project, source)

    def place(self, project: Project, source: str, function: str) -> str:
        """Return where a new test goes."""
        return python_tests.place(project, source, function)

    def advice(self, source: str, path: str) -> str:  # noqa: ARG002 - others need it
        """Return how a test looks."""
        return f"Write methods `test_...` of a `unittest.TestCase`. {python_tests.advice(source)}"

    def objection(self, path: str, code: str) -> str:  # noqa: ARG002 - others need it
        """Require a test that unittest finds."""
        return (
            "" if _CASE.search(code) and _METHOD.search(code) else "it holds no `TestCase` with a test method"
        )

    def trial(self, path: str, code: str) -> Trial:  # noqa: ARG002 - others need it
        """Run one file by its path, from the root of the project."""
        return Trial(("python3", "-m", "unittest", "-v", path), environment=python_tests.ENVIRONMENT)

    def outcome(self, tried: Tried) -> Outcome:
        """Read the lines at the end of the output."""
        if ended := over_limit(tried):
            return ended
        ran, said = _last(_RAN, tried.stderr), _last(_FAILED, tried.stderr)
        wrong = sum(int(count) for _, count in _COUNT.findall(said))
        skipped = int(_last(_SKIPPED, tried.stderr) or 0)
        # A file that cannot be imported is reported as a test that failed.
        unread = b"unittest.loader._FailedTest" in tried.stderr
        return counted(
            tried,
            tests=max(0, int(ran or 0) - skipped),
            failed=0 if unread else wrong,
            broken=wrong if unread else 0,
            detail=_error(tried.stderr) if wrong else "",
        )


def _last(pattern: re.Pattern[bytes], output: bytes) -> bytes:
    found = pattern.findall(output)
    return bytes(found[-1]) if found else b""


def _error(output: bytes) -> str:
    lines = [line for line in output.splitlines() if re.match(rb"\w*(?:Error|Exception)\b", line)]
    return tail(lines[0]) if lines else ""


def plug() -> Unittest:
    """Return the framework."""
    return Unittest()
