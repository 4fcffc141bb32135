"""The demo server's diffs and line codes, checked against the files themselves."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.gitlab.diffs import Diff, DiffLimits, Diffs, FileDiff
from bot.demo.gitlab.positions import old_line_of
from bot.demo.gitlab.repository import Change, Repository, Signature
from bot.demo.gitlab.served_diffs import serve

AUTHOR = Signature("Dev", "dev@example.test")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory):
    """Return a bare repository."""
    made = Repository(tmp_path_factory.mktemp("git") / "r.git", "main")
    yield made
    made.close()


def diff_of(repository: Repository, old: dict[str, Change], new: dict[str, Change]) -> tuple[FileDiff, ...]:
    """Return the diff between two trees."""
    base = repository.commit([], old, "base", AUTHOR)
    head = repository.commit([base], new, "head", AUTHOR)
    return Diffs().between(repository, base, head).files


lines = st.lists(st.sampled_from(["a", "b", "c", "", "same"]), max_size=40)


@settings(max_examples=15, deadline=None)
@given(lines, lines)
def test_each_line_of_the_new_file_has_exactly_one_position(old: list[str], new: list[str]) -> None:
    """A line is either added or unchanged, and its numbers point at equal text."""
    with tempfile.TemporaryDirectory() as directory:
        repository = Repository(Path(directory) / "r.git", "main")
        try:
            content = {"f": "".join(f"{line}\n" for line in new), "other": "x"}
            files = diff_of(repository, {"f": "".join(f"{line}\n" for line in old)}, content)
        finally:
            repository.close()
    for file in (file for file in files if file.new_path == "f"):
        for number in range(1, len(new) + 1):
            origin = old_line_of(file, number)
            if origin is None:
                assert file.code_of(None, number, len(old)) is not None
            else:
                assert old[origin - 1] == new[number - 1]
                assert number == file.new_line(origin)
                assert (not file.hunks) == (file.code_of(origin, number, len(old)) is None)
                assert file.code_of(None, number, len(old)) is None


def test_an_added_line_carries_the_running_old_counter(repository: Repository) -> None:
    """The code of an added line names the old line that would come next; 0 in a new file."""
    changed, added = diff_of(repository, {"f": "1\n2\n3\n"}, {"f": "1\nnew\n2\n3\n", "g": "x\n"})
    sha = hashlib.sha1(b"f", usedforsecurity=False).hexdigest()
    assert f"{sha}_2_2" == changed.code_of(None, 2, 3)
    assert added.code_of(None, 1, 0).endswith("_0_1")


def test_unusual_paths_and_kinds_come_through(repository: Repository) -> None:
    """Quotes, tabs, other alphabets, binaries, modes and submodules are told exactly."""
    old: dict[str, Change] = {'gone\t"é".txt': "x\n", "run": "#!\n", "kind": "text\n"}
    new: dict[str, Change] = {
        'gone\t"é".txt': None,
        "run": ("100755", "#!\n"),
        "kind": ("120000", "target"),
        "bin": b"\0\1",
        "sub": ("160000", "a" * 40),
    }
    found = {(f.old_path, f.status, f.old_mode, f.new_mode) for f in diff_of(repository, old, new)}
    assert {
        ('gone\t"é".txt', "D", "100644", "0"),
        ("run", "M", "100644", "100755"),
        ("kind", "D", "100644", "0"),
        ("kind", "A", "0", "120000"),
        ("bin", "A", "0", "100644"),
        ("sub", "A", "0", "160000"),
    } == found


def test_renames_are_found_at_thirty_percent(repository: Repository) -> None:
    """A file that kept a third of its lines counts as renamed."""
    old = "".join(f"a line of text with number {n}\n" for n in range(30))
    new = "".join(f"a line of text with number {n}\n" for n in range(12)) + "different\n" * 3
    (file,) = diff_of(repository, {"old.py": old}, {"old.py": None, "new.py": new})
    assert ("old.py", "new.py", "R") == (file.old_path, file.new_path, file.status)


def test_limits_cut_collapse_and_leave_out(repository: Repository) -> None:
    """A huge patch is too large, a big one is collapsed, files beyond the limit are missing."""
    files = diff_of(repository, {"a": "x\n"}, {"b": "y" * 300, "c": "y" * 2000, "d": "z\n", "e": "z\n"})
    served = serve(Diff(files), DiffLimits(patch_bytes=1000, files=3))
    assert [(True, False), (False, True), (False, False)] == [
        (f.collapsed, f.too_large) for f in served.shown
    ]
    assert served.overflow
    assert "collapsed" not in served.shown[0].entity((17, 5))
    assert "" == served.shown[0].entity((18, 10))["diff"]
