"""The command as a whole: help, version, errors, completion."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot import __version__
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
    """CLOISTER_DEBUG lets the exception through."""
    result = run("config", "show", CLOISTER_LISTEN="x", CLOISTER_DEBUG="1")

    assert type(result.exception).__name__ == "SettingsError"


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
