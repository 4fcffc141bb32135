"""How much of the machine one tool may use."""

from __future__ import annotations

import math
import shutil

import structlog

from bot.ports import Command

log = structlog.get_logger(__name__)

_OPEN_FILES = 256
_PROCESSES = 128  # and threads
_STACK_BYTES = 64_000_000  # deeply nested input should end in a parse error, not in a crash


def limits(command: Command, limit_s: float, *, alone: bool) -> tuple[str, ...]:
    """Return the words that bound what *command* uses up; *alone* says that it has a namespace of its own."""
    nice, prlimit = shutil.which("nice"), shutil.which("prlimit")
    words: tuple[str, ...] = (nice, "-n", "10") if nice else ()
    if prlimit is None:
        log.warning("runner.unlimited", problem="prlimit is missing", remedy="install util-linux")
        return words
    return (
        *words,
        prlimit,
        f"--as={command.memory_bytes}",
        f"--fsize={command.scratch_bytes}",
        f"--nofile={_OPEN_FILES}",
        f"--stack={_STACK_BYTES}",
        # Wall time is watched from here; processor time still ends a tool that nobody watches any more.
        f"--cpu={math.ceil(limit_s) + 1}",
        "--core=0",
        # Counted in the namespace; without one it would be all processes of our user, in other containers too.
        *((f"--nproc={_PROCESSES}",) if alone else ()),
        "--",
    )
