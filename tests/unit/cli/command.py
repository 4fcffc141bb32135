"""How the tests run the `cloister` command."""

from typing import Any

from typer.testing import CliRunner

from bot.cli.app import app

ENVIRONMENT = {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "200"}


def run(*arguments: str, stdin: str | None = None, **environ: str | None) -> Any:
    """Run `cloister` with *arguments*, and *stdin* as standard input."""
    return CliRunner(env={**ENVIRONMENT, **environ}).invoke(app, list(arguments), input=stdin)
