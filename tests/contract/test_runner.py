"""What every runner of external tools must guarantee."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.domain.errors import Permanent
from bot.ports import Command, Completed, Runner
from bot.scanners.semgrep_needs import python_needs

PYTHON = str(Path(sys.executable).resolve())


# Waits for its program, as a tool that is started ahead does.
WAITING = "exec(open('program').read())"


@pytest.fixture(params=["started when needed", "started ahead"])
async def runner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Runner]:
    """Return a runner whose private directories appear below the test's directory."""
    if request.param == "started when needed":
        yield ProcessRunner(tmp_path)
        return
    ahead = AheadRunner(ProcessRunner(tmp_path), keep=0)
    yield ahead
    await ahead.close()


async def python(runner: Runner, code: str, **options: object) -> Completed:
    if isinstance(runner, AheadRunner):
        given: dict[str, bytes] = options.pop("files", {})  # type: ignore[assignment]
        options |= {"files": {**given, "program": code.encode()}, "waits_for": "program"}
        code = WAITING
    options.setdefault("reads", python_needs())
    return await runner.run(Command(argv=(PYTHON, "-IS", "-c", code), **options))  # type: ignore[arg-type]


def found(marker: str) -> bool:
    """Say whether a process has *marker* in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if marker.encode() in file.read_bytes():
                return True
    return False


async def gone(marker: str) -> bool:
    """Say whether no process with *marker* is left soon."""
    for _ in range(3000):
        if not found(marker):
            return True
        await asyncio.sleep(0.05)
    return False


async def appeared(marker: str) -> None:
    for _ in range(3000):
        if found(marker):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{marker} did not start")


def leftovers(base: Path) -> list[Path]:
    return list(base.iterdir())


async def test_files_are_the_only_input(runner: Runner, tmp_path: Path):
    """A tool starts in a private directory that holds exactly the files of the command."""
    code = (
        "import os; print(oct(os.stat('.').st_mode & 0o777), {*os.listdir('.')} - {'program'} == {'a', 'c'},"
        " open('a/b.txt').read(), os.listdir(os.environ['TMPDIR']))"
    )
    done = await python(runner, code, files={"a/b.txt": b"hello", "c": b""}, scratch_bytes=1)
    assert (done.returncode, done.stdout) == (0, b"0o700 True hello []\n")
    assert not leftovers(tmp_path)


async def test_environment_holds_no_secret(runner: Runner):
    """A tool sees no variable of ours, not even through /proc of its parents."""
    os.environ["CLOISTER_CANARY"] = "canary-7d1f"
    code = (
        "import os,glob\n"
        "print(sorted(os.environ))\n"
        "for name in glob.glob('/proc/[0-9]*/environ'):\n"
        "    try: data = open(name,'rb').read()\n"
        "    except OSError: continue\n"
        "    if b'canary-7d1f' in data: print('LEAK', name)\n"
    )
    try:
        done = await python(runner, code)
    finally:
        del os.environ["CLOISTER_CANARY"]
    assert done.stdout == b"['HOME', 'LC_ALL', 'TMPDIR']\n"


async def test_network_is_out_of_reach(runner: Runner):
    """A tool can reach neither this machine's servers nor any other."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1); print('connected')"
    async with server:
        done = await python(runner, code)
    assert done.stdout == b""
    assert done.returncode != 0


async def test_failure_is_a_result(runner: Runner):
    """A failing tool is reported by its exit code and both streams."""
    done = await python(runner, "import sys; print('out'); sys.exit('err')")
    assert (
        done.returncode, done.stdout, done.stderr, done.timed_out, done.output_cut,
    ) == (1, b"out\n", b"err\n", False, False)  # fmt: skip


async def test_timeout_kills_descendants(runner: Runner):
    """Nothing that a tool started survives its time limit."""
    marker = f"timeout-{os.getpid()}"
    code = (
        "import subprocess,sys,time\n"
        f"subprocess.Popen([sys.executable,'-c','import time; time.sleep(1000)','{marker}'])\n"
        "print('started',flush=True); time.sleep(1000)"
    )
    done = await python(runner, code, limit_s=4, forks=True)
    assert done.timed_out
    assert done.stdout == b"started\n"
    assert await gone(marker)


async def test_leftover_child_does_not_delay_the_result(runner: Runner):
    """A child that keeps the pipes open dies with its parent instead of holding up the caller."""
    code = "import subprocess,sys; subprocess.Popen([sys.executable,'-c','import time; time.sleep(1000)'])"
    done = await python(runner, code, limit_s=50, forks=True)
    assert not done.timed_out


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_output_is_capped(runner: Runner, stream: str):
    """A tool that writes too much is stopped, and what came before is kept."""
    code = f"import sys\nwhile True: sys.{stream}.write('x' * 1000)"
    done = await python(runner, code, output_bytes=5_000, limit_s=60)
    assert done.output_cut
    assert not done.timed_out
    assert getattr(done, stream) == b"x" * 5_000


async def test_memory_is_capped(runner: Runner):
    """A tool cannot allocate more than its command allows."""
    done = await python(runner, "bytearray(10**9); print('allocated')", memory_bytes=300_000_000)
    assert done.stdout == b""
    assert b"MemoryError" in done.stderr


async def test_cancellation_kills(runner: Runner, tmp_path: Path):
    """Cancelling the caller ends the tool and removes its directory."""
    marker = f"cancelled-{os.getpid()}"
    child = f"[sys.executable, '-c', 'import time; time.sleep(1000)', '{marker}']"
    running = asyncio.create_task(
        python(runner, f"import subprocess, sys; subprocess.run({child})", forks=True)
    )
    await appeared(marker)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await gone(marker)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "a/../../evil", "", ".", "a\0b"])
async def test_escaping_path_is_refused(runner: Runner, tmp_path: Path, name: str):
    """No file is written outside the private directory."""
    with pytest.raises(Permanent, match="refusing to write"):
        await python(runner, "pass", files={name: b"x"})
    assert not leftovers(tmp_path)


async def test_missing_program_is_permanent(runner: Runner):
    """A tool that is not installed is named."""
    with pytest.raises(Permanent, match="/nowhere/tool is not installed"):
        await runner.run(Command(argv=("/nowhere/tool",)))


async def test_a_machine_that_was_short_of_processes_is_looked_at_again(tmp_path: Path):
    """The scan of that moment fails, not all of them until the next restart."""
    shortages = [BlockingIOError("Resource temporarily unavailable")]

    def which(name: str) -> str | None:
        if shortages:
            raise shortages.pop()
        return shutil.which(name)

    runner = ProcessRunner(tmp_path, which=which)
    with pytest.raises(BlockingIOError):
        await runner.wrapper()
    assert await runner.wrapper() is await runner.wrapper()
