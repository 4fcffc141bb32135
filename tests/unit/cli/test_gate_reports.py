"""How reports come to stand in their files, whatever lies there before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.cli.gate import Ending
from bot.cli.gate_reports import clear, files_of, write
from bot.domain.errors import Permanent
from bot.domain.gate import Answer
from bot.domain.reports import NO_OCCASION


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["html=x"], "KIND=FILE"),
        (["sarif="], "KIND=FILE"),
        (["sarif"], "KIND=FILE"),
        (["sarif=x", "sarif=y"], "two files"),
        (["sarif=x", "junit=./x"], "a file for each"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: list[str], said: str):
    """With what to write instead."""
    with pytest.raises(Permanent, match=said):
        files_of(asked)


def test_a_report_that_lies_there_is_taken_away_first(tmp_path: Path):
    """It may be part of the change: a gate that writes none would seem to have written it."""
    files = {"codequality": tmp_path / "report.json"}
    files["codequality"].write_text("[]")
    clear(files)
    assert [] == list(tmp_path.iterdir())


def test_a_link_is_replaced_and_not_followed(tmp_path: Path):
    """A change under review could have it point anywhere."""
    elsewhere, file = tmp_path / "elsewhere", tmp_path / "report.json"
    elsewhere.write_text("mine")
    file.symlink_to(elsewhere)
    files = {"codequality": file}
    assert [] == write(files, [], NO_OCCASION)
    assert ("mine", False, []) == (elsewhere.read_text(), file.is_symlink(), json.loads(file.read_text()))
    file.unlink()
    file.symlink_to(elsewhere)
    clear(files)
    assert ["elsewhere"] == [one.name for one in tmp_path.iterdir()]


def test_other_users_may_read_a_report(tmp_path: Path):
    """Whoever uploads artifacts has not always the same id."""
    file = tmp_path / "report.json"
    before = os.umask(0o022)
    try:
        assert [] == write({"junit": file}, [], NO_OCCASION)
    finally:
        os.umask(before)
    assert 0o644 == file.stat().st_mode & 0o777


def test_a_pipe_is_written_to(tmp_path: Path):
    """As in `--report sarif=/dev/stdout`."""
    reading, writing = os.pipe()
    files = {"codequality": Path(f"/dev/fd/{writing}")}
    clear(files)
    assert [] == write(files, [], NO_OCCASION)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert "[]\n" == pipe.read()


def test_what_cannot_be_written_is_refused_before_and_told_after(tmp_path: Path):
    """A directory stands in the way; the others are written all the same, and nothing is left half done."""
    files = {"codequality": tmp_path / "there", "junit": tmp_path / "junit.xml"}
    files["codequality"].mkdir()
    with pytest.raises(Permanent, match=r"cannot write .*there: .*; name a writable file"):
        clear(files)
    (problem,) = write(files, [], NO_OCCASION)
    assert f"cannot write {files['codequality']}: Is a directory" in problem
    assert {"there", "junit.xml"} == {one.name for one in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("answer", "fail_open", "unwritten", "status"),
    [
        (Answer.passed, False, (), 0),
        (Answer.passed, False, ("disk full",), 2),
        (Answer.blocked, True, ("disk full",), 1),
        (Answer.undecided, False, (), 3),
        (Answer.undecided, True, (), 0),
        (Answer.undecided, True, ("disk full",), 2),
        (Answer.superseded, True, (), 3),
    ],
)
def test_what_blocks_wins_over_a_report_that_is_missing(
    answer: Answer, fail_open: bool, unwritten: tuple[str, ...], status: int
):
    """Without the report a pass is none: somebody relies on it."""
    assert status == Ending(answer, fail_open=fail_open, unwritten=unwritten).status
