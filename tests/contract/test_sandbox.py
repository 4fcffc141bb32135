"""What every sandbox keeps a project's own code from: each promise is tried by a program that breaks it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.sandbox_bubblewrap import BubblewrapSandbox
from bot.domain.errors import Permanent
from bot.ports import SandboxTree, Trial, Tried

pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None and "CI" not in os.environ,
    reason="THE SANDBOX IS NOT TESTED HERE: install bubblewrap",
)

FILES = {"app.py": b"def double(x):\n    return 2 * x\n", "lib/deep/x.txt": b"content\n"}
SANDBOX = BubblewrapSandbox()


@pytest.fixture
async def tree() -> AsyncIterator[SandboxTree]:
    """Hold a small project in the sandbox."""
    async with SANDBOX.holding(FILES) as held:
        yield held


async def python(tree: SandboxTree, code: str, **options: object) -> Tried:
    options.setdefault("limit_s", 60.0)
    return await tree.run(Trial(("python3", "-B", "-c", code), **options))  # type: ignore[arg-type]


def running(marker: str) -> bool:
    """Say whether a process has *marker* in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if marker.encode() in file.read_bytes():
                return True
    return False


async def test_it_works_on_this_machine():
    """Nothing is in the way; else the message says what is."""
    assert await SANDBOX.problem() == ""


async def test_a_program_sees_the_files_and_reports(tree: SandboxTree):
    """The working directory is the project; output, exit code and report come back."""
    code = (
        "import app, pathlib, sys\n"
        "print(app.double(21), pathlib.Path('lib/deep/x.txt').read_text().strip())\n"
        "open('/report', 'w').write('done'); sys.exit(3)"
    )
    tried = await python(tree, code)
    assert (tried.stdout, tried.report, tried.returncode, tried.ended) == (b"42 content\n", b"done", 3, "")


async def test_a_program_starts_where_it_is_told(tree: SandboxTree):
    """In a directory of the project, and in no other one."""
    assert (await tree.run(Trial(("cat", "x.txt"), folder="lib/deep/"))).stdout == b"content\n"
    with pytest.raises(Permanent):
        await tree.run(Trial(("ls",), folder="lib/../../etc"))


async def test_a_change_holds_for_one_run(tree: SandboxTree):
    """A file may be replaced, added or taken away for a run, and is itself again in the next."""
    code = "import os, app; print(app.double(1), sorted(os.listdir('.')))"
    changed = {"app.py": b"def double(x):\n    return 9\n", "new/t.py": b"", "lib/deep/x.txt": None}
    first = await python(tree, code, changed=changed)
    second = await python(tree, code + "; print(open('lib/deep/x.txt').read())")
    assert first.stdout == b"9 ['app.py', 'lib', 'new']\n"
    assert second.stdout.splitlines()[0].startswith(b"2 ")
    assert b"content" in second.stdout


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/../../x"])
async def test_no_file_is_written_outside(name: str):
    """A path that leaves the root is refused, wherever it comes from."""
    with pytest.raises(Permanent):
        async with SANDBOX.holding({name: b"x"}):
            pass


async def test_a_missing_program_is_a_result(tree: SandboxTree):
    """The exit code says so."""
    assert (await tree.run(Trial(("no-such-program",)))).returncode in {1, 127}


HOST_FILES = [
    "/etc/shadow",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/root",
    "/home",
    "/var",
    "/run",
    str(Path(__file__).parent),
]


@pytest.mark.parametrize("path", HOST_FILES)
async def test_files_of_the_machine_are_not_there(tree: SandboxTree, path: str):
    """Accounts, home directories, sockets, our own code: no path leads to them."""
    tried = await python(tree, f"import os; print(os.path.exists({path!r}))")
    assert tried.stdout == b"False\n"


async def test_accounts_and_hosts_are_invented(tree: SandboxTree):
    """Programs find one account and a name for the loopback, and nothing of the machine's."""
    code = (
        "import pwd, socket\n"
        "print(len(pwd.getpwall()), pwd.getpwuid(1000).pw_name, socket.gethostbyname('localhost'))\n"
    )
    assert (await python(tree, code)).stdout.split() == [b"1", b"test", b"127.0.0.1"]


async def test_links_lead_nowhere(tree: SandboxTree, tmp_path: Path):
    """A link to a file of the machine, made in the sandbox, stays dangling; /proc offers no way out either."""
    (tmp_path / "secret").write_text("secret")
    code = (
        "import os\n"
        f"os.symlink({str(tmp_path / 'secret')!r}, '/tmp/link')\n"
        "for path in ('/tmp/link', '/proc/1/root/etc/shadow', '/proc/self/root/../../etc/shadow'):\n"
        "    try: print(open(path).read())\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    assert (await python(tree, code)).stdout.split() == [b"FileNotFoundError"] * 3


async def test_nothing_can_be_written_but_scratch_and_report(tree: SandboxTree):
    """The project, the system and the root directory are read-only, whatever modes they have."""
    code = (
        "import os\n"
        "for path in ('app.py', 'new', 'lib/deep/x.txt', '/new', '/usr/new', '/etc/new', '/dev/new', '/proc/new'):\n"
        "    try: os.chmod(path, 0o777)\n"
        "    except OSError: pass\n"
        "    try: open(path, 'w').write('x')\n"
        "    except OSError: print('refused')\n"
        "    else: print(path)\n"
        "open('/tmp/scratch', 'w').write('x')"
    )
    assert (await python(tree, code)).stdout.split() == [b"refused"] * 8
    assert (await python(tree, "import os; print(os.path.exists('/tmp/scratch'))")).stdout == b"False\n"


async def test_there_is_no_network(tree: SandboxTree):
    """Neither the machine's loopback nor its abstract sockets nor any other host is in reach."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0cloister-test")
        unix.listen()
        code = (
            "import socket\n"
            f"targets = [('127.0.0.1', {server.getsockname()[1]}), ('192.0.2.1', 80), ('10.0.0.1', 53)]\n"
            "for target in targets:\n"
            "    try: socket.create_connection(target, 2); print('connected')\n"
            "    except OSError as error: print('no')\n"
            "try: socket.socket(socket.AF_UNIX).connect('\\0cloister-test'); print('connected')\n"
            "except OSError: print('no')\n"
            "print(len(open('/proc/net/dev').readlines()) - 2)\n"
        )
        assert (await python(tree, code)).stdout.split() == [b"no"] * 4 + [b"1"]


@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_ALG", "AF_PACKET", "AF_BLUETOOTH", "AF_TIPC", "AF_CAN"])
async def test_no_socket_leads_past_the_network_namespace(tree: SandboxTree, family: str):
    """A virtual machine reaches its host by sockets that no namespace holds."""
    code = f"import socket\nsocket.socket(socket.{family}, socket.SOCK_STREAM)"
    assert b"Address family not supported" in (await python(tree, code)).stderr


async def test_usual_sockets_work_within(tree: SandboxTree):
    """Tests start servers of their own, and talk to them."""
    code = (
        "import socket\n"
        "for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):\n"
        "    with socket.create_server((host, 0), family=family) as server:\n"
        "        socket.create_connection(server.getsockname()[:2], 5).close()\n"
        "socket.socketpair(); socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(); print('fine')\n"
    )
    assert (await python(tree, code)).stdout == b"fine\n"


async def test_other_processes_are_out_of_sight(tree: SandboxTree):
    """It sees its own processes only, and cannot signal, trace or inspect ours."""
    code = (
        "import os\n"
        "pids = [int(name) for name in os.listdir('/proc') if name.isdigit()]\n"
        f"print(len(pids) < 6, {os.getpid()} in pids or {os.getpid()} < 20)\n"
        f"try: os.kill({max(os.getpid(), 1000)}, 0); print('signalled')\n"
        "except OSError: print('no')\n"
        "print(b'CLOISTER' in open('/proc/1/environ', 'rb').read())\n"
    )
    assert (await python(tree, code)).stdout.split() == [b"True", b"False", b"no", b"False"]


async def test_the_environment_is_empty(tree: SandboxTree, monkeypatch: pytest.MonkeyPatch):
    """No variable of ours is there, so no token is."""
    monkeypatch.setenv("CLOISTER_GITLAB_TOKEN", "glpat-secret")
    tried = await python(tree, "import os; print(sorted(os.environ))")
    assert b"CLOISTER" not in tried.stdout
    assert set(eval(tried.stdout)) <= {
        *("PATH", "HOME", "TMPDIR", "LC_ALL", "CLASSPATH", "NODE_PATH", "PWD"),
    }


async def test_there_are_no_privileges_to_gain(tree: SandboxTree):
    """No capability, no new privileges, no namespace of its own, no tracing."""
    code = (
        "import ctypes\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(status['CapEff'].strip(), status['CapBnd'].strip(), status['NoNewPrivs'].strip(), status['Seccomp'].strip())\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "for flags in (0x10000000, 0x00020000, 0x40000000): print(libc.unshare(flags))\n"
        "print(libc.ptrace(0, 0, 0, 0), libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))\n"
    )
    words = (await python(tree, code)).stdout.split()
    assert words == [b"0" * 16, b"0" * 16, b"1", b"2", *[b"-1"] * 5]


async def test_a_fork_bomb_ends(tree: SandboxTree):
    """Processes are limited, and none is left."""
    code = (
        "import os, time\n"
        "marker = 'bomb-cloister-test'\n"
        "while True:\n"
        "    try: os.fork()\n"
        "    except OSError: time.sleep(0.2)\n"
    )
    tried = await python(tree, code, limit_s=3.0, processes=40)
    assert tried.ended in {"time", "processes"}
    assert not running("bomb-cloister-test")


async def test_memory_is_limited(tree: SandboxTree):
    """One process gets no more than the limit, and many processes not more than that together."""
    one = await python(tree, "x = bytearray(400_000_000)", memory_bytes=200_000_000)
    assert b"MemoryError" in one.stderr
    code = "import os, time\nfor _ in range(8): os.fork()\nx = bytearray(b'x' * 20_000_000); time.sleep(20)\n"
    many = await python(tree, code, memory_bytes=300_000_000, processes=300)
    assert many.ended == "memory"


async def test_disk_is_limited(tree: SandboxTree):
    """Scratch space ends, and so does the report; the machine's disk is not reached."""
    code = (
        "import os\n"
        "for path in ('/tmp/full', '/dev/shm/full', '/report'):\n"
        "    try:\n"
        "        with open(path, 'wb') as file:\n"
        "            for _ in range(40): file.write(b'x' * 10_000_000)\n"
        "        print('wrote it all')\n"
        "    except OSError as error: print(error.errno)\n"
    )
    tried = await python(
        tree,
        f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{code}",
        scratch_bytes=50_000_000,
    )
    assert set(tried.stdout.split()) <= {b"27", b"28"}
    assert len(tried.report) <= 2_000_000


async def test_many_files_are_noticed(tree: SandboxTree):
    """Empty files take memory too."""
    code = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close(); n += 1\n"
    assert (await python(tree, code, limit_s=60.0)).ended == "memory"


async def test_endless_output_is_cut(tree: SandboxTree):
    """What is kept has a limit, and the program ends there."""
    tried = await python(tree, "while True: print('x' * 10_000)", output_bytes=100_000)
    assert (tried.ended, len(tried.stdout)) == ("output", 100_000)


async def test_a_sleeper_is_killed_with_its_children(tree: SandboxTree):
    """Time is limited by the wall, also for children that left session and group."""
    code = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0: os.execvp('sleep', ['sleep', '987654'])\n"
        "time.sleep(1000)\n"
    )
    assert (await python(tree, code, limit_s=1.0)).ended == "time"
    assert not running("987654")


async def test_a_parent_that_is_killed_takes_all_along(tree: SandboxTree):
    """Killing what looks like a parent, or everybody, ends the run and nothing else."""
    code = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)\n"
    tried = await python(tree, code, limit_s=5.0)
    assert tried.returncode != 0 or tried.ended == ""


async def test_a_cancelled_run_leaves_nothing(tree: SandboxTree):
    """Who stops waiting leaves no process behind."""
    task = asyncio.create_task(python(tree, "import os; os.execvp('sleep', ['sleep', '876543'])"))
    while not running("876543"):
        await asyncio.sleep(0.02)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    while running("876543"):
        await asyncio.sleep(0.05)


SLEEPER = """
import asyncio
from bot.adapters.sandbox_bubblewrap import BubblewrapSandbox
from bot.ports import Trial
async def main():
    async with BubblewrapSandbox().holding({{}}) as tree:
        await tree.run(Trial(("sleep", "{seconds}"), limit_s={limit_s}))
asyncio.run(main())
"""


def alone(seconds: str) -> bool:
    """Say whether the sleeper itself runs, not only what is to start it."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if file.read_bytes() == f"sleep\0{seconds}\0".encode():
                return True
    return False


def test_it_dies_with_us():
    """A Cloister that is killed leaves no program running."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER.format(seconds=765432, limit_s=1000)], cwd=Path(__file__).parents[2]
    )
    while not alone("765432"):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while alone("765432"):
        time.sleep(0.05)


def test_what_nobody_watches_ends_by_itself():
    """A Cloister that is stopped ends no program, so each has a limit of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER.format(seconds=765433, limit_s=2)], cwd=Path(__file__).parents[2]
    )
    while not alone("765433"):
        time.sleep(0.05)
    process.send_signal(signal.SIGSTOP)
    try:
        while alone("765433"):
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()


async def test_named_directories_are_visible():
    """Tools that the operator names can be read and run at their own paths, and not be changed."""
    # Below /tmp, since the directories of the tests are open to their owner only.
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "tools"
        (root / "bin").mkdir(parents=True)
        tool = root / "bin" / "tool-of-ours"
        tool.write_text("#!/bin/sh\necho it runs\n")
        for path in (Path(place), root, root / "bin", tool):
            path.chmod(0o755)
        async with BubblewrapSandbox([root]).holding(FILES) as tree:
            tried = await tree.run(Trial(("sh", "-c", f"tool-of-ours; touch {root}/x")))
    assert (tried.stdout, b"Read-only" in tried.stderr) == (b"it runs\n", True)


async def test_a_root_that_is_missing_is_named():
    """The operator learns which directory to correct."""
    assert "/no/such/place" in await BubblewrapSandbox([Path("/no/such/place")]).problem()
