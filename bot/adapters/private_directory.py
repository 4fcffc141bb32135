"""The directory of one run of a tool: made, kept within its size and removed, whatever the tool does in it.

Each is locked while its process lives. What a killed process has left, and it may hold somebody's code, the next one
knows by that: ``remove_abandoned``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_PREFIX = "cloister-tool-"
_YOUNG_S = 60  # what is being made is not locked yet
_MOST_ENTRIES = 2_000
_TRIES = 5
_PAUSE_S = 0.05  # what was killed may take a moment to be gone
_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class PrivateDirectory:
    """Hold what a tool reads in ``inputs`` and what it may write in ``scratch``.

    Args:
        base: where it appears; the system's temporary directory by default.
    """

    def __init__(self, base: Path | None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        self._lock: int | None = os.open(self.path, os.O_RDONLY | _DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.inputs = self.path / "in"
        self.scratch = self.path / "tmp"
        self.inputs.mkdir(mode=0o700)
        self.scratch.mkdir(mode=0o700)

    def overfull(self, most_bytes: int) -> bool:
        """Say whether the tool wrote more than *most_bytes*, many files, or something that hides its size."""
        used, entries = 0, 0
        places = [self.scratch]
        while places:
            try:
                with os.scandir(places.pop()) as found:
                    for entry in found:
                        used += 512 * entry.stat(follow_symlinks=False).st_blocks
                        entries += 1
                        if entries > _MOST_ENTRIES or used > most_bytes:
                            return True
                        if entry.is_dir(follow_symlinks=False):
                            places.append(Path(entry.path))
            except FileNotFoundError:  # it is at work
                continue
            except OSError:
                return True
        return False

    def remove(self) -> None:
        """Remove it, however deep it is and whatever modes, links or names there are; log it when that fails."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        for _ in range(_TRIES):
            try:
                _remove(self.path)
            except OSError as error:
                problem = str(error)
            if not self.path.exists():
                return
            time.sleep(_PAUSE_S)
        log.warning("runner.not_removed", directory=str(self.path), problem=problem)


def remove_abandoned(base: Path | None = None) -> int:
    """Remove the private directories in *base* whose processes were killed; return how many there were."""
    removed = 0
    for path in (base or Path(tempfile.gettempdir())).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _unused(path):
            _remove(path)
            removed += 1
    return removed


@contextmanager
def _unused(path: Path) -> Iterator[None]:
    """Lock a directory of ours; OSError if it is another's, is in use, or is so young that it may be soon."""
    handle = os.open(path, os.O_RDONLY | _DIRECTORY)
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or time.time() - found.st_mtime < _YOUNG_S:
            raise BlockingIOError(str(path))
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    with _opened(str(path)) as top:
        while _emptied(top, top):
            pass
    path.rmdir()


def _emptied(place: int, top: int) -> bool:
    """Take everything out of *place*; directories go to *top* as they are, so that depth does not matter."""
    found = False
    with closing(os.scandir(place)) as entries:
        for entry in entries:
            found = True
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=place)
            elif place == top:
                with _opened(entry.name, top) as directory:
                    _emptied(directory, top)
                os.rmdir(entry.name, dir_fd=top)
            else:
                with _opened(entry.name, place):  # a directory that may not be written to could not be moved
                    os.rename(entry.name, uuid.uuid4().hex, src_dir_fd=place, dst_dir_fd=top)
    return found


@contextmanager
def _opened(name: str, within: int | None = None) -> Iterator[int]:
    """Open a directory that is no link, and let us do everything in it, whatever its mode was."""
    handle = os.open(name, os.O_PATH | _DIRECTORY, dir_fd=within)
    try:
        # The number stands for the very directory, even if the name has come to stand for something else.
        os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101
        directory = os.open(".", os.O_RDONLY | _DIRECTORY, dir_fd=handle)
    finally:
        os.close(handle)
    try:
        yield directory
    finally:
        os.close(directory)
