"""What every command gets from the global options, and how errors look."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from bot.domain.errors import CloisterError

if TYPE_CHECKING:
    from bot.settings import Loaded, Settings

#: Exit statuses, the same for every command.
FOUND, FAILED = 1, 2


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """Hold the options before the command's name."""

    config: Path | None = None


def load(ctx: typer.Context, *, dotenv: bool = True, **overrides: object) -> Loaded:
    """Read the settings for a command, print what looks like a mistake to stderr.

    Args:
        ctx: the command's context.
        dotenv: whether ``.env`` in the working directory counts; it must not where that may be hostile.
        overrides: settings given as options of the command; None means not given.

    Raises:
        SettingsError: a setting is wrong.
    """
    from bot import settings

    options = ctx.find_object(GlobalOptions) or GlobalOptions()
    loaded = settings.load(
        overrides=overrides, config=options.config, dotenv=Path(".env") if dotenv else None
    )
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    return loaded


def settings_of(ctx: typer.Context, *, dotenv: bool = True, **overrides: object) -> Settings:
    """Return the settings for a command; see `load`."""
    return load(ctx, dotenv=dotenv, **overrides).settings


def print_json(value: Any, *, hostile: bool = False) -> None:
    """Print *value* as indented JSON, in ASCII where its text may be *hostile* to a terminal."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=hostile))


def print_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    styles: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Print *rows* under *titles*, wrapped to the terminal.

    Cells are shown literally, so that a hostile name cannot paint; *styles* gives colours to whole cells.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell)), style=styles.get(str(cell), "")) for cell in row))
    # A pipe has no width: there, long lines are better than wrapped ones.
    console = Console(width=None if sys.stdout.isatty() else 400)
    with console.capture() as capture:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def printable(text: str) -> str:
    """Return *text* with a mark for each character that could steer a terminal or reorder what it shows."""
    from bot.domain.markdown import visible

    return visible(text).encode(errors="replace").decode()


def quiet_logs() -> None:
    """Keep log lines out of the output of a command; errors still go to stderr."""
    import logging

    import structlog

    from bot.adapters.kafka_logging import forward_client_logs

    forward_client_logs()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class Commands(TyperGroup):
    """Print our own errors as what they are: one line each, with the remedy, and exit status 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CloisterError as error:
            from bot.settings import debugging

            if debugging():
                raise
            for line in str(error).splitlines():
                typer.echo(f"error: {line}", err=True)
            raise typer.Exit(FAILED) from None
