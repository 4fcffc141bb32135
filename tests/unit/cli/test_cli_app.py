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

SERVER = {
    "CLOISTER_GITLAB_URL": "http://127.0.0.1:1",
    "CLOISTER_GITLAB_TOKEN": "glpat-token",
    "CLOISTER_WEBHOOK_SECRET": "a webhook secret",
    "CLOISTER_LISTEN": "127.0.0.1:0",
}
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


def test_help_is_wrapped_to_the_terminal():
    """A paragraph of a docstring is one, whatever line its words stand on in the source."""
    assert "scripted stand-in otherwise. Nothing is left behind." in run("demo", "--help").output
    assert "Comments on the line before say what is expected" in run("rules", "test", "--help").output
    assert "Without DIR the shipped rules and those of CLOISTER_RULES_DIRS are tested." in (
        run("rules", "test", "--help", COLUMNS="400").output
    )


@pytest.mark.parametrize(
    ("git", "told"),
    [
        (None, "git is not installed, or not in PATH; install git 2.32 or newer"),
        ("echo git version 2.31.8", "git is too old (2.31.8); install git 2.32 or newer"),
    ],
)
@pytest.mark.parametrize(
    "command", [("up",), ("review",), ("gate", "--local", "--base", "HEAD")], ids=" ".join
)
def test_nothing_starts_without_a_git_that_works(
    command: tuple[str, ...], git: str | None, told: str, tmp_path: Path
):
    """Older ones ignore the settings that keep a repository from running anything."""
    if git:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{git}\n")
        (tmp_path / "git").chmod(0o755)

    result = run(*command, PATH=str(tmp_path), CLOISTER_DATA_DIR=str(tmp_path / "data"), **SERVER)

    assert result.exit_code == 2
    assert f"error: {told}\n" == result.stderr


def test_an_address_that_is_not_known_is_told_in_words(tmp_path: Path):
    """The numbers of such errors mean nothing."""
    result = run("up", CLOISTER_DATA_DIR=str(tmp_path), **{**SERVER, "CLOISTER_LISTEN": "300.1.1.1:80"})

    assert result.exit_code == 2
    assert (
        "error: cannot listen on 300.1.1.1:80 (no such host or address): set CLOISTER_LISTEN to an address of this"
        " machine and a free port\n"
    ) == result.stderr


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
