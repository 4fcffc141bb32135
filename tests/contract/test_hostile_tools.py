"""What a tool cannot do, even if its input has taken it over: each promise is tried by a program that breaks it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.adapters.confined import landlock_abi, seccomp_works
from bot.adapters.process import ProcessRunner
from bot.cli.checks.isolation import isolation
from bot.ports import Command, Completed
from bot.scanners.semgrep_needs import python_needs
from tests.contract.test_runner import PYTHON, gone, leftovers

LANDLOCK = landlock_abi()

pytestmark = pytest.mark.skipif(
    LANDLOCK < 6 or not seccomp_works(),
    reason=f"CONFINEMENT IS NOT TESTED HERE: Landlock ABI {LANDLOCK}, 6 is needed, and seccomp on a known machine",
)

#: Runs each attack and says what became of it.
ATTACK = """
import ctypes, os, signal, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    if libc.syscall(*(ctypes.c_long(word) if isinstance(word, int) else word for word in words)) < 0:
        raise OSError(ctypes.get_errno(), 'refused')
def attack():
    {body}
try:
    attack()
except OSError as error:
    print(type(error).__name__, error.errno)
else:
    print('it worked')
"""


@dataclass
class Place:
    """Hold a runner, and files of ours outside its directories."""

    runner: ProcessRunner
    base: Path
    outside: Path
    names: dict[str, str] = field(default_factory=dict)

    async def attack(self, body: str, **options: object) -> str:
        """Return what became of the attack *body*, in which the names of this place are filled in."""
        for name, value in self.names.items():
            body = body.replace(f"<{name}>", value)
        done = await self.python(ATTACK.format(body=body.replace("\n", "\n    ")), **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    async def python(self, code: str, **options: object) -> Completed:
        options = {"reads": python_needs(), "files": {"a/input": b"content"}} | options
        return await self.runner.run(Command((PYTHON, "-IS", "-c", code), **options))  # type: ignore[arg-type]


@pytest.fixture(params=["with namespaces", "without namespaces"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Return a place with a secret and servers; everything must hold where namespaces are refused, too."""
    without = request.param == "without namespaces"
    which = (lambda name: None if name == "unshare" else shutil.which(name)) if without else shutil.which
    base, outside = tmp_path / "base", tmp_path / "outside"
    base.mkdir()
    outside.mkdir(mode=0o777)
    (outside / "secret").write_text("secret")
    (outside / "secret").chmod(0o644)
    (outside / "program").write_text("#!/bin/sh\necho it worked\n")
    (outside / "program").chmod(0o755)
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        hidden, named = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        hidden.bind(f"\0cloister-{os.getpid()}")
        named.bind(os.path.relpath(outside / "socket"))
        for server in (hidden, named):
            server.listen()
        names = {
            "outside": str(outside),
            "pid": str(os.getpid()),
            "tcp": str(tcp.getsockname()[1]),
            "udp": str(udp.getsockname()[1]),
            "abstract": f"\\0cloister-{os.getpid()}",
        }
        yield Place(ProcessRunner(base, which=which), base, outside, names)


READS = {
    "a secret of ours": "open('<outside>/secret').read()",
    "accounts": "open('/etc/passwd').read()",
    "the root": "os.listdir('/')",
    "a neighbour": "os.listdir('../..')",
    "our environment": "open('/proc/<pid>/environ').read()",
    "its own limits": "open('/proc/self/limits').read()",
    "our memory": "open('/proc/<pid>/mem', 'rb').read(1)",
    "the devices": "os.listdir('/dev')",
    "another's shared memory": "os.listdir('/dev/shm')",
    "a link to a secret": "os.symlink('<outside>/secret', os.environ['TMPDIR'] + '/x')",
    "a second name of a secret": "os.link('<outside>/secret', os.environ['TMPDIR'] + '/x')",
    "a program of others": "os.execv('<outside>/program', ['program'])",
    "a program of the system": "os.execv('/bin/ls', ['ls', '/'])",
}


@pytest.mark.parametrize("what", READS)
async def test_no_other_file_can_be_read(place: Place, what: str):
    """Whatever our user may read, a tool reads its input, its program and libraries."""
    outcome = await place.attack(READS[what], scratch_bytes=1_000)
    assert outcome.startswith("PermissionError") or outcome == "OSError 18"  # as if it were on another disk


WRITES = {
    "a new file": "open('<outside>/new', 'w')",
    "a file of ours": "open('<outside>/secret', 'a')",
    "cutting a file of ours": "os.truncate('<outside>/secret', 0)",
    "removing a file of ours": "os.remove('<outside>/secret')",
    "moving a file of ours": "os.rename('<outside>/secret', 'x')",
    "a mode": "os.chmod('<outside>/secret', 0)",
    "an owner": "os.chown('<outside>/secret', -1, -1)",
    "a time": "os.utime('<outside>/secret')",
    "an attribute": "os.setxattr('<outside>/secret', 'user.x', b'x')",
    "its input": "open('a/input', 'w')",
    "removing its input": "os.remove('a/input')",
    "beside its input": "open('a/new', 'w')",
    "a file in memory": "os.memfd_create('x')",
    "a pipe with a name": "os.mkfifo(os.environ['TMPDIR'] + '/x')",
    "a device": "os.mknod(os.environ['TMPDIR'] + '/x', 0o60600, 0x800)",
    "shared memory": "call({'x86_64': 29, 'aarch64': 194}[os.uname().machine], 0, 4096, 0o1600)",
}


@pytest.mark.parametrize("what", WRITES)
async def test_nothing_else_can_be_changed(place: Place, what: str):
    """A tool changes nothing but what is in its scratch directory."""
    assert (await place.attack(WRITES[what], scratch_bytes=1_000)).startswith("PermissionError")
    assert (place.outside / "secret").read_text() == "secret"
    assert sorted(path.name for path in place.outside.iterdir()) == ["program", "secret", "socket"]


async def test_only_who_asks_may_write(place: Place):
    """There is a temporary directory for those who ask for room in it, which is theirs alone."""
    body = "open(os.environ['TMPDIR'] + '/x', 'w').write('x')"
    assert await place.attack(body, scratch_bytes=1_000) == "it worked"
    assert (await place.attack(body)).startswith("PermissionError")
    assert leftovers(place.base) == []


CONNECTIONS = {
    "tcp": "socket.create_connection(('127.0.0.1', <tcp>), 2)",
    "listening": "socket.create_server(('127.0.0.1', 0))",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', <udp>))",
    "ipv6": "socket.socket(socket.AF_INET6)",
    "abstract": "socket.socket(socket.AF_UNIX).connect('<abstract>')",
    "unix": "os.chdir('<outside>'); socket.socket(socket.AF_UNIX).connect('socket')",
    "kernel": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "crypto": "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
    "rings": "call(425, 8, ctypes.create_string_buffer(120))",
}


@pytest.mark.parametrize("how", CONNECTIONS)
async def test_nothing_can_be_reached(place: Place, how: str):
    """A tool reaches no server, on this machine or elsewhere, by any kind of socket."""
    assert (await place.attack(CONNECTIONS[how])).startswith("PermissionError")


ASSAULTS = {
    "killing": "os.kill(<pid>, signal.SIGTERM)",
    "killing everybody": "os.kill(-1, signal.SIGTERM)",
    "by descriptor": "signal.pidfd_send_signal(os.pidfd_open(<pid>), signal.SIGTERM)",
    "by asking for signals": "import fcntl; fcntl.fcntl(os.pipe()[0], 8, <pid>)",
    "limits": "import resource; resource.prlimit(<pid>, resource.RLIMIT_NOFILE)",
    "priority": "os.setpriority(os.PRIO_PROCESS, <pid>, 19)",
    "processors": "os.sched_setaffinity(<pid>, {0})",
    "tracing": "call({'x86_64': 101, 'aarch64': 117}[os.uname().machine], 16, <pid>, 0, 0)",
    "namespaces": "call({'x86_64': 272, 'aarch64': 97}[os.uname().machine], 0x10000000)",
    "new system calls": "call(451, 0, 0, 0, 0)",
    "keys": "call({'x86_64': 250, 'aarch64': 219}[os.uname().machine], 0, -3, 0)",
}


@pytest.mark.parametrize("forks", [False, True], ids=["alone", "with children"])
@pytest.mark.parametrize("how", ASSAULTS)
async def test_other_processes_are_out_of_reach(place: Place, how: str, forks: bool):
    """A tool cannot signal, slow down, limit, trace or look into a process that is not its own."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        outcome = await place.attack(ASSAULTS[how], forks=forks)
    finally:
        signal.signal(signal.SIGTERM, before)
    refused = ("PermissionError", "ProcessLookupError", "OSError 38")
    # It may signal "everybody" where it is alone in its namespace, or is allowed to signal its children.
    assert outcome.startswith(refused) or how == "killing everybody"
    assert received == []


async def test_a_tool_starts_no_process_unless_it_may(place: Place):
    """Processes are for those who ask for them; threads are for all."""
    for body in ("os.fork()", "os.posix_spawn('/bin/true', ['true'], {})", "call(435, bytes(88), 88)"):
        assert await place.attack(body) in ("PermissionError 1", "OSError 38", "BlockingIOError 11")
    assert await place.attack("t = threading.Thread(target=print); t.start(); t.join()") == "it worked"
    assert await place.attack("os.fork() or os._exit(0)", forks=True) == "it worked"


@pytest.mark.parametrize("leave", ["os.setsid()", "os.setpgid(0, 0)"])
async def test_a_process_cannot_leave_its_group(place: Place, leave: str):
    """So that it is killed with the others."""
    body = f"child = os.fork()\nif child: os.waitpid(child, 0); os._exit(0)\n{leave}"
    assert await place.attack(body, forks=True) == "PermissionError 1"


async def test_no_daemon_stays_behind(place: Place):
    """A child of a child, with all ties cut that can be cut, ends with the tool."""
    marker = f"daemon-{os.getpid()}"
    body = (
        f"daemon = [sys.executable, '-IS', '-c', 'import time; time.sleep(60)', '{marker}']\n"
        "if os.fork(): os.wait(); return\n"
        "if os.fork(): os._exit(0)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); os.close(0); os.close(1); os.close(2)\n"
        "os.execv(sys.executable, daemon)"
    )
    assert await place.attack(body, forks=True) == "it worked"
    assert await gone(marker)


async def test_many_processes_end_together(place: Place):
    """Processes that start processes are all gone when the time of the tool is over."""
    marker = f"many-{os.getpid()}"
    code = (
        "import os, sys, time\n"
        "for _ in range(5):\n"  # doubles each time
        "    try: os.fork()\n"
        "    except OSError: pass\n"
        f"time.sleep(1000) #{marker}"
    )
    done = await place.python(code, forks=True, limit_s=1.5)
    assert done.timed_out
    assert await gone(marker)
    assert leftovers(place.base) == []


@pytest.mark.skipif(
    os.getuid() == 0, reason="THE NUMBER OF PROCESSES IS NOT TESTED HERE: Linux never limits root's"
)
async def test_processes_are_counted(place: Place):
    """In a namespace of its own a tool can start so many processes and no more."""
    if (await place.runner.wrapper()).isolation == ():
        pytest.skip("without namespaces all processes of our user would count")
    body = "for _ in range(200):\n    if not os.fork(): time.sleep(60)"
    assert await place.attack(body, forks=True) == "BlockingIOError 11"


async def test_what_is_written_is_counted(place: Place):
    """Many files count together, a large one alone, and one with holes by its size."""
    many = "for n in range(200): open(f\"{os.environ['TMPDIR']}/{n}\", 'wb').write(bytes(1_000_000))\n"
    done = await place.python(f"import os, time\n{many}time.sleep(60)", scratch_bytes=5_000_000, limit_s=20)
    assert (done.output_cut, done.timed_out) == (True, False)
    for write in ("write(bytes(6_000_000))", "truncate(100_000_000_000)"):
        body = f"open(os.environ['TMPDIR'] + '/x', 'wb', buffering=0).{write}"
        size = "print(os.stat(os.environ['TMPDIR'] + '/x').st_size <= 5_000_000, flush=True)"
        code = f"import os\ntry: {body}\nexcept OSError as error: print(error.errno)\n{size}"
        done = await place.python(code, scratch_bytes=5_000_000)
        # Who fills its room to the last byte may be ended for that when it is looked at just then.
        assert done.output_cut or done.stdout in (b"True\n", b"27\nTrue\n")
        assert b"False" not in done.stdout


async def test_no_descriptor_of_ours_comes_along(place: Place):
    """Not even one that is made to be inherited; there is nothing to read, and no terminal."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        body = (
            "for n in range(3, 256):\n"
            "    try: os.fstat(n)\n"
            "    except OSError: continue\n"
            "    print('open', n)\n"
            "print(repr(sys.stdin.read()), os.isatty(1))\n"
            "os.open('/dev/tty', os.O_RDWR)"
        )
        assert await place.attack(body) in ("'' False\nPermissionError 13", "'' False\nOSError 6")
    finally:
        os.close(read)
        os.close(write)


async def test_whatever_it_leaves_is_removed(place: Place):
    """Depth, modes and names do not keep a directory of a tool from being removed."""
    code = (
        "import os; os.chdir(os.environ['TMPDIR'])\n"
        "for name in (b'a\\nb', b'\\xff', b'-rf', b'x' * 255): os.close(os.open(name, os.O_CREAT | os.O_WRONLY))\n"
        "os.mkdir('blind'); os.mkdir('blind/deep'); os.mkdir('closed', 0); print('made', flush=True)\n"
        "for _ in range(1500): os.mkdir('d'); os.chdir('d')"
    )
    done = await place.python(code, scratch_bytes=100_000_000)
    assert done.stdout == b"made\n"
    assert leftovers(place.base) == []


async def test_a_core_is_not_dumped(place: Place):
    """A crash is a result, and leaves no memory on the disk."""
    done = await place.python("import ctypes; ctypes.string_at(0)", scratch_bytes=1_000_000)
    assert done.returncode in (-signal.SIGSEGV, 128 + signal.SIGSEGV)
    assert leftovers(place.base) == []


class Unconfined:
    """Run commands as they are."""

    async def run(self, command: Command) -> Completed:
        process = await asyncio.create_subprocess_exec(*command.argv, stdout=asyncio.subprocess.PIPE)
        stdout, _ = await process.communicate()
        return Completed(process.returncode or 0, stdout, b"")


async def test_the_doctor_tells_what_holds(place: Place):
    """All of it here, namespaces or not; none of it where tools just run."""
    assert {check.outcome for check in await isolation(place.runner)} == {"ok"}
    assert {check.outcome for check in await isolation(Unconfined())} == {"warn"}


async def test_several_tools_cannot_see_each_other(place: Place):
    """Two runs at the same time have nothing in common."""
    find = "import os; print(sorted(os.listdir(os.environ['TMPDIR'])))"
    results = await asyncio.gather(*(place.python(find, scratch_bytes=1_000) for _ in range(2)))
    assert [one.stdout for one in results] == [b"[]\n", b"[]\n"]
