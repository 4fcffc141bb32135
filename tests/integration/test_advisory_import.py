"""Advisories are imported from archives, directories and records: all or nothing, again and again."""

import io
import json
import os
import sqlite3
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bot.adapters import advisory_files
from bot.adapters.advisory_import import import_advisories
from bot.domain.errors import Permanent
from bot.scanners.advisories.index import FILE, opened
from tests.advisories import affected, archive, imported, osv, until

CAT = until("GHSA-cat", "PyPI", "Fluffy_Cat", "2.0", aliases=["CVE-2031-1"])


def known(directory: Path, ecosystem: str = "PyPI", name: str = "fluffy-cat") -> list[str]:
    """Return the ids of the advisories about a package."""
    with opened(directory) as index:
        return [advisory.id for advisory in index.about(ecosystem, name)]


def test_an_archive_a_directory_and_a_record_say_the_same(tmp_path: Path):
    """Also in the layout of GitHub's database, and without following links."""
    nested = tmp_path / "database/advisories/github-reviewed/2031/05/GHSA-cat"
    nested.mkdir(parents=True)
    (nested / "GHSA-cat.json").write_text(json.dumps(CAT))
    (nested / "link.json").symlink_to("/etc/hostname")
    (nested / "README.md").write_text("no record")
    sources = [archive(tmp_path / "all.zip", [CAT]), tmp_path / "database", nested / "GHSA-cat.json"]
    for number, source in enumerate(sources):
        done = import_advisories([source], tmp_path / str(number))
        assert (1, 0) == (done.added, done.refused)
        assert ["GHSA-cat"] == known(tmp_path / str(number))


def test_importing_twice_changes_nothing(tmp_path: Path):
    """And an older copy does not win over a newer one, in whichever order they come."""
    imported(tmp_path, CAT)
    done = imported(tmp_path, CAT)
    assert (0, 0, 1) == (done.added, done.updated, done.unchanged)
    newer = until("GHSA-cat", "PyPI", "other", "2.0", modified="2031-06-01T00:00:00.5+02:00")
    assert 1 == imported(tmp_path, newer).updated
    assert 1 == imported(tmp_path, CAT).unchanged
    assert ([], ["GHSA-cat"]) == (known(tmp_path), known(tmp_path, name="other"))


def test_what_is_withdrawn_goes_and_stays_away(tmp_path: Path):
    """An older copy does not bring it back."""
    withdrawn = CAT | {"modified": "2031-07-01T00:00:00Z", "withdrawn": "2025-07-01T00:00:00Z"}
    imported(tmp_path, CAT)
    assert 1 == imported(tmp_path, withdrawn).withdrawn
    assert [] == known(tmp_path)
    imported(tmp_path, CAT)
    assert [] == known(tmp_path)


def test_ecosystems_are_imported_one_by_one(tmp_path: Path):
    """What was there of others stays, unless a fresh start is asked for."""
    imported(tmp_path, CAT)
    imported(tmp_path, until("GHSA-tail", "npm", "tail", "2.0.0"))
    with opened(tmp_path) as index:
        assert [("PyPI", 1, 1), ("npm", 1, 1)] == [
            (one.ecosystem, one.advisories, one.packages) for one in index.status()
        ]
    import_advisories([tmp_path / "all.zip"], tmp_path, fresh=True)
    assert ([], ["GHSA-tail"]) == (known(tmp_path), known(tmp_path, "npm", "tail"))


def test_what_cannot_be_used_is_named_and_the_rest_imported(tmp_path: Path):
    """Wrong types, wrong JSON, too large, too deep, encrypted, other ecosystems."""
    path = archive(tmp_path / "all.zip", [CAT, osv("DSA-1", affected("Debian:12", "x", ("introduced", "0")))])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("list.json", "[]")
        file.writestr("broken.json", "{")
        file.writestr("deep.json", "[" * 200_000)
        file.writestr("huge.json", b" " * 9_000_000)
        file.writestr("../../etc/evil.json", json.dumps({"id": "x y"}))
        file.writestr("notes.txt", "no record")
    done = import_advisories([path], tmp_path)
    assert (1, 1, 5) == (done.added, done.elsewhere, done.refused)
    assert {"list.json", "broken.json", "deep.json", "huge.json", "../../etc/evil.json"} == {
        problem.partition(": ")[0] for problem in done.problems
    }
    assert {"all.zip", FILE, "lock"} == {entry.name for entry in tmp_path.iterdir()}


def test_a_damaged_entry_does_not_hide_the_others(tmp_path: Path):
    """Its checksum tells."""
    path = archive(tmp_path / "all.zip", [until("A-1", "PyPI", "a", "2"), CAT])
    content = bytearray(path.read_bytes())
    at = content.index(b"A-1.json") + len(b"A-1.json") + 20
    content[at] ^= 0xFF
    path.write_bytes(content)
    done = import_advisories([path], tmp_path)
    assert (1, 1) == (done.added, done.refused)
    assert "cannot be unpacked" in done.problems[0]


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_leaves_the_index_alone(tmp_path: Path, content: bytes):
    """The message says what is wrong."""
    imported(tmp_path, CAT)
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(Permanent, match=r"bad\.zip|nothing was imported"):
        import_advisories(
            [tmp_path / "all.zip", tmp_path / "bad.zip"] if content[:2] != b"PK" else [tmp_path / "bad.zip"],
            tmp_path,
        )
    with pytest.raises(Permanent, match="does not exist"):
        import_advisories([tmp_path / "none.zip"], tmp_path)
    assert ["GHSA-cat"] == known(tmp_path)
    assert not (tmp_path / f"{FILE}.new").exists()


def test_a_bomb_is_not_unpacked_to_the_end(tmp_path: Path):
    """An entry is read up to the size of a record, whatever the archive says about it."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(3):
            with file.open(f"{number}.json", "w", force_zip64=True) as entry:
                for _ in range(50):
                    entry.write(bytes(10_000_000))
    with pytest.raises(Permanent, match=r"nothing was imported: 0\.json: larger than 8 MB"):
        import_advisories([path], tmp_path / "index")


def test_a_reader_keeps_what_it_has_open(tmp_path: Path):
    """An import replaces the file beside it."""
    imported(tmp_path, CAT)
    with opened(tmp_path) as index:
        imported(tmp_path, until("GHSA-new", "PyPI", "fluffy-cat", "3.0"))
        assert ["GHSA-cat"] == [advisory.id for advisory in index.about("PyPI", "fluffy-cat")]
    assert ["GHSA-cat", "GHSA-new"] == known(tmp_path)


def test_a_broken_import_leaves_no_trace(tmp_path: Path):
    """Not even when it breaks in the middle."""
    imported(tmp_path, CAT)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(Permanent):
        import_advisories(
            [archive(tmp_path / "new.zip", [until("B-1", "npm", "b", "2")]), tmp_path / "none"], tmp_path
        )
    assert before == (tmp_path / FILE).read_bytes()


def test_two_imports_at_once_do_not_mix(tmp_path: Path):
    """The second one is refused."""
    import fcntl

    imported(tmp_path, CAT)
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Permanent, match="another import"):
            import_advisories([tmp_path / "all.zip"], tmp_path)


def test_the_index_of_another_release_is_refused(tmp_path: Path):
    """Reading it by guess could hide vulnerabilities; a fresh import mends it."""
    imported(tmp_path, CAT)
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(Permanent, match="--fresh"):
        known(tmp_path)
    with pytest.raises(Permanent, match="--fresh"):
        import_advisories([tmp_path / "all.zip"], tmp_path)
    import_advisories([tmp_path / "all.zip"], tmp_path, fresh=True)
    assert ["GHSA-cat"] == known(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path):
    """With its name."""
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(Permanent, match="cannot be stored"):
        import_advisories([tmp_path], tmp_path / "index")


def test_a_directory_below_a_file_is_told(tmp_path: Path):
    """With its name."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Permanent, match="cannot be stored"):
        import_advisories([archive(tmp_path / "all.zip", [CAT])], tmp_path / "file/index")


def test_odd_archives_are_survived(tmp_path: Path):
    """An archive within an archive, directories, links and names that climb are nothing special."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("x.json", json.dumps(CAT))
    link = zipfile.ZipInfo("link.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as file:
        file.writestr("inner.zip", inner.getvalue())
        file.writestr("folder.json/", "")
        file.writestr(link, "/etc/passwd")
        file.writestr("ok.json", json.dumps(CAT))
    done = import_advisories([tmp_path / "odd.zip"], tmp_path / "index")
    assert (1, ["link.json: not JSON"]) == (done.added, done.problems)


def test_limits_are_above_what_is_published():
    """The longest real records are around half a megabyte, the largest archive below a gigabyte."""
    limits: dict[str, Any] = vars(advisory_files)
    assert limits["_MAX_RECORD_BYTES"] > 5_000_000
    assert limits["_MAX_TOTAL_BYTES"] > 5_000_000_000
