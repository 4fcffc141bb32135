"""Which files and system calls a tool is left with: by a launcher that gives up the others before it becomes the tool."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.ports import Command

log = structlog.get_logger(__name__)

# Without site-packages and settings of the user: it starts in a hundredth of a second, and nobody can add to it.
_LAUNCHER = (sys.executable, "-ISB", str(Path(__file__).with_name("confined.py")))
_SCOPE_ABI = 6


@dataclass(frozen=True, slots=True)
class Confinement:
    """Hold what this kernel can do; ``landlock`` is the version, 0 without it."""

    landlock: int = 0
    seccomp: bool = False

    def words(self, command: Command, inputs: Path, scratch: Path) -> tuple[str, ...]:
        """Return what starts *command* with its inputs to read and, if it wants any, room to write."""
        if not (self.landlock or self.seccomp):
            return ()
        reads = [word for path in command.reads for word in ("-x", path)]
        room = ("-w", str(scratch)) if command.scratch_bytes else ()
        return (*_LAUNCHER, "-r", str(inputs), *room, *reads, *(("-f",) if command.forks else ()), "--")


async def confinement() -> Confinement:
    """Find out what can be taken from tools here, and warn about what cannot."""
    found = await _probe()
    if not found.landlock:
        log.warning(
            "runner.files_open",
            problem="scanners can read and write what Cloister can",
            remedy="run Linux 5.13 or newer with Landlock among the modules in /sys/kernel/security/lsm",
        )
    return found


async def _probe() -> Confinement:
    try:
        probe = await asyncio.create_subprocess_exec(
            *_LAUNCHER,
            "-p",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
    except OSError:
        return Confinement()
    answer, _ = await probe.communicate()
    match answer.split():
        case [b"landlock", abi, b"seccomp", filters]:
            return Confinement(int(abi), filters == b"1")
    return Confinement()
