"""Vitest: https://vitest.dev/guide/cli.html."""

from __future__ import annotations

from bot.frameworks.javascript_tests import JavaScriptTests

_OPTIONS = ("run", "--reporter=json", "--outputFile=/report", "--coverage.enabled=false", "--no-cache")


def plug() -> JavaScriptTests:
    """Return the framework."""
    return JavaScriptTests(
        "Vitest", "vitest", _OPTIONS, "Import `test`, `describe` and `expect` from 'vitest'."
    )
