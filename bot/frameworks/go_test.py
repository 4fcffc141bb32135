"""Go's own tests: https://pkg.go.dev/cmd/test2json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from bot.domain.markdown import one_line
from bot.domain.unit_tests import Outcome, State
from bot.frameworks import Project
from bot.frameworks.layout import free, holder, numbered, stem, word
from bot.frameworks.results import counted, over_limit
from bot.ports import Trial, Tried

_TESTS = re.compile(r"^func (Test\w*)\(", re.MULTILINE)
_PACKAGE = re.compile(r"^package (\w+)", re.MULTILINE)
_MOST_LINES = 20_000
_ENVIRONMENT = {
    "GOCACHE": "/tmp/go-build",  # noqa: S108 - in the sandbox
    "GOPATH": "/tmp/home/go",  # noqa: S108
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "GOTELEMETRY": "off",
    "CGO_ENABLED": "0",
    "GOMAXPROCS": "2",
}


class GoTest:
    """Tests as functions beside the code."""

    name = "go test"
    suffixes = (".go",)
    manifests = ("go.mod",)

    def weight(self, project: Project, source: str, neighbours: Mapping[str, str]) -> int:  # noqa: ARG002 - there is no other
        """Go has one way to test; without a module nothing could be built."""
        return int(bool(project.manifests(source, self.manifests)))

    def is_test(self, path: str) -> bool:
        """Say whether *path* is a file of tests."""
        return path.endswith("_test.go")

    def home(self, project: Project, source: str) -> str:
        """Return the directory of the module."""
        return holder(project.paths, source, self.manifests)

    def place(self, project: Project, source: str, function: str) -> str:
        """Return a file in the directory of *source*."""
        folder = source.rpartition("/")[0]
        home, base = (f"{folder}/" if folder else ""), stem(source)
        stems = numbered(base, f"{base}_{word(function).lower()}")
        return f"{home}{free(stems, lambda one: f'{home}{one}_test.go' in project.paths)}_test.go"

    def advice(self, source: str, path: str) -> str:  # noqa: ARG002 - others need it
        """Return how a test looks."""
        return "Write functions `func TestXxx(t *testing.T)` in the package of the code, so nothing of it is imported."

    def objection(self, path: str, code: str) -> str:  # noqa: ARG002 - others need it
        """Require a package and a test."""
        if not _PACKAGE.search(code):
            return "it declares no package"
        return "" if _TESTS.search(code) else "it holds no function `Test...`"

    def trial(self, path: str, code: str) -> Trial:
        """Run the tests of the file; the compiler is given time, since it starts without a cache."""
        names = "|".join(_TESTS.findall(code))
        folder = path.rpartition("/")[0]
        argv = ("go", "test", "-json", "-count=1", "-vet=off", f"-run=^({names})$", f"./{folder}")
        return Trial(argv, environment=_ENVIRONMENT, limit_s=180.0, scratch_bytes=600_000_000)

    def outcome(self, tried: Tried) -> Outcome:
        """Read the stream of results."""
        if b"go: No such file" in tried.stderr:
            return Outcome(State.absent, detail="Go is not installed in the sandbox")
        if ended := over_limit(tried):
            return ended
        actions = list(_actions(tried.stdout))
        passed = sum(action == "pass" for action, test, _ in actions if test)
        failed = sum(action == "fail" for action, test, _ in actions if test)
        said = next((text for action, _, text in actions if action == "output" and ": " in text), "")
        return counted(
            tried, tests=passed + failed, failed=failed, detail=one_line(said, 200) if failed else ""
        )


def _actions(output: bytes) -> list[tuple[str, str, str]]:
    found = []
    for line in output.splitlines()[:_MOST_LINES]:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            found.append(
                (str(event.get("Action")), str(event.get("Test") or ""), str(event.get("Output") or ""))
            )
    return found


def plug() -> GoTest:
    """Return the framework."""
    return GoTest()
