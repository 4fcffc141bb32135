"""Let the command line read commands that stand in documentation and deployment files, without running them."""

from typing import Any

import typer

from bot.cli.app import app

COMMANDS = typer.main.get_command(app)


def parsed(words: list[str]) -> None:
    """Let the command's own parser read *words*, without running anything; a command may be named alone."""
    command: Any = COMMANDS
    context = command.make_context("cloister", list(words))
    while rest := [*context._protected_args, *context.args]:
        name, command, rest = command.resolve_command(context, rest)
        if not rest:
            return
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return
