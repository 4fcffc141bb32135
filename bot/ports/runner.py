"""External tools on hostile input, and the rules that they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Command:
    """Describe one run of an external tool in a private directory.

    ``argv[0]`` is an absolute path. ``files`` are written below the directory that becomes the working
    directory (relative paths, forward slashes, never leaving it); the tool sees no other input.
    ``waits_for`` names one of them that the tool opens, once, before any other: a runner may start the tool
    before the files are known and let it wait there.

    Besides system libraries it may read and run only what ``reads`` names, with all below; it starts no process
    unless it ``forks``; it writes nothing unless ``scratch_bytes`` grants room in its temporary directory.
    """

    argv: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    limit_s: float = 30.0
    memory_bytes: int = 2_000_000_000
    output_bytes: int = 20_000_000
    waits_for: str = ""
    reads: tuple[str, ...] = ()
    forks: bool = False
    scratch_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """Hold what a tool left behind; ``stdout`` is cut at the command's ``output_bytes``."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    output_cut: bool = False


@dataclass(frozen=True, slots=True)
class RuleCopy:
    """Hold a directory with rules; ``version`` changes whenever they do."""

    directory: Path
    version: str


class RuleSource(Protocol):
    """Provide rules that an organisation keeps."""

    @property
    def name(self) -> str:
        """Return what the operator calls it."""

    async def last(self) -> RuleCopy | None:
        """Return the copy on this machine, without asking anybody; None if there never was one."""

    async def refresh(self) -> RuleCopy:
        """Bring the copy up to date and return it. A directory handed out before stays usable until the next call.

        Raises:
            Transient: the source is out of reach; the last copy stands.
            Permanent: it does not exist, or cannot be used; the message says what to do.
        """


class Runner(Protocol):
    """Run external tools on hostile input."""

    async def run(self, command: Command) -> Completed:
        """Run *command* with an empty environment and all limits, without network, other files and processes.

        What the platform cannot enforce is logged once. The whole process group is killed at ``limit_s`` and when the caller is cancelled. A failing tool is
        a result, not an exception. A process serves one run, and its limits count from the call.

        Raises:
            Permanent: the program is not installed.
        """
