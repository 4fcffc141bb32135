"""The reports that a gate writes: which are asked for, and how they come to stand in their files.

What lies there before may be part of the change under review. So no link is followed, and what is not written this time
is not there either: a report that somebody committed must not pass for ours.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.domain.errors import Permanent

if TYPE_CHECKING:
    from bot.domain.findings import Finding
    from bot.domain.reports import Occasion

KINDS: Final = ("codequality", "sast", "secret_detection", "sarif", "junit")


def files_of(asked: Sequence[str]) -> dict[str, Path]:
    """Return where to write which report, as options name them.

    Raises:
        Permanent: there is no such kind, no file is named, or one for two reports.
    """
    files: dict[str, Path] = {}
    for one in asked:
        kind, _, name = one.partition("=")
        if kind not in KINDS or not name:
            raise Permanent(
                f"{one!r} is no report: use --report KIND=FILE, KIND being one of {', '.join(KINDS)}"
            )
        if kind in files:
            raise Permanent(f"two files are named for the report {kind}; name one")
        if other := next((other for other, file in files.items() if file == Path(name)), None):
            raise Permanent(f"{name} is named for the reports {other} and {kind}; name a file for each")
        files[kind] = Path(name)
    return files


def clear(files: Mapping[str, Path]) -> None:
    """Take away what lies where *files* are to be written.

    Raises:
        Permanent: one cannot be written there.
    """
    for file in files.values():
        try:
            if not _is_stream(file):
                file.unlink(missing_ok=True)
                _write_anew(file, b"")
                file.unlink()
        except OSError as error:
            raise _unwritable(file, error) from error


def write(files: Mapping[str, Path], findings: Sequence[Finding], occasion: Occasion) -> list[str]:
    """Write reports, each of them whole or not at all, and return what went wrong: the answer is to be told first."""
    from bot.domain.reports import FORMATS

    problems = []
    for kind, file in files.items():
        content = FORMATS[kind](findings, occasion).encode()
        try:
            if _is_stream(file):
                file.write_bytes(content)
            else:
                _write_anew(file, content)
        except OSError as error:
            problems.append(str(_unwritable(file, error)))
    return problems


def _is_stream(file: Path) -> bool:
    """Say whether *file* is a pipe, a terminal or the like, which nothing can take the place of."""
    return file.exists() and not file.is_file() and not file.is_dir()


def _write_anew(file: Path, content: bytes) -> None:
    beside = file.parent / f".cloister-{secrets.token_hex(8)}"
    # Whoever uploads it may be another user, so its mode is that of any new file.
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(number, "wb") as new:
            new.write(content)
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _unwritable(file: Path, error: OSError) -> Permanent:
    return Permanent(f"cannot write {file}: {error.strerror}; name a writable file with --report")
