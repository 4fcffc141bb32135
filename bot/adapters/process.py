"""Run external tools on hostile input: private directory, empty environment, no network, hard limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import structlog

from bot.adapters.confinement import Confinement, confinement
from bot.adapters.private_directory import PrivateDirectory, remove_abandoned
from bot.adapters.process_limits import limits
from bot.adapters.process_watch import Watch
from bot.domain.errors import Permanent
from bot.ports import Command, Completed

Which = Callable[[str], str | None]

log = structlog.get_logger(__name__)

# A user namespace of its own also keeps the tool from reading /proc/<our pid>/environ, and a pid
# namespace takes down children that left the process group.
_ISOLATE = ("--user", "--map-current-user", "--net", "--ipc", "--pid", "--fork", "--kill-child")
#: What ``unshare`` says when its child was killed; of any other signal it dies itself, as the child did.
_CHILD_KILLED = b"unshare: sigprocmask unblock failed: Invalid argument\n"
_LOOK_S = 0.2  # between looks at how much a tool has written
_GRACE_S = 1.0  # for the pipes to close once everything that held them is dead


class ProcessRunner:
    """Implement ``bot.ports.Runner`` with util-linux (``unshare``, ``prlimit``, ``setpriv``), Landlock and seccomp.

    Where one of them is not available a warning is logged once and tools run without it.

    Args:
        base: directory for the private directories; the system's temporary directory by default.
        which: finds programs.
    """

    def __init__(self, base: Path | None = None, *, which: Which = shutil.which) -> None:
        self._base = base
        self._which = which
        self._wrapper: asyncio.Task[Wrapper] | None = None

    async def run(self, command: Command) -> Completed:
        """Run *command* as the port describes; the private directory is gone when this returns."""
        tool = await self.start(command)
        try:
            return await tool.finish(command.limit_s)
        finally:
            await asyncio.shield(tool.discard())

    async def start(self, command: Command, *, fifo: str = "", limit_s: float | None = None) -> Tool:
        """Start *command* in a directory of its own; *fifo* is made as one there, *limit_s* bounds processor time.

        Raises:
            Permanent: the program is not installed, or a file would leave the directory.
        """
        _require_program(command.argv[0])
        files = {inside(name): content for name, content in command.files.items()}
        wrapper = await self.wrapper()
        room = PrivateDirectory(self._base)
        words = wrapper.words(command, limit_s or command.limit_s, room)
        writing = asyncio.ensure_future(asyncio.to_thread(write_files, room.inputs, files, fifo))
        try:
            await asyncio.shield(writing)
            return await _spawn((*words, *command.argv), command, room)
        except BaseException:
            await asyncio.shield(_discard(room, writing))
            raise

    async def wrapper(self) -> Wrapper:
        """Return what tools are started with on this machine, found out once, or again where that failed."""
        if self._wrapper is None or (self._wrapper.done() and self._wrapper.exception()):
            self._wrapper = asyncio.ensure_future(self._prepare())
        return await asyncio.shield(self._wrapper)

    async def _prepare(self) -> Wrapper:
        wrapper, abandoned = await asyncio.gather(
            _probe(self._which), asyncio.to_thread(remove_abandoned, self._base)
        )
        if abandoned:
            log.info("runner.tidied", directories=abandoned)
        return wrapper


@dataclass(frozen=True, slots=True)
class Wrapper:
    """Hold what starts a program: tied to our life, isolated and confined; empty where that cannot be done."""

    tie: tuple[str, ...]
    isolation: tuple[str, ...]
    confinement: Confinement

    def words(self, command: Command, limit_s: float, room: PrivateDirectory) -> tuple[str, ...]:
        """Return the words to put before those of *command*."""
        bounds = limits(command, limit_s, alone=bool(self.isolation))
        confined = self.confinement.words(command, room.inputs, room.scratch)
        return (*self.tie, *self.isolation, *bounds, *confined)


class Tool:
    """A started tool with its private directory, ``home`` being where it reads; whoever has it must ``discard`` it."""

    def __init__(
        self,
        room: PrivateDirectory,
        scratch_bytes: int,
        transport: asyncio.SubprocessTransport,
        watch: Watch,
    ) -> None:
        self.home = room.inputs
        self._room = room
        self._scratch_bytes = scratch_bytes
        self._transport = transport
        self._watch = watch

    @property
    def alive(self) -> bool:
        """Say whether it has not ended."""
        return self._transport.get_returncode() is None

    @property
    def pid(self) -> int:
        """Return the process that it runs in, or whose child it is when it is isolated."""
        return self._transport.get_pid()

    async def ended(self) -> None:
        """Wait until it has ended."""
        await self._watch.closed.wait()

    async def finish(self, limit_s: float) -> Completed:
        """Return what it leaves behind; it is killed if it has not ended in *limit_s*."""
        timed_out = False
        looking = asyncio.ensure_future(self._keep_small())
        try:
            async with asyncio.timeout(limit_s):
                await self._watch.closed.wait()
        except TimeoutError:
            timed_out = True
        finally:
            looking.cancel()
            await self._kill()
        returncode = self._transport.get_returncode()
        killed = returncode is None or bytes(self._watch.output[2]).endswith(_CHILD_KILLED)
        return Completed(
            returncode=-signal.SIGKILL if killed or returncode is None else returncode,
            stdout=bytes(self._watch.output[1]),
            stderr=bytes(self._watch.output[2]),
            timed_out=timed_out,
            output_cut=self._watch.cut,
        )

    async def discard(self) -> None:
        """Kill it if it runs, and remove its directory."""
        await self._kill()
        await asyncio.to_thread(self._room.remove)

    async def _keep_small(self) -> None:
        """Kill it when it writes more than it may; a single file ends earlier, at the same size."""
        while self._scratch_bytes:
            if await asyncio.to_thread(self._room.overfull, self._scratch_bytes):
                self._watch.cut = True
                self._watch.kill()
            await asyncio.sleep(_LOOK_S)

    async def _kill(self) -> None:
        self._watch.kill()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._watch.closed.wait(), _GRACE_S)
        self._transport.close()


def _require_program(program: str) -> None:
    if not Path(program).is_absolute():
        raise Permanent(f"{program!r} must be an absolute path")
    if not os.access(program, os.X_OK):
        raise Permanent(f"{program} is not installed or not executable; reinstall Cloister's dependencies")


def inside(name: str) -> PurePosixPath:
    """Return *name* as a relative path that stays below its directory."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise Permanent(f"refusing to write {name!r}: it is not a path below the private directory")
    return path


def write_files(home: Path, files: Mapping[PurePosixPath, bytes], fifo: str = "") -> None:
    """Write *files* below *home*, never over another one, and make the *fifo* if one is named."""
    if fifo:
        os.mkfifo(home / fifo, 0o600)
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123 - pathlib has no O_NOFOLLOW
            file.write(content)


async def _discard(room: PrivateDirectory, writing: asyncio.Future[None]) -> None:
    await asyncio.wait([writing])
    await asyncio.to_thread(room.remove)


async def _probe(which: Which) -> Wrapper:
    """Return the words that tie a program to our life and cut it off, as far as this machine can do that."""
    setpriv, unshare, true = which("setpriv"), which("unshare"), which("true")
    tie = (setpriv, "--pdeathsig", "KILL") if setpriv else ()
    if not (tie and true and await _runs(*tie, true)):
        log.warning(
            "runner.not_tied",
            problem="a scanner may outlive a killed Cloister by its time limit, and none is started ahead",
            remedy="install util-linux 2.33 or newer",
        )
        tie = ()
    isolation = (unshare, *_ISOLATE, "--") if unshare else ()
    if not (isolation and true and await _runs(*isolation, true)):
        isolation = ()
    confined = await confinement()
    if not (isolation or confined.seccomp):
        log.warning(
            "runner.not_isolated",
            problem="scanners can reach the network and other processes",
            remedy="allow unprivileged user namespaces, or run the scanners in a container without network",
        )
    return Wrapper(tie, isolation, confined)


async def _runs(*argv: str) -> bool:
    probe = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await probe.wait() == 0


async def _spawn(argv: tuple[str, ...], command: Command, room: PrivateDirectory) -> Tool:
    loop = asyncio.get_running_loop()
    environment = {"HOME": str(room.scratch), "TMPDIR": str(room.scratch), "LC_ALL": "C.UTF-8"}
    transport, watch = await loop.subprocess_exec(
        lambda: Watch(command.output_bytes),
        *argv,
        cwd=room.inputs,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    return Tool(room, command.scratch_bytes, transport, watch)
