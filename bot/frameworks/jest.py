"""Jest: https://jestjs.io/docs/cli."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.unit_tests import Outcome, State
from bot.frameworks import Project, javascript_tests
from bot.frameworks.results import jest_json, over_limit
from bot.ports import Trial, Tried


class Jest:
    """Tests as calls of ``test``."""

    name = "Jest"
    suffixes = javascript_tests.SUFFIXES
    manifests = ("package.json",)

    def weight(self, project: Project, source: str, neighbours: Mapping[str, str]) -> int:
        """Trust neighbouring tests most, then the nearest manifests."""
        used = javascript_tests.uses(project, source, "jest")
        return 4 * javascript_tests.votes(neighbours, "jest") + 2 * used

    def is_test(self, path: str) -> bool:
        """Say whether *path* is a file of tests."""
        return javascript_tests.is_test(path)

    def home(self, project: Project, source: str) -> str:
        """Return where Jest is set up."""
        return javascript_tests.home(project, source, "jest")

    def place(self, project: Project, source: str, function: str) -> str:
        """Return where a new test goes."""
        return javascript_tests.place(project, source, function)

    def advice(self, source: str, path: str) -> str:
        """Return how a test looks."""
        name = javascript_tests.import_of(source, path)
        return f"Write `test('...', () => {{...}})` for Jest. `test`, `describe` and `expect` are global. Import the code from `{name}`."

    def objection(self, path: str, code: str) -> str:  # noqa: ARG002 - others need it
        """Require a test."""
        return "" if javascript_tests.CALLS.search(code) else "it calls neither `test` nor `it`"

    def trial(self, path: str, code: str) -> Trial:  # noqa: ARG002 - others need it
        """Run one file."""
        argv = (
            "jest",
            "--ci",
            "--json",
            "--outputFile=/report",
            "--coverage=false",
            "--watchman=false",
            "--cacheDirectory=/tmp/jest",
            "--runTestsByPath",
            path,
        )
        return Trial(argv, limit_s=120.0)

    def outcome(self, tried: Tried) -> Outcome:
        """Read the report."""
        if not tried.report and b"jest: No such file" in tried.stderr:
            return Outcome(State.absent, detail="Jest is not installed in the sandbox")
        return over_limit(tried) or jest_json(tried)


def plug() -> Jest:
    """Return the framework."""
    return Jest()
