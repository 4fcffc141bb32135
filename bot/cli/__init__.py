"""The command line, one file per command group."""

from __future__ import annotations


def main() -> None:
    """Run the `cloister` command."""
    from bot.cli.app import app

    app()
