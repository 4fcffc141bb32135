"""Run external tools on hostile input: private directory, empty environment, no network, hard limits."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import structlog

from bot.domain.errors import Permanent
from bot.ports import Command, Completed

log = structlog.get_logger(__name__)

# A user namespace of its own also keeps the tool from reading /proc/<our pid>/environ, and a pid
# namespace takes down children that left the process group.
_ISOLATE = ("--user", "--map-current-user", "--net", "--pid", "--fork", "--kill-child")
_OPEN_FILES = 256
_FILE_BYTES = 100_000_000
_STACK_BYTES = 64_000_000  # deeply nested input should end in a parse error, not in a crash
_GRACE_S = 1.0  # for the pipes to close once everything that held them is dead


class ProcessRunner:
    """Implement ``bot.ports.Runner`` with plain processes and util-linux (``unshare``, ``prlimit``).

    Where namespaces or ``prlimit`` are not available a warning is logged once and tools run without them.

    Args:
        base: directory for the private directories; the system's temporary directory by default.
    """

    def __init__(self, base: Path | None = None) -> None:
        self._base = base
        self._isolation: asyncio.Task[tuple[str, ...]] | None = None

    async def run(self, command: Command) -> Completed:
        """Run *command* as the port describes; the private directory is gone when this returns."""
        _require_program(command.argv[0])
        files = {_inside(name): content for name, content in command.files.items()}
        isolation = await self._isolate()
        home = Path(tempfile.mkdtemp(prefix="cloister-", dir=self._base))
        writing = asyncio.ensure_future(asyncio.to_thread(_write, home, files))
        try:
            await asyncio.shield(writing)
            return await _supervise((*isolation, *_limits(command), *command.argv), command, home)
        finally:
            await asyncio.shield(_discard(home, writing))

    async def _isolate(self) -> tuple[str, ...]:
        if self._isolation is None:
            self._isolation = asyncio.ensure_future(_probe_isolation())
        return await asyncio.shield(self._isolation)


def _require_program(program: str) -> None:
    if not Path(program).is_absolute():
        raise Permanent(f"{program!r} must be an absolute path")
    if not os.access(program, os.X_OK):
        raise Permanent(f"{program} is not installed or not executable; reinstall Cloister's dependencies")


def _inside(name: str) -> PurePosixPath:
    """Return *name* as a relative path that stays below its directory."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise Permanent(f"refusing to write {name!r}: it is not a path below the private directory")
    return path


def _write(home: Path, files: Mapping[PurePosixPath, bytes]) -> None:
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123 - pathlib has no O_NOFOLLOW
            file.write(content)


async def _discard(home: Path, writing: asyncio.Future[None]) -> None:
    await asyncio.wait([writing])
    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


async def _probe_isolation() -> tuple[str, ...]:
    """Return the words that start a program without network, or none where that cannot be done."""
    unshare, true = shutil.which("unshare"), shutil.which("true")
    if unshare and true:
        wrapper = (unshare, *_ISOLATE, "--")
        probe = await asyncio.create_subprocess_exec(
            *wrapper, true, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        if await probe.wait() == 0:
            return wrapper
    log.warning(
        "runner.not_isolated",
        problem="scanners can reach the network and see other processes",
        remedy="allow unprivileged user namespaces, or run the scanners in a container without network",
    )
    return ()


def _limits(command: Command) -> tuple[str, ...]:
    nice, prlimit = shutil.which("nice"), shutil.which("prlimit")
    words: tuple[str, ...] = (nice, "-n", "10") if nice else ()
    if prlimit is None:
        log.warning("runner.unlimited", problem="prlimit is missing", remedy="install util-linux")
        return words
    return (
        *words,
        prlimit,
        f"--as={command.memory_bytes}",
        f"--fsize={_FILE_BYTES}",
        f"--nofile={_OPEN_FILES}",
        f"--stack={_STACK_BYTES}",
        # Wall time is watched from here; processor time still ends a tool that outlives a killed bot.
        f"--cpu={math.ceil(command.limit_s) + 1}",
        "--core=0",
        "--",
    )


async def _supervise(argv: tuple[str, ...], command: Command, home: Path) -> Completed:
    loop = asyncio.get_running_loop()
    environment = {"HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8"}
    transport, watch = await loop.subprocess_exec(
        lambda: _Watch(command.output_bytes),
        *argv,
        cwd=home,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    timed_out = False
    try:
        async with asyncio.timeout(command.limit_s):
            await watch.closed.wait()
    except TimeoutError:
        timed_out = True
    finally:
        watch.kill()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watch.closed.wait(), _GRACE_S)
        transport.close()
    returncode = transport.get_returncode()
    return Completed(
        returncode=-signal.SIGKILL if returncode is None else returncode,
        stdout=bytes(watch.output[1]),
        stderr=bytes(watch.output[2]),
        timed_out=timed_out,
        output_cut=watch.cut,
    )


class _Watch(asyncio.SubprocessProtocol):
    """Collect capped output, and kill the whole process group on overflow and when its leader ends."""

    def __init__(self, output_bytes: int) -> None:
        self.output = {1: bytearray(), 2: bytearray()}
        self.cut = False
        self.closed = asyncio.Event()
        self._output_bytes = output_bytes
        self._pid: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self.output[fd]
        room = self._output_bytes - len(kept)
        kept += data[:room]
        if len(data) > room:
            self.cut = True
            self.kill()

    def process_exited(self) -> None:
        self.kill()
        self._pid = None  # the number may be given to another process from now on

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.closed.set()

    def kill(self) -> None:
        """Kill every process of the group; nothing happens when it is gone."""
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
