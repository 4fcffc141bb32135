"""pytest: https://docs.pytest.org/en/stable/reference/exit-codes.html."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.unit_tests import Outcome, State
from bot.frameworks import Project, python_tests
from bot.frameworks.results import junit_xml, over_limit
from bot.ports import Trial, Tried

_TESTS = re.compile(r"^(?:async +)?def test\w*\(|^class Test\w*", re.MULTILINE)
_MENTION = re.compile(r"\bpytest\b")


class Pytest:
    """Tests as functions."""

    name = "pytest"
    suffixes = python_tests.SUFFIXES
    manifests = python_tests.MANIFESTS

    def weight(self, project: Project, source: str, neighbours: Mapping[str, str]) -> int:
        """Trust neighbouring tests most, then what the manifests mention."""
        near = [text for path, text in neighbours.items() if python_tests.is_test(path)]
        votes = sum(bool(_MENTION.search(text) or _TESTS.search(text)) for text in near)
        mentioned = bool(_MENTION.search(project.manifests(source, self.manifests)))
        return 4 * votes + 2 * mentioned

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
        return f"Write plain functions `def test_...()` for pytest with bare `assert`. {python_tests.advice(source)}"

    def objection(self, path: str, code: str) -> str:  # noqa: ARG002 - others need it
        """Require a test that pytest finds."""
        return "" if _TESTS.search(code) else "it holds no function or class that pytest takes for a test"

    def trial(self, path: str, code: str) -> Trial:  # noqa: ARG002 - others need it
        """Run one file; options of the project, which may ask for plugins or coverage, are left out."""
        options = ("-q", "-p", "no:cacheprovider", "-o", "addopts=", "--junitxml=/report", "--rootdir=.")
        argv = ("python3", "-m", "pytest", *options, f"./{path}")
        return Trial(argv, environment=python_tests.ENVIRONMENT)

    def outcome(self, tried: Tried) -> Outcome:
        """Read the report."""
        if b"No module named pytest" in tried.stderr:
            return Outcome(State.absent, detail="pytest is not installed in the sandbox")
        return over_limit(tried) or junit_xml(tried)


def plug() -> Pytest:
    """Return the framework."""
    return Pytest()
