"""Run a project's own code where it can do no harm: bubblewrap, with nothing of this machine but named directories."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

from bot.adapters.private_directory import PrivateDirectory
from bot.adapters.process import inside
from bot.adapters.process_watch import Watch
from bot.adapters.sandbox_calls import call_filter
from bot.adapters.sandbox_command import SETTINGS, SandboxCommand, Which
from bot.adapters.sandbox_usage import descendants, entries, memory_bytes
from bot.domain.errors import Permanent
from bot.ports import SandboxTree, Trial, Tried

_REPORT_BYTES = 2_000_000
_MOST_ENTRIES = 100_000  # files take memory even when they are empty
_LOOK_S = 0.05
_GRACE_S = 10.0
_HOWEVER_BUSY_S = 12.0
_MOST_FILES, _MOST_BYTES = 50_000, 500_000_000


class BubblewrapSandbox:
    """Implement ``bot.ports.Sandbox``.

    Args:
        roots: directories that programs in the sandbox may read and run, at their own paths; the ``bin`` of
            each comes first in the search path.
        base: where private directories appear; the system's temporary directory by default.
        which: finds programs.
    """

    def __init__(
        self, roots: Sequence[Path] = (), *, base: Path | None = None, which: Which = shutil.which
    ) -> None:
        self._roots = tuple(str(root) for root in roots)
        self._base = base
        self._which = which
        self._command = SandboxCommand(self._roots, which)

    @asynccontextmanager
    async def holding(self, files: Mapping[str, bytes]) -> AsyncIterator[SandboxTree]:
        """Keep *files* in a private directory while the block lasts."""
        if len(files) > _MOST_FILES or sum(map(len, files.values())) > _MOST_BYTES:
            raise Permanent("the repository is too large for the sandbox: 50,000 files and 500 MB fit")
        room = PrivateDirectory(self._base)
        try:
            tree = _Tree(self._command, room)
            await asyncio.to_thread(tree.fill, files)
            yield tree
        finally:
            await asyncio.shield(asyncio.to_thread(room.remove))

    async def problem(self) -> str:
        """Return why nothing can be executed here, empty if something can."""
        missing = [name for name in ("bwrap", "prlimit", "setpriv", "timeout") if self._which(name) is None]
        if missing:
            return f"{', '.join(missing)} not found; install bubblewrap, util-linux and coreutils"
        absent = await asyncio.to_thread(_absent, self._roots)
        if absent:
            return f"{absent} in CLOISTER_SANDBOX_ROOTS is not a directory; name directories with tools"
        try:
            async with self.holding({"probe": b"in the sandbox\n"}) as tree:
                tried = await tree.run(Trial(argv=("cat", "probe"), limit_s=_HOWEVER_BUSY_S))
        except Permanent as error:
            return str(error)
        if tried.stdout == b"in the sandbox\n":
            return ""
        said = tried.stderr.decode(errors="replace").strip()[:200] or f"it ended by {tried.ended or 'itself'}"
        remedy = "allow unprivileged user namespaces to this account"
        if "find source path" in said:
            remedy = "let everybody read that directory and those above, or name another one"
        return f"bubblewrap cannot start a program ({said}); {remedy}"


class _Tree:
    """Hold a project's files, changed for one run at a time."""

    def __init__(self, command: SandboxCommand, room: PrivateDirectory) -> None:
        self._command = command
        self._room = room
        self._files: dict[str, bytes] = {}
        self._running = asyncio.Lock()

    def fill(self, files: Mapping[str, bytes]) -> None:
        """Write *files*; they need no privileges to be read, the directory around them keeps others out."""
        self._room.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self._room.inputs.chmod(0o755)
        self._room.scratch.chmod(0o755)
        for name, text in SETTINGS.items():
            (self._room.scratch / name).write_text(text)
            (self._room.scratch / name).chmod(0o644)
        for name, content in files.items():
            self._write(inside(name), content)
        self._files = dict(files)

    async def run(self, trial: Trial) -> Tried:
        """Run *trial* on the tree with its changes."""
        async with self._running:
            await asyncio.to_thread(self._change, trial.changed)
            try:
                return await self._run(trial)
            finally:
                restored = {name: self._files.get(name) for name in trial.changed}
                await asyncio.shield(asyncio.to_thread(self._change, restored))

    def _change(self, changed: Mapping[str, bytes | None]) -> None:
        for name, content in changed.items():
            path = inside(name)
            (self._room.inputs / path).unlink(missing_ok=True)
            if content is not None:
                self._write(path, content)

    def _write(self, path: PurePosixPath, content: bytes) -> None:
        # There are no links among what we write, and nobody else writes here.
        place = self._room.inputs / path
        for parent in reversed(place.relative_to(self._room.inputs).parents[:-1]):
            (self._room.inputs / parent).mkdir(mode=0o755, exist_ok=True)
        place.write_bytes(content)
        place.chmod(0o644)

    async def _run(self, trial: Trial) -> Tried:
        report = self._room.scratch / "report"
        report.write_bytes(b"")
        report.chmod(0o666)
        began = time.monotonic()
        watch, ended, returncode = await self._started(trial)
        return Tried(
            returncode=returncode,
            stdout=bytes(watch.output[1]),
            stderr=bytes(watch.output[2]),
            report=await asyncio.to_thread(_start_of, report),
            ended="output" if watch.cut else ended,
            duration_s=time.monotonic() - began,
        )

    async def _started(self, trial: Trial) -> tuple[Watch, str, int]:
        starting = asyncio.ensure_future(self._spawned(trial))
        try:
            transport, watch = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Half started it would not be killed as a group.
            await _dead(*await starting)
            raise
        try:
            ended = await _bounded(watch, trial)
        finally:
            code = await asyncio.shield(_dead(transport, watch))
        return watch, ended, code

    async def _spawned(self, trial: Trial) -> tuple[asyncio.SubprocessTransport, Watch]:
        with _filter() as filter_fd:
            words = self._command.words(trial, self._room, filter_fd)
            return await asyncio.get_running_loop().subprocess_exec(
                lambda: Watch(trial.output_bytes),
                *words,
                cwd="/",
                env={},
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=() if filter_fd is None else (filter_fd,),
            )


async def _dead(transport: asyncio.SubprocessTransport, watch: Watch) -> int:
    """Kill the run, and return its exit code once its last process has let go of the output."""
    # The first process of a pid namespace takes all others along, wherever they have gone.
    for pid in descendants(watch.pid, most=0) if watch.pid is not None else ():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    watch.kill()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(watch.closed.wait(), _GRACE_S)
    code = transport.get_returncode()
    transport.close()
    return -signal.SIGKILL if code is None else code


async def _bounded(watch: Watch, trial: Trial) -> str:
    """Wait for the end, and return which limit brought it about, empty if none did."""
    deadline = time.monotonic() + trial.limit_s
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watch.closed.wait(), _LOOK_S)
            return ""
        if time.monotonic() > deadline:
            return "time"
        if watch.pid is not None:
            pids = descendants(watch.pid, trial.processes)
            # Bubblewrap's own two and the timeout are among them.
            if len(pids) > trial.processes + 3:
                return "processes"
            if memory_bytes(pids) > trial.memory_bytes or entries(pids) > _MOST_ENTRIES:
                return "memory"


def _absent(roots: Sequence[str]) -> str:
    return ", ".join(root for root in roots if not Path(root).is_dir())


@contextlib.contextmanager
def _filter() -> Iterator[int | None]:
    instructions = call_filter()
    if not instructions:
        yield None
        return
    handle = os.memfd_create("filter", 0)
    try:
        os.write(handle, instructions)
        os.lseek(handle, 0, os.SEEK_SET)
        yield handle
    finally:
        os.close(handle)


def _start_of(report: Path) -> bytes:
    with contextlib.suppress(OSError), report.open("rb") as file:
        return file.read(_REPORT_BYTES)
    return b""
