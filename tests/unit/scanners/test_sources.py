"""What a scanner gets to see of a diff."""

from __future__ import annotations

from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.patch import parse_hunks
from bot.ports import Blob
from bot.scanners.sources import excerpt, excerpt_before, whole, whole_before

HUNKS = parse_hunks("@@ -1,3 +1,3 @@\n a\n-old\n+new\n c\n@@ -10,2 +10,3 @@\n j\n+x\0\u00e9\ud800\n k\n")
FILE = FileDiff("old.py", "new.py", Change.renamed, hunks=HUNKS)


def test_an_excerpt_has_the_lines_of_one_side_under_their_numbers() -> None:
    """Added lines are marked after, removed ones before; a stray NUL does not make it binary."""
    after, before = excerpt(FILE), excerpt_before(FILE)
    assert ("new.py", frozenset({2, 11}), (1, 2, 3, 10, 11, 12)) == (after.path, after.added, after.numbers)
    assert "a\nnew\nc\nj\nx \u00e9?\nk".encode() == after.content
    assert ("old.py", frozenset({2}), b"a\nold\nc\nj\nk") == (before.path, before.added, before.content)
    assert (["new", "c"], ["k"]) == (after.lines[1:9], list(after.lines[11:20]))


def test_whole_files_know_what_changed_in_them() -> None:
    """What could not be read is left out."""
    diff = Diff((FILE,))
    (after,) = whole(["new.py", "gone.py"], {"new.py": Blob(2, b"a\n"), "gone.py": Blob(9, None)}, diff)
    (before,) = whole_before([FILE], {"old.py": Blob(2, b"b\n")})
    assert (frozenset({2, 11}), None, ["a"]) == (after.added, after.numbers, after.lines)
    assert ("old.py", frozenset({2})) == (before.path, before.added)
    assert frozenset() == whole(["other.py"], {"other.py": Blob(1, b"x")}, diff)[0].added
