"""Where Semgrep is installed, which is beside us: its version, its engine, and the command that everybody uses."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path

from bot.domain.errors import Permanent


def version() -> str:
    """Return the version of Semgrep that is installed.

    Raises:
        Permanent: there is none.
    """
    return _distribution().version


def core() -> str:
    """Return the engine.

    Raises:
        Permanent: Semgrep is not installed.
    """
    return str(_distribution().locate_file("semgrep/bin/semgrep-core"))


def command() -> str:
    """Return the ``semgrep`` command of the environment that the engine is in.

    Raises:
        Permanent: Semgrep is not installed completely.
    """
    for file in _distribution().files or ():
        if file.name == "semgrep" and file.parent.name == "bin" and ".." in file.parts:
            return str(Path(str(file.locate())).resolve())
    raise Permanent("the semgrep command is missing; run: pip install --force-reinstall semgrep")


@cache
def _distribution() -> metadata.Distribution:
    try:
        return metadata.distribution("semgrep")
    except metadata.PackageNotFoundError as error:
        raise Permanent("Semgrep is not installed; run: pip install semgrep") from error
