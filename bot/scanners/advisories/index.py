"""The imported advisories: one SQLite file that is only ever replaced as a whole.

Readers open it for each scan, so a new import counts at once; one that is replaced meanwhile stays readable to
those who have it open.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.domain.errors import Permanent
from bot.domain.findings import Severity
from bot.scanners.advisories.advisory import Advisory
from bot.scanners.lockfiles.names import key

FILE = "advisories.sqlite"

#: Written into the file; another number is another layout.
LAYOUT = 1

NOT_IMPORTED = "no advisories are imported; the operator does so with: cloister advisories import"
_IMPORT_AGAIN = "import the advisories again with: cloister advisories import --fresh"
_PACKED = b"z"


@dataclass(frozen=True, slots=True)
class EcosystemStatus:
    """Hold how much is known of an ecosystem, and when its newest advisory was changed."""

    ecosystem: str
    advisories: int
    packages: int
    newest: datetime


def is_imported(directory: Path | None) -> bool:
    """Say whether there is anything to look things up in."""
    return directory is not None and (directory / FILE).is_file()


class AdvisoryIndex:
    """Look advisories up. Belongs to the thread that opened it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def about(self, ecosystem: str, name: str) -> list[Advisory]:
        """Return all advisories about a package, whatever the version."""
        rows = self._connection.execute(
            "SELECT body FROM affected WHERE ecosystem = ? AND package = ? ORDER BY advisory",
            (ecosystem, key(ecosystem, name)),
        )
        return [unpacked(body) for (body,) in rows]

    def status(self) -> list[EcosystemStatus]:
        """Return what is there, by ecosystem."""
        rows = self._connection.execute(
            "SELECT ecosystem, count(DISTINCT advisory), count(DISTINCT package), max(modified)"
            " FROM affected JOIN record ON record.id = affected.advisory GROUP BY ecosystem ORDER BY ecosystem"
        )
        return [
            EcosystemStatus(ecosystem, advisories, packages, datetime.fromisoformat(newest))
            for ecosystem, advisories, packages, newest in rows
        ]


@contextmanager
def opened(directory: Path) -> Iterator[AdvisoryIndex]:
    """Open the index for reading.

    Raises:
        Permanent: it is missing, damaged, or of another release; the message says what to do.
    """
    path = directory / FILE
    if not path.is_file():
        raise Permanent(NOT_IMPORTED)
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            if layout != LAYOUT:
                raise Permanent(f"{path} was written by another release; {_IMPORT_AGAIN}")
            yield AdvisoryIndex(connection)
        finally:
            connection.close()
    except (sqlite3.Error, zlib.error, ValueError) as error:
        raise Permanent(f"{path} cannot be read ({error}); {_IMPORT_AGAIN}") from error


def packed(advisory: Advisory) -> bytes:
    """Return an advisory as it is stored."""
    body = json.dumps(
        [
            advisory.id,
            advisory.summary,
            advisory.severity or "",
            advisory.aliases,
            advisory.cwe,
            advisory.references,
            advisory.ranges,
            sorted(advisory.versions),
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode("utf-8", "replace")
    return body if len(body) < 600 else _PACKED + zlib.compress(body, 6)


def unpacked(body: bytes) -> Advisory:
    """Return what was `packed`.

    Raises:
        ValueError: it was not.
    """
    if body.startswith(_PACKED):
        body = zlib.decompress(body[1:])
    name, summary, severity, aliases, cwe, references, ranges, versions = json.loads(body)
    return Advisory(
        name,
        summary,
        Severity(severity) if severity else None,
        tuple(aliases),
        tuple(cwe),
        tuple(references),
        tuple(tuple((kind, version) for kind, version in events) for events in ranges),
        frozenset(versions),
    )
