"""The directory of one run of a tool: made, kept within its size and removed, whatever the tool does in it."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

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
        self.path = Path(tempfile.mkdtemp(prefix="cloister-", dir=base))
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
        for _ in range(_TRIES):
            try:
                _remove(self.path)
            except OSError as error:
                problem = str(error)
            if not self.path.exists():
                return
            time.sleep(_PAUSE_S)
        log.warning("runner.not_removed", directory=str(self.path), problem=problem)


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
