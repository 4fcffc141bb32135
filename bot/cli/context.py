"""What every command gets from the global options, and how errors look."""

from __future__ import annotations

import inspect
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
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
#: What a crash exits with where 2 says that the command was asked for wrongly.
_CRASHED: Mapping[str | None, int] = MappingProxyType({"gate": 3})


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
    """Print errors as what they are: one line each, with the remedy, and exit status 2.

    A bug of ours, and an output that nobody reads to its end, have a status of their own too: with the 1 of an uncaught
    exception they would look like an answer. Help is wrapped to the terminal, not where the source is.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        _unwrap(self)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                _flush()
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except CloisterError as error:
            _tell(str(error).splitlines())
            status = FAILED
        except BrokenPipeError:
            status = _CRASHED.get(ctx.invoked_subcommand, 128 + signal.SIGPIPE)
            if ctx.invoked_subcommand in _CRASHED:
                _tell(["standard output was closed before all was written; write it to a file instead"])
        except KeyboardInterrupt:
            status = 128 + signal.SIGINT
        except Exception as error:  # noqa: BLE001 - nobody above tells a crash from an answer
            _tell([_crash(error)])
            status = _CRASHED.get(ctx.invoked_subcommand, FAILED)
        _abandon_output()
        raise typer.Exit(status) from None


def _unwrap(command: Any) -> None:
    """Make each paragraph of the help of *command*, and of those below it, one line: Typer keeps the ends of lines."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)
    for below in getattr(command, "commands", {}).values():
        _unwrap(below)


def _flush() -> None:
    """Write out what is buffered while a failure can still be told."""
    if sys.stdout is not None:  # nothing is there to write to if it was closed from the start
        sys.stdout.flush()


def _abandon_output() -> None:
    """Let what cannot be written go nowhere: Python would fail on it once more at its end, with a status of its own."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _tell(problems: Iterable[str]) -> None:
    """Print *problems* to stderr, if anybody is there, and the traceback where that is wanted."""
    from bot.settings import debugging

    with suppress(OSError):
        if debugging():
            traceback.print_exc()
        for line in problems:
            typer.echo(f"error: {line}", err=True)


def _crash(error: Exception) -> str:
    """Return what broke and where; what the exception says stays out, for it may quote code.

    Only what the system says of it is told: that the disk is full, for one.
    """
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    number = error.errno if isinstance(error, OSError) else None
    kind = f"{type(error).__name__} ({os.strerror(number)})" if number else type(error).__name__
    return (
        f"a bug or a lack of disk or memory broke this off: {kind} in {place}; set CLOISTER_DEBUG=1"
        " for the traceback, and report it"
    )
