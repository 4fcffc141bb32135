"""A data set is written as a whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bot.cli.export import check, write
from bot.domain.errors import Permanent

FILES = {"train.jsonl": b"{}\n", "README.md": b"# A set\n"}


@pytest.mark.parametrize("there", [True, False])
def test_all_files_are_there_at_once_and_only_for_their_owner(tmp_path: Path, there: bool) -> None:
    """In a new directory below new ones, or in an empty one; nothing else is left beside it."""
    out = tmp_path / "sets" / "kto"
    if there:
        out.mkdir(parents=True)
    write(out, FILES)
    assert FILES == {one.name: one.read_bytes() for one in out.iterdir()}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert [out] == list(out.parent.iterdir())


def test_nothing_is_left_of_what_could_not_be_written(tmp_path: Path) -> None:
    """Such as where the disk is full; the message says that and where."""
    with pytest.raises(Permanent, match=r"could not be written to .*kto: No such file"):
        write(tmp_path / "kto", {**FILES, "no/such/directory": b""})
    assert [] == list(tmp_path.iterdir())


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    """Nor what came while the data set was made."""
    (tmp_path / "kto").mkdir()
    (tmp_path / "kto" / "mine").touch()
    with pytest.raises(Permanent, match="is there already"):
        check(tmp_path / "kto")
    with pytest.raises(Permanent, match="is there already"):
        write(tmp_path / "kto", FILES)
    assert ["kto"] == [one.name for one in tmp_path.iterdir()]


def test_where_nothing_can_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    """Below a file nothing can be made."""
    (tmp_path / "file").touch()
    with pytest.raises(Permanent, match="cannot be made"):
        check(tmp_path / "file" / "sets" / "kto")
