"""Write imported advisories into the index, all or nothing, beside readers that go on."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.adapters.advisory_files import records
from bot.domain.errors import Permanent
from bot.scanners.advisories.index import FILE, LAYOUT, opened, packed
from bot.scanners.advisories.osv import NotOsv, Record, record

Progress = Callable[[str], None]

_MOST_PROBLEMS = 20
_REPORT_EVERY = 20_000

_SCHEMA = """
CREATE TABLE record (id TEXT PRIMARY KEY, modified TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE affected (
    ecosystem TEXT NOT NULL, package TEXT NOT NULL, advisory TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX affected_package ON affected (ecosystem, package, advisory);
CREATE INDEX affected_advisory ON affected (advisory);
"""


@dataclass
class Imported:
    """Count what an import did; ``problems`` names the first files that could not be used."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    elsewhere: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Return how many records there were."""
        return self.added + self.updated + self.unchanged + self.withdrawn + self.elsewhere + self.refused

    def refuse(self, name: str, why: str) -> None:
        """Count a record that cannot be used."""
        self.refused += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{name}: {why}")


def import_advisories(
    sources: Sequence[Path], directory: Path, *, fresh: bool = False, progress: Progress = lambda _: None
) -> Imported:
    """Add the records of *sources* to the index in *directory*; of two with one id the newer counts.

    Readers see the old index until the new one is complete. Importing the same again changes nothing.

    Args:
        sources: archives, directories, or single records.
        directory: made if it is missing.
        fresh: forget what was imported before.
        progress: told now and then how far it is.

    Raises:
        Permanent: a source or the directory cannot be used, or another import runs; the index stays as it was.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _alone(directory), _replacing(directory, fresh=fresh) as connection:
            return _import(connection, sources, progress)
    except (OSError, sqlite3.Error) as error:
        raise Permanent(f"advisories cannot be stored in {directory}: {error}") from error


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Permanent(f"another import into {directory} is running; wait for it") from None
        yield


@contextmanager
def _replacing(directory: Path, *, fresh: bool) -> Iterator[sqlite3.Connection]:
    """Yield a copy of the index that takes its place when all went well."""
    path, draft = directory / FILE, directory / f"{FILE}.new"
    draft.unlink(missing_ok=True)
    if path.exists() and not fresh:
        with opened(directory):
            shutil.copyfile(path, draft)
    try:
        connection = sqlite3.connect(draft)
        try:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            if fresh or not path.exists():
                connection.executescript(f"{_SCHEMA} PRAGMA user_version = {LAYOUT};")
            yield connection
            connection.commit()
            connection.execute("PRAGMA optimize")
        finally:
            connection.close()
        _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    draft.chmod(0o644)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _import(connection: sqlite3.Connection, sources: Sequence[Path], progress: Progress) -> Imported:
    done = Imported()
    known = dict(connection.execute("SELECT id, modified FROM record"))
    for source in sources:
        for entry in records(source):
            if entry.problem:
                done.refuse(entry.name, entry.problem)
            else:
                try:
                    _store(connection, known, record(entry.value), done)
                except NotOsv as why:
                    done.refuse(entry.name, str(why))
            if done.seen % _REPORT_EVERY == 0:
                progress(f"{source.name}: {done.seen} records")
    if done.seen == done.refused:
        raise Permanent("nothing was imported: " + ("; ".join(done.problems) or "there are no .json files"))
    return done


def _store(connection: sqlite3.Connection, known: dict[str, str], found: Record, done: Imported) -> None:
    before = known.get(found.id)
    if before is not None and before >= found.modified:
        done.unchanged += 1
        return
    if before is None and not found.advisories and not found.withdrawn:
        done.elsewhere += 1
        return
    if before is not None:
        connection.execute("DELETE FROM affected WHERE advisory = ?", (found.id,))
    # One that was taken back stays known, so that an older copy does not bring it back.
    connection.execute("INSERT OR REPLACE INTO record VALUES (?, ?)", (found.id, found.modified))
    connection.executemany(
        "INSERT INTO affected VALUES (?, ?, ?, ?)",
        [(*place, found.id, packed(advisory)) for place, advisory in found.advisories.items()],
    )
    known[found.id] = found.modified
    if found.withdrawn:
        done.withdrawn += 1
    elif before is None:
        done.added += 1
    else:
        done.updated += 1
