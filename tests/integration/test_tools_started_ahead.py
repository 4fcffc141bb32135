"""Tools that are started before their input is known: kept, used once, replaced, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner, prepare
from bot.ports import Command, Completed
from bot.scanners.semgrep_needs import python_needs

PYTHON = str(Path(sys.executable).resolve())
MARKER = f"ahead-{os.getpid()}"
WAITING = "import time; began = time.monotonic(); exec(open('program').read())"


def command(program: str | bytes, code: str = WAITING, **options: object) -> Command:
    data = program if isinstance(program, bytes) else program.encode()
    argv = (PYTHON, "-IS", "-c", code, MARKER)
    options.setdefault("reads", python_needs())
    return Command(argv, {"program": data, "a/b": b"hello"}, waits_for="program", **options)  # type: ignore[arg-type]


def waiting() -> list[int]:
    """Return the tools of these tests that run, without what isolates them."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] == PYTHON.encode() and MARKER.encode() in words:
            found.append(int(file.parent.name))
    return sorted(found)


def leftovers(base: Path) -> list[Path]:
    return list(base.iterdir())


async def until(count: int) -> list[int]:
    """Return the tools once there are *count* of them."""
    for _ in range(6000):
        if len(pids := waiting()) == count:
            return pids
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(waiting())} tools instead of {count}")


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[AheadRunner]:
    runner = AheadRunner(ProcessRunner(tmp_path), keep=2)
    yield runner
    await runner.close()
    assert waiting() == []
    assert leftovers(tmp_path) == []


async def age(runner: AheadRunner, **options: object) -> float:
    """Return for how long a tool had been there when it was handed its program."""
    done = await runner.run(command("print(time.monotonic() - began)", **options))
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


async def test_the_next_run_finds_a_tool_that_waits(runner: AheadRunner):
    """After the first run as many as wanted wait, and each serves one run."""
    await age(runner)
    first = await until(2)
    await asyncio.sleep(1)
    assert await age(runner) > 0.2
    second = await until(2)
    assert len({*first, *second}) == 3


async def test_several_at_once(runner: AheadRunner):
    """More runs than tools that wait are served too, each with its own input."""
    await age(runner)
    await until(2)
    done = await asyncio.gather(*(runner.run(command(f"print({number})")) for number in range(5)))
    assert [one.stdout for one in done] == [f"{number}\n".encode() for number in range(5)]


async def test_a_tool_that_died_is_replaced(runner: AheadRunner):
    """A run does not notice that what waited for it was killed, and another one waits soon."""
    await age(runner)
    for pid in await until(2):
        os.kill(pid, signal.SIGKILL)
    await until(0)
    await age(runner)
    await until(2)


@pytest.mark.parametrize("waits_for", ["program", ""], ids=["started ahead", "started when needed"])
async def test_a_tool_that_is_killed_has_not_just_failed(runner: AheadRunner, waits_for: str):
    """Whoever runs short of memory is killed from outside, and that is told apart from an exit code."""
    asleep = replace(command("time.sleep(60)"), waits_for=waits_for)
    running = asyncio.create_task(runner.run(asleep))
    (pid,) = await until(1)
    await asyncio.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    assert (await running).returncode == -signal.SIGKILL


async def test_a_tool_that_dies_before_it_is_fed(tmp_path: Path):
    """Then there is no result of it, and none of the input is lost: the run starts another one."""
    starting = ProcessRunner(tmp_path)
    doomed = await prepare(starting, replace(command("", code="raise SystemExit('I cannot')"), files={}))
    assert await doomed.run({"program": b""}, 10.0) is None
    await doomed.discard()
    runner = AheadRunner(starting, keep=0)
    done = await runner.run(command("", code="raise SystemExit('I cannot')"))
    assert (done.returncode, done.stderr) == (1, b"I cannot\n")


async def test_a_tool_that_has_just_been_started(tmp_path: Path):
    """Input may be handed over before the tool has got as far as to wait for it."""
    tool = await prepare(ProcessRunner(tmp_path), replace(command(""), files={}))
    done = await tool.run({"program": b"print(open('a/b').read())", "a/b": b"hello"}, 10.0)
    assert done == Completed(0, b"hello\n", b"")
    await tool.discard()


async def test_an_old_tool_is_replaced(tmp_path: Path):
    """What has waited too long goes, and another one comes."""
    runner = AheadRunner(ProcessRunner(tmp_path), keep=1, max_age_s=0.5)
    await age(runner)
    (old,) = await until(1)
    async with asyncio.timeout(150):
        while waiting() in ([old], []):
            await asyncio.sleep(0.01)
    await age(runner)
    await runner.close()
    assert waiting() == []


async def test_limits_count_from_use(runner: AheadRunner):
    """Waiting takes nothing off the time of the run, and a short one ends it in time."""
    await age(runner, limit_s=2.0)
    await until(2)
    await asyncio.sleep(2.1)
    done = await runner.run(command("print('done')", limit_s=2.0))
    assert done.stdout == b"done\n"
    done = await runner.run(command("print('x', flush=True); time.sleep(1000)", limit_s=1.5))
    assert (done.timed_out, done.stdout) == (True, b"x\n")


async def test_processor_time_is_limited_from_use(runner: AheadRunner):
    """A tool that nobody watches any more ends by its processor time, as short as the run allowed."""
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU))"
    await age(runner)
    await until(2)
    done = await runner.run(command(code, limit_s=3.0))
    soft, hard = eval(done.stdout)
    assert 4 <= soft == hard <= 6


async def test_a_large_input_does_not_hold_up_the_loop(runner: AheadRunner):
    """A tool that reads slowly gets all of its input, while other work goes on, which it waits for here."""
    slow = (
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])\n"
        "f = open('program', 'rb'); n = len(f.read(1000))\n"
        "signal.sigtimedwait([signal.SIGWINCH], 0); signal.sigwait([signal.SIGWINCH])\n"
        "print(n + len(f.read()))"
    )
    running = asyncio.create_task(runner.run(command(b"x" * 5_000_000, code=slow)))
    while not running.done():
        await asyncio.sleep(0.05)
        for pid in waiting():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGWINCH)  # which means nothing to whoever does not wait for it
    assert (await running).stdout == b"5000000\n"


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "open('program'); import time; time.sleep(60)",
    ],
    ids=["never opens", "never reads"],
)
async def test_a_tool_that_ignores_its_input_is_killed(runner: AheadRunner, code: str):
    """The limit holds however little the tool cares."""
    done = await runner.run(command(b"x" * 1_000_000, code=code, limit_s=0.5))
    assert done.timed_out


async def test_a_tool_that_reads_only_the_beginning(runner: AheadRunner):
    """What a tool has said before it ended without reading on is its result."""
    code = "print(open('program', 'rb', buffering=0).read(3))"
    done = await runner.run(command(b"abc" * 1_000_000, code=code))
    assert (done.returncode, done.stdout) == (0, b"b'abc'\n")


async def test_a_second_look_finds_a_file(runner: AheadRunner):
    """A tool that opens its input twice reads the same both times."""
    code = "print(open('program').read() == open('program').read() == 'abc')"
    assert (await runner.run(command("abc", code=code))).stdout == b"True\n"


async def test_nothing_waits_after_a_cancelled_run(runner: AheadRunner):
    """A run that is broken off takes its tool along."""
    running = asyncio.create_task(runner.run(command("time.sleep(60)")))
    await until(1)
    await runner.close()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(0)


KILLED = """
import asyncio, sys
from pathlib import Path
from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner, prepare
from bot.ports import Command
from bot.scanners.semgrep_needs import python_needs

async def main():
    runner = AheadRunner(ProcessRunner(Path(sys.argv[1])), keep=2)
    argv = (sys.argv[2], "-IS", "-c", sys.argv[3], sys.argv[4])
    command = Command(argv, {"program": b""}, waits_for="program", reads=python_needs())
    await runner.run(command)
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_none_outlives_a_killed_cloister(tmp_path: Path):
    """Tools that wait would wait for ever; they die with whoever started them, however it dies."""
    arguments = [sys.executable, "-c", KILLED, str(tmp_path), PYTHON, WAITING, MARKER]
    cloister = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert cloister.stdout is not None
    assert await cloister.stdout.readline() == b"ready\n"
    await until(2)
    cloister.kill()
    await cloister.wait()
    await until(0)
