"""Run a project's own code where it can do no harm: bubblewrap, with nothing of this machine but named directories."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

from bot.adapters.private_directory import PrivateDirectory
from bot.adapters.process import inside
from bot.adapters.process_watch import Watch
from bot.adapters.sandbox_calls import call_filter
from bot.adapters.sandbox_usage import descendants, entries, memory_bytes
from bot.domain.errors import Permanent
from bot.ports import CHECKOUT, SandboxTree, Trial, Tried

Which = Callable[[str], str | None]

REPORT = "/report"
#: What programs need that are installed on the machine; no settings, accounts or keys among them.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime",
    "/etc/java-11-openjdk", "/etc/java-17-openjdk", "/etc/java-21-openjdk", "/etc/java-25-openjdk",
)  # fmt: skip
_PROGRAMS = ("/usr/local/go/bin", "/usr/local/bin", "/usr/bin", "/bin")
_NOBODY = 65_534
_IN_THE_SANDBOX = "1000"
#: The least that programs look for: one account, and a name for the loopback.
_SETTINGS = {
    "passwd": "test:x:1000:1000:test:/tmp/home:/bin/sh\n",
    "group": "test:x:1000:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
}
_SHARED_MEMORY_BYTES = 64_000_000
_REPORT_BYTES = 2_000_000
_OPEN_FILES = 1_024
_MOST_ENTRIES = 100_000  # files take memory even when they are empty
_LOOK_S = 0.05
_GRACE_S = 10.0
_UNWATCHED_S = 5.0
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

    @asynccontextmanager
    async def holding(self, files: Mapping[str, bytes]) -> AsyncIterator[SandboxTree]:
        """Keep *files* in a private directory while the block lasts."""
        if len(files) > _MOST_FILES or sum(map(len, files.values())) > _MOST_BYTES:
            raise Permanent("the repository is too large for the sandbox: 50,000 files and 500 MB fit")
        room = PrivateDirectory(self._base)
        try:
            tree = _Tree(self, room)
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

    def words(self, trial: Trial, room: PrivateDirectory, filter_fd: int | None) -> tuple[str, ...]:
        """Return the command line that runs *trial* with what is in *room*."""
        prlimit, timeout = self._which("prlimit") or "prlimit", self._which("timeout") or "timeout"
        # Ends what nobody watches: Cloister may be stopped, or killed before bubblewrap would notice.
        at_last = (timeout, "--signal=KILL", f"{trial.limit_s + _UNWATCHED_S:g}")
        return (
            *self._before(),
            self._which("bwrap") or "bwrap",
            *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
            *("--uid", _IN_THE_SANDBOX, "--gid", _IN_THE_SANDBOX, "--hostname", "sandbox"),
            *(("--seccomp", str(filter_fd)) if filter_fd is not None else ()),
            *(word for path in SYSTEM for word in _visible(path)),
            *("--proc", "/proc", "--dev", "/dev"),
            *("--size", str(_SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm"),  # noqa: S108 - the sandbox's own
            *("--size", str(trial.scratch_bytes), "--tmpfs", "/tmp"),  # noqa: S108
            *(word for root in self._roots for word in ("--ro-bind-try", root, root)),
            *("--dir", "/tmp/home", "--ro-bind", str(room.inputs), CHECKOUT),  # noqa: S108
            *(word for name in _SETTINGS for word in ("--ro-bind", str(room.scratch / name), f"/etc/{name}")),
            *("--bind", str(room.scratch / "report"), REPORT, "--chdir", _start(trial.folder)),
            # Last: mount points are made on the way.
            *("--remount-ro", "/dev", "--remount-ro", "/", "--clearenv"),
            *(word for name, value in self._environment(trial).items() for word in ("--setenv", name, value)),
            *("--", *at_last, prlimit, *_limits(trial), "--", *trial.argv),
        )

    def _before(self) -> tuple[str, ...]:
        """Return what lowers our own standing: limits on processes do not hold for the administrator."""
        setpriv, choom, nice = (self._which(name) or "" for name in ("setpriv", "choom", "nice"))
        lower = ("--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups")
        return (
            *((nice, "-n", "10") if nice else ()),
            *((choom, "-n", "1000", "--") if choom else ()),
            *((setpriv, *lower, "--no-new-privs") if os.geteuid() == 0 else (setpriv, "--no-new-privs")),
        )

    def _environment(self, trial: Trial) -> dict[str, str]:
        programs = [f"{root}/bin" for root in self._roots]
        jars = [f"{root}{folder}/*" for root in self._roots for folder in ("", "/lib")]
        modules = [f"{root}{folder}/node_modules" for root in self._roots for folder in ("", "/lib")]
        return {
            "PATH": ":".join([*programs, *_PROGRAMS]),
            "HOME": "/tmp/home",  # noqa: S108 - the sandbox's own
            "TMPDIR": "/tmp",  # noqa: S108
            "LC_ALL": "C.UTF-8",
            "CLASSPATH": ":".join(jars),
            "NODE_PATH": ":".join(modules),
            **trial.environment,
        }


class _Tree:
    """Hold a project's files, changed for one run at a time."""

    def __init__(self, sandbox: BubblewrapSandbox, room: PrivateDirectory) -> None:
        self._sandbox = sandbox
        self._room = room
        self._files: dict[str, bytes] = {}
        self._running = asyncio.Lock()

    def fill(self, files: Mapping[str, bytes]) -> None:
        """Write *files*; they need no privileges to be read, the directory around them keeps others out."""
        self._room.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self._room.inputs.chmod(0o755)
        self._room.scratch.chmod(0o755)
        for name, text in _SETTINGS.items():
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
            words = self._sandbox.words(trial, self._room, filter_fd)
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


def _start(folder: str) -> str:
    return f"{CHECKOUT}/{inside(folder)}" if folder else CHECKOUT


def _absent(roots: Sequence[str]) -> str:
    return ", ".join(root for root in roots if not Path(root).is_dir())


def _limits(trial: Trial) -> tuple[str, ...]:
    return (
        # Of address space, interpreters reserve more than they use.
        f"--data={trial.memory_bytes}",
        f"--nproc={trial.processes}",
        f"--fsize={trial.scratch_bytes}",
        f"--nofile={_OPEN_FILES}",
        f"--cpu={int(trial.limit_s) + 1}",
        "--core=0",
        "--memlock=65536",
        "--msgqueue=0",
    )


def _visible(path: str) -> tuple[str, ...]:
    place = Path(path)
    if place.is_symlink() and place.is_dir():
        return ("--symlink", str(place.readlink()), path)
    return ("--ro-bind-try", path, path)


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
