"""Jest: https://jestjs.io/docs/cli."""

from __future__ import annotations

from bot.frameworks.javascript_tests import JavaScriptTests

_OPTIONS = (
    "--ci",
    "--json",
    "--outputFile=/report",
    "--coverage=false",
    "--watchman=false",
    "--cacheDirectory=/tmp/jest",
    "--runTestsByPath",
)


def plug() -> JavaScriptTests:
    """Return the framework."""
    return JavaScriptTests("Jest", "jest", _OPTIONS, "`test`, `describe` and `expect` are global.")
