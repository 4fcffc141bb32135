"""OSV records from what people download: an archive per ecosystem, a directory, or a single record."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bot.domain.errors import Permanent

#: The longest records list every version of a package that lives on; they stay far below a megabyte.
_MAX_RECORD_BYTES = 8_000_000
#: An archive that unpacks to more is not one of advisories.
_MAX_TOTAL_BYTES = 16_000_000_000
_MAX_ENTRIES = 3_000_000
_SUFFIX = ".json"


class Entry(NamedTuple):
    """Hold one parsed record, or the ``problem`` that kept it from being read."""

    name: str
    value: Any = None
    problem: str = ""


def records(path: Path) -> Iterator[Entry]:
    """Yield the records below *path*; nothing is unpacked to disk and no link is followed.

    Raises:
        Permanent: *path* is neither an archive nor a directory nor a record, or it is a bomb.
    """
    try:
        if path.is_dir():
            yield from _directory(path)
        elif zipfile.is_zipfile(path):
            yield from _archive(path)
        elif path.suffix == _SUFFIX and path.is_file():
            yield _parsed(path.name, _limited(path))
        elif path.exists():
            raise Permanent(f"{path} is neither a zip archive nor a directory nor a .json file")
        else:
            raise Permanent(f"{path} does not exist")
    except (OSError, zipfile.BadZipFile) as error:
        raise Permanent(f"{path} cannot be read: {error}") from error


def _directory(root: Path) -> Iterator[Entry]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix == _SUFFIX and path.is_file() and not path.is_symlink():
                yield _parsed(str(path.relative_to(root)), _limited(path))


def _limited(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_RECORD_BYTES + 1)


def _archive(path: Path) -> Iterator[Entry]:
    left = _MAX_TOTAL_BYTES
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > _MAX_ENTRIES:
            raise Permanent(f"{path} has more than {_MAX_ENTRIES} entries")
        for entry in entries:
            if entry.is_dir() or not entry.filename.endswith(_SUFFIX):
                continue
            try:
                with archive.open(entry) as file:
                    content = file.read(_MAX_RECORD_BYTES + 1)
            except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
                yield Entry(entry.filename, problem=f"cannot be unpacked: {error}")
                continue
            left -= len(content)
            if left < 0:
                raise Permanent(f"{path} unpacks to more than {_MAX_TOTAL_BYTES // 10**9} GB")
            yield _parsed(entry.filename, content)


def _parsed(name: str, content: bytes) -> Entry:
    if len(content) > _MAX_RECORD_BYTES:
        return Entry(name, problem=f"larger than {_MAX_RECORD_BYTES // 1_000_000} MB")
    try:
        return Entry(name, json.loads(content))
    except (ValueError, RecursionError):
        return Entry(name, problem="not JSON")
