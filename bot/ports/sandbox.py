"""Code of projects, executed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

#: Where a program finds the root of the files.
CHECKOUT: Final = "/checkout"


@dataclass(frozen=True, slots=True)
class Trial:
    """Describe one run of a program on a project's files in the sandbox.

    ``argv[0]`` is found in the sandbox's search path; the working directory is ``folder`` below the root of the
    files, which nobody can change. ``changed`` replaces files for this run, None takes one away. ``memory_bytes`` bounds each
    process and all of them together. What the program writes to ``/report`` is handed back, all else it writes
    is lost.
    """

    argv: tuple[str, ...]
    folder: str = ""
    changed: Mapping[str, bytes | None] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 60.0
    memory_bytes: int = 1_500_000_000
    scratch_bytes: int = 300_000_000
    processes: int = 256
    output_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Tried:
    """Hold what a run left behind; ``ended`` names the limit that ended it: time, memory, processes or output."""

    returncode: int
    stdout: bytes
    stderr: bytes
    report: bytes
    duration_s: float
    ended: str = ""


class SandboxTree(Protocol):
    """Run programs on the files that a sandbox holds."""

    async def run(self, trial: Trial) -> Tried:
        """Run *trial*, one at a time; every process of it is dead when this returns, or when it is cancelled.

        The program sees the files, the system's programs, and the directories that the operator has named: no
        other file, no process, no network, no variable of ours. A failing program is a result.
        """


class Sandbox(Protocol):
    """Execute code that nobody has looked at."""

    def holding(self, files: Mapping[str, bytes]) -> AbstractAsyncContextManager[SandboxTree]:
        """Hold *files* (relative paths, never leaving the root) for as many runs as the block makes.

        Raises:
            Permanent: there are too many of them, or a path leaves the root.
        """

    async def problem(self) -> str:
        """Return why nothing can be executed on this machine and what to do, empty if something can."""
