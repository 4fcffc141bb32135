"""Git's account of many commits is read whole, whatever the names and contents of their files."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, FileDiff, Sign
from bot.domain.history import CommitDiff, only_own, parse_commits
from bot.domain.patch import MalformedDiff, parse_hunks

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
ZERO, BLOB = "0" * 40, "b" * 40


def plain(sha: str, name: str, lines: list[str]) -> bytes:
    """Return what git prints on a commit that adds one file."""
    body = "".join(f"+{line}\n" for line in lines)
    patch = f"diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,{len(lines)} @@\n{body}"
    return f"{sha}\0:000000 100644 {ZERO} {BLOB} A\0{name}\0\0{patch}".encode()


MERGE = (
    f"{TWO}\0::100644 100644 100644 {BLOB} {BLOB} {BLOB} MM\0f\0"
    f"::000000 100644 100644 {ZERO} {BLOB} {BLOB} AM\0n\nl\0\0"
    "diff --combined f\nindex b,b..b\n--- a/f\n+++ b/f\n"
    "@@@ -1,3 -1,3 +1,4 @@@\n +one side\n  both\n- gone\n -gone too\n++own\n+ other side\n"
    "@@@ -9,1 -9,1 +10,2 @@@ section\n  x\n++@@@ -1 -1 +1 @@@\n"
    'diff --combined "n\\nl"\nnew file mode 100644\n--- a/x\n+++ b/x\n'
    "@@@ -1,0 -1,1 +1,1 @@@\n -hi\n++diff --combined f\n"
).encode()


def added(commit: CommitDiff) -> dict[str, dict[int | None, str]]:
    return {
        file.new_path: {
            line.new: line.text for hunk in file.hunks for line in hunk.lines if line.sign is Sign.added
        }
        for file in commit.diff.files
    }


def test_a_merge_is_read_for_what_no_parent_has() -> None:
    """Lines of one side are context, removed ones are not there, numbers are those of the result."""
    (commit,) = parse_commits(MERGE)
    assert {"f": {3: "own", 11: "@@@ -1 -1 +1 @@@"}, "n\nl": {1: "diff --combined f"}} == added(commit)
    shown = [(line.new, line.text) for line in commit.diff.files[0].hunks[0].lines]
    assert [(1, "one side"), (2, "both"), (3, "own"), (4, "other side")] == shown


# Neither can hold what ends it, anything else is possible; a list of files ends at an empty name.
names = st.text(
    st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=60
) | st.sampled_from([f"x\n{TWO}", f"{TWO}", f"\n{ONE}\n", ":100644"])
texts = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=20) | st.sampled_from(
    [f"{TWO}\0:", "diff --git a/x b/x", "@@ -1 +1 @@", f"\0\0{THREE}"]
)


@given(st.lists(st.tuples(names, st.lists(texts, min_size=1, max_size=4)), max_size=3), st.booleans())
def test_no_name_and_no_line_passes_for_a_commit(files: list[tuple[str, list[str]]], merged: bool) -> None:
    """Each commit comes back with its own file and its own lines."""
    shas = [ONE, THREE, "a" * 64]
    output = b"".join(plain(sha, *file) for sha, file in zip(shas, files, strict=False))
    expected = [
        (sha, {name: dict(enumerate(lines, 1))}) for sha, (name, lines) in zip(shas, files, strict=False)
    ]
    if merged:
        output += MERGE
        expected.append((TWO, {"f": {3: "own", 11: "@@@ -1 -1 +1 @@@"}, "n\nl": {1: "diff --combined f"}}))
    assert expected == [(commit.sha, added(commit)) for commit in parse_commits(output)]


@pytest.mark.parametrize("output", [plain(ONE, "a", ["x", "y"]) + MERGE + plain(THREE, "b", ["z"])])
def test_what_was_cut_off_is_never_taken_for_whole(output: bytes) -> None:
    """Wherever git was stopped, what is shown is true, and a file without all of its lines is truncated."""
    whole = {commit.sha: added(commit) for commit in parse_commits(output)}
    for end in range(len(output)):
        for commit in parse_commits(output[:end], cut=True):
            for file in commit.diff.files:
                lines = added(commit)[file.new_path]
                assert file.truncated == (lines != whole[commit.sha][file.new_path]) or not lines


@given(st.binary(max_size=200), st.booleans())
def test_garbage_is_refused(output: bytes, cut: bool) -> None:
    """Whatever git prints, it is read or called malformed."""
    with contextlib.suppress(MalformedDiff):
        list(parse_commits(output, cut=cut))


def diff(text: str, **fields: bool) -> Diff:
    return Diff((FileDiff("f", "f", Change.modified, hunks=parse_hunks(text), **fields),))


def test_a_line_that_any_parent_has_is_not_the_merges_own() -> None:
    """From the diffs to all parents, only what each of them shows as added remains."""
    one = diff("@@ -1 +1,3 @@\n a\n+b\n+own\n")
    other = diff("@@ -1,2 +1,3 @@\n-x\n+a\n b\n+own\n")
    (file,) = only_own([one, other]).files
    assert {3} == file.added_lines
    assert () == only_own([one, Diff(())]).files
    assert one == only_own([one])
    (unknown,) = only_own([one, diff("", truncated=True)]).files
    assert (True, frozenset()) == (unknown.truncated, unknown.added_lines)
