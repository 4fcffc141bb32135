"""The command as a whole: help, version, errors, completion."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot import __version__
from bot.cli.context import Commands
from tests.unit.cli.command import run

COMMANDS = [
    ("review",),
    ("doctor",),
    ("events",),
    ("reconcile",),
    ("config", "show"),
    ("hooks", "install"),
    ("db", "upgrade"),
]


def test_the_version_is_printed():
    """--version needs no settings."""
    assert run("--version").output == f"cloister {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(command: tuple[str, ...]):
    """Help has a sentence for each option and a command line to copy."""
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "Example: `cloister" in result.output


def test_our_errors_are_lines_not_tracebacks(tmp_path: Path):
    """A wrong setting exits with 2 and one line for each problem."""
    result = run("config", "show", CLOISTER_LISTEN="x", CLOISTER_CONCURRENCY="0")

    assert result.exit_code == 2
    assert [line[:7] for line in result.stderr.splitlines()] == ["error: ", "error: "]
    assert "Traceback" not in result.output


def test_debugging_shows_where_an_error_comes_from():
    """CLOISTER_DEBUG adds the traceback, and changes no exit status."""
    result = run("config", "show", CLOISTER_LISTEN="x", CLOISTER_DEBUG="1")

    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "SettingsError" in result.stderr


@pytest.mark.parametrize(("name", "status"), [("gate", 3), ("review", 2)])
def test_a_crash_does_not_look_like_an_answer(name: str, status: int):
    """Exit status 1 is an answer of these commands; what the exception says, which may be code, is left out."""

    def crash() -> None:
        raise KeyError("print('secret')")

    result = CliRunner().invoke(_crashing(name, crash), [name])

    assert result.exit_code == status
    assert result.stderr.startswith(
        "error: a bug or a lack of disk or memory broke this off: KeyError in test_cli"
    )
    assert result.stderr.count("\n") == 1


def test_a_full_disk_is_told_as_what_it_is():
    """The system's own words hold no code; those that come with them may."""

    def crash() -> None:
        raise OSError(errno.ENOSPC, "secret.py")

    result = CliRunner().invoke(_crashing("review", crash), ["review"])

    assert "OSError (No space left on device) in test_cli" in result.stderr
    assert "secret.py" not in result.stderr


def test_a_key_pressed_before_the_work_began_is_no_answer():
    """Ctrl-C has the exit status that it has in shells."""

    def press() -> None:
        raise KeyboardInterrupt

    assert CliRunner().invoke(_crashing("gate", press), ["gate"]).exit_code == 130


@pytest.mark.parametrize(("name", "status"), [("events", 141), ("gate", 3)])
def test_an_output_that_nobody_reads_is_no_answer(name: str, status: int):
    """With `| head` no command ends as if it had found something."""
    code = (
        "import typer; from bot.cli.context import Commands; app = typer.Typer(cls=Commands);"
        f"app.callback()(lambda: None); app.command({name!r})(lambda: typer.echo('x')); app()"
    )
    ours, theirs = os.pipe()
    os.close(ours)

    done = subprocess.run([sys.executable, "-c", code, name], stdout=theirs, stderr=subprocess.PIPE)

    os.close(theirs)
    assert done.returncode == status
    assert done.stderr.count(b"\n") == (name == "gate")


def test_a_misspelt_variable_is_told_on_stderr():
    """The output stays clean for programs."""
    result = run("config", "show", "--json", CLOISTER_LISTNE="x")

    assert "did you mean CLOISTER_LISTEN?" in result.stderr
    assert result.stdout.startswith("[")


def test_help_loads_nothing_slow():
    """Help and completion must not wait for libraries that only commands use."""
    code = (
        "import sys; import bot.cli.app;"
        "print([name for name in ('pydantic', 'asyncio', 'httpx', 'rich.table', 'structlog', 'fastapi') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_completion_knows_the_commands():
    """The shell gets the names of commands."""
    result = run(_CLOISTER_COMPLETE="complete_bash", COMP_WORDS="cloister d", COMP_CWORD="1")

    assert result.output.split() == ["demo", "doctor", "db", "dlq"]


def _crashing(name: str, body: Callable[[], None]) -> typer.Typer:
    app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    app.command(name)(body)
    return app
