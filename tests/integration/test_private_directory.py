"""The directory of a tool, when what keeps tools from planting things in it is missing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.private_directory import PrivateDirectory, remove_abandoned
from bot.adapters.process import ProcessRunner


@pytest.fixture
def room(tmp_path: Path) -> PrivateDirectory:
    (tmp_path / "base").mkdir()
    return PrivateDirectory(tmp_path / "base")


def test_links_are_removed_and_not_followed(room: PrivateDirectory, tmp_path: Path):
    """What a link points to stays, be it a file or a directory."""
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o755)
    (kept / "file").write_text("kept")
    for place in (room.scratch, room.inputs):
        (place / "directory").symlink_to(kept)
        (place / "file").symlink_to(kept / "file")
        (place / "loop").symlink_to("loop")
    room.remove()
    assert not room.path.exists()
    assert (kept / "file").read_text() == "kept"
    assert kept.stat().st_mode & 0o777 == 0o755


def test_odd_things_are_removed(room: PrivateDirectory, monkeypatch: pytest.MonkeyPatch):
    """Pipes and sockets go without being opened, directories without rights after those were given back."""
    os.mkfifo(room.scratch / "pipe")
    monkeypatch.chdir(room.scratch)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    (room.scratch / "closed" / "deep").mkdir(parents=True)
    (room.scratch / "closed" / "deep").chmod(0)
    (room.scratch / "closed").chmod(0)
    room.remove()
    assert not room.path.exists()


def test_depth_does_not_matter(room: PrivateDirectory):
    """A path far longer than any that can be named is removed."""
    code = "import os, sys; os.chdir(sys.argv[1])\nfor _ in range(5000): os.mkdir('d' * 9); os.chdir('d' * 9)"
    subprocess.run([sys.executable, "-c", code, str(room.scratch)], check=True)
    assert room.overfull(10**9)
    room.remove()
    assert not room.path.exists()


def test_removing_twice_is_fine(room: PrivateDirectory):
    """Nothing is left to do the second time."""
    room.remove()
    room.remove()


def test_size_is_what_is_on_the_disk(room: PrivateDirectory):
    """Holes and what links point to do not count, many small files do."""
    with (room.scratch / "hole").open("wb") as file:
        file.truncate(10**9)
    (room.scratch / "link").symlink_to(sys.executable)
    assert not room.overfull(100_000)
    (room.scratch / "sub").mkdir()
    (room.scratch / "sub" / "file").write_bytes(bytes(200_000))
    assert room.overfull(100_000)
    for number in range(2_000):
        (room.scratch / str(number)).touch()
    assert room.overfull(10**9)


_KILLED = """
import os, pathlib, sys
from bot.adapters.private_directory import PrivateDirectory
room = PrivateDirectory(pathlib.Path(sys.argv[1]))
(room.scratch / "code").write_text("theirs")
print(room.path, flush=True)
os.kill(os.getpid(), 9)
"""


def killed(base: Path) -> Path:
    """Return the directory that a process leaves which is killed."""
    done = subprocess.run([sys.executable, "-c", _KILLED, base], stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())


def test_what_a_killed_process_left_is_removed(room: PrivateDirectory):
    """A directory in use, a young one and a link to somewhere else stay."""
    base = room.path.parent
    left, young = killed(base), killed(base)
    (base / "cloister-tool-link").symlink_to(base)
    for path in (left, room.path):
        os.utime(path, (0, 0))
    assert remove_abandoned(base) == 1
    assert {path.name for path in base.iterdir()} == {room.path.name, young.name, "cloister-tool-link"}


async def test_tools_begin_by_tidying(tmp_path: Path):
    """Before the first tool runs, what earlier processes left is removed, if there is a directory at all."""
    left = killed(tmp_path)
    os.utime(left, (0, 0))
    await ProcessRunner(tmp_path).wrapper()
    assert not left.exists()
    await ProcessRunner(left).wrapper()
