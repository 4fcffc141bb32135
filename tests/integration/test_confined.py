"""The launcher on kernels that can do less: each version of Landlock is asked for what it knows and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters import confined
from bot.adapters.confined import call_filter, landlock_abi

LAUNCHER = Path(confined.__file__)
LIMITED = """
import runpy, sys
launcher = runpy.run_path(sys.argv[1])
launcher["_libc"].prctl(38, 1, 0, 0, 0)
launcher["restrict_files"](int(sys.argv[2]), [("-r", "/usr"), ("-r", sys.argv[3]), ("-r", "/nonexistent")])
print(open(sys.argv[3]).read())
for path in ("/etc/passwd", "/proc/self/environ"):
    try: print(open(path).read())
    except PermissionError: pass
"""


def start(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-ISB", str(LAUNCHER), *words], capture_output=True, check=False)


@pytest.mark.parametrize("abi", range(1, 8))
def test_older_kernels_close_files(abi: int, tmp_path: Path):
    """From the first version on no other file can be read."""
    if landlock_abi() < abi:
        pytest.skip(f"FILES ARE NOT TESTED HERE: Landlock ABI {landlock_abi()}, {abi} is needed")
    (tmp_path / "given").write_text("given")
    words = [sys.executable, "-ISBc", LIMITED, str(LAUNCHER), str(abi), str(tmp_path / "given")]
    done = subprocess.run(words, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"given\n", b"")


def test_a_program_that_is_not_there():
    """It fails with a code of its own and says why."""
    done = start("--", "/nonexistent")
    assert done.returncode == confined.FAILED
    assert done.stderr.startswith(b"cannot confine the program: [Errno ")


def test_what_the_kernel_can_do_is_told():
    """The runner reads it in this form."""
    assert start("-p").stdout.split()[::2] == [b"landlock", b"seccomp"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("forks", [False, True])
@pytest.mark.parametrize("signals", [False, True])
def test_jumps_stay_inside_the_filter(machine: str, forks: bool, signals: bool):
    """Every path through the filter ends in a return, also on the machine that the tests do not run on."""
    code = call_filter(machine, forks=forks, pid=7, signals=signals)
    steps = [code[at : at + 8] for at in range(0, len(code), 8)]
    assert len(steps) < 4_096
    for place, step in enumerate(steps):
        operation, if_true, if_false = int.from_bytes(step[:2], "little"), step[2], step[3]
        if operation & 7 == 5:
            assert place + 1 + max(if_true, if_false) < len(steps)
    assert steps[-1][0] == 6
