"""The process that reads syntax, seen from outside.

It has no environment, network and files but its own code, so a grammar that a hostile file takes over has nothing to
tell and nobody to tell it to.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.domain.mutation import Mutant
from bot.domain.outline import Syntax
from bot.syntax.grammars import language_of

#: Larger files are data, or written by tools.
MAX_BYTES: Final = 1_000_000
_MAX_ANSWER_BYTES: Final = 8_000_000
_CHUNK_BYTES: Final = 1 << 20
#: What the process says when it can be asked, and how long that may take where everything is busy.
READY: Final = b"ready\n"
_START_S: Final = 30.0

#: Runs the package from where it lies: the directory around it, a whole check-out perhaps, is out of sight.
_BOOT: Final = """\
import importlib.util, runpy, sys
place = sys.argv.pop()
spec = importlib.util.spec_from_file_location("bot", f"{place}/__init__.py", submodule_search_locations=[place])
sys.modules["bot"] = importlib.util.module_from_spec(spec)
runpy.run_module("bot.syntax", run_name="__main__")
"""

_ANSWERS: Final = TypeAdapter(Syntax)
_MUTANTS: Final = TypeAdapter(tuple[Mutant, ...])
_Answer = TypeVar("_Answer")


class Parser:
    """Read the syntax of files, one at a time, in a process that may die of them.

    Args:
        limit_s: what one file may take.
    """

    def __init__(self, *, limit_s: float = 3.0) -> None:
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def parse(self, path: str, content: bytes) -> Syntax | None:
        """Return the syntax of *content*; it waits, so call it in a thread.

        None: there is no grammar for *path*, the file is too large, or reading it failed or took too long.
        """
        return self._ask(path, content, _ANSWERS)

    def mutants(self, path: str, content: bytes, first: int, last: int) -> tuple[Mutant, ...]:
        """Return ways to break the lines *first* to *last*; none where `parse` would return None."""
        return self._ask(path, content, _MUTANTS, f" {first} {last}") or ()

    def close(self) -> None:
        """End the process; the next file starts a new one."""
        with self._lock:
            self._kill()

    def _ask(
        self, path: str, content: bytes, answers: TypeAdapter[_Answer], lines: str = ""
    ) -> _Answer | None:
        language = language_of(path)
        if language is None or len(content) > MAX_BYTES:
            return None
        with self._lock:
            try:
                return answers.validate_json(self._answer(f"{language} {len(content)}{lines}\n", content))
            except (OSError, EOFError, ValueError, ValidationError):
                self._kill()
                return None

    def _answer(self, header: str, content: bytes) -> bytes:
        process = self._running()
        assert process.stdin is not None
        with _killed_after(self._limit_s, process):
            process.stdin.write(header.encode() + content)
            process.stdin.flush()
            size, _, body = self._read(process).partition(b"\n")
            while len(body) < int(size):
                body += self._read(process)
                if len(body) > _MAX_ANSWER_BYTES:
                    raise ValueError("the answer is too long")
        return body

    @staticmethod
    def _read(process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        chunk = os.read(process.stdout.fileno(), _CHUNK_BYTES)
        if not chunk:
            raise EOFError
        return chunk

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._kill()
        process = self._process = subprocess.Popen(
            _command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
        with _killed_after(_START_S, process):
            if self._read(process) != READY:
                raise ValueError("the process greets in another way")
        return process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def _killed_after(limit_s: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill *process* if what it is asked takes too long, which ends reading from it and writing to it."""
    watch = threading.Timer(limit_s, process.kill)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _command() -> list[str]:
    """Return what starts the process: it may read Python and Cloister, and no more."""
    package = Path(__file__).resolve().parents[1]
    places = {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), str(package)}
    reads = [word for place in sorted(places) for word in ("-r", place)]
    # A script of its own that becomes the program, so nothing of ours is imported from above.
    launcher = [sys.executable, "-ISB", str(package / "adapters" / "confined.py")]
    return [*launcher, *reads, "--", sys.executable, "-IB", "-c", _BOOT, str(package)]


@functools.cache
def _shared() -> Parser:
    parser = Parser()
    atexit.register(parser.close)
    return parser


def parse(path: str, content: bytes) -> Syntax | None:
    """Return the syntax of *content* as `Parser.parse` does, in the one process that all share."""
    return _shared().parse(path, content)


def mutants(path: str, content: bytes, first: int, last: int) -> tuple[Mutant, ...]:
    """Return ways to break lines of *content* as `Parser.mutants` does, from the one process that all share."""
    return _shared().mutants(path, content, first, last)
