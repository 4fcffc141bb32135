"""Parsing git's own output, for every kind of file that git can hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, FileDiff, Sign
from bot.domain.patch import MalformedDiff, parse, parse_hunks

Tree = dict[bytes, tuple[str, bytes]]

ENTRY = b":100644 100644 aaaaaaa bbbbbbb M\0f\0"


def git(repo: Path, *args: str | bytes, stdin: bytes = b"") -> bytes:
    environment = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *args], cwd=repo, input=stdin, check=True, capture_output=True, env=environment
    ).stdout


def tree_of(repo: Path, files: Tree) -> str:
    """Store *files* (path -> mode and content) with one fast-import, whatever their names."""
    stream = b"commit refs/heads/x\ncommitter a <a@b> 0 +0000\ndata 0\ndeleteall\n"
    for path, (mode, content) in files.items():
        quoted = b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"'
        if mode == "160000":
            stream += b"M 160000 %s %s\n" % (content, quoted)
        else:
            stream += b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), quoted, len(content), content)
    git(repo, "fast-import", "--quiet", "--force", stdin=stream)
    return git(repo, "rev-parse", "refs/heads/x^{tree}").decode().strip()


def raw_diff(repo: Path, old: Tree, new: Tree) -> bytes:
    trees = tree_of(repo, old), tree_of(repo, new)
    options = ("--raw", "-z", "--patch", "--full-index", "--find-renames=30%", "-U3", "--no-color")
    return git(repo, "diff", *options, *trees)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("repo")
    git(path, "init", "-q", "--bare")
    return path


def text(content: bytes, mode: str = "100644") -> tuple[str, bytes]:
    return mode, content


def only(diff: Diff) -> FileDiff:
    (file,) = diff.files
    return file


def signs(file: FileDiff) -> str:
    return "".join(line.sign for hunk in file.hunks for line in hunk.lines)


@pytest.mark.parametrize(
    "path",
    [
        "a b",
        "tab\there",
        "new\nline",
        'quo"te',
        "back\\slash",
        "é/ü",
        "x b/x",
        "a/a b/a",
        ":colon",
        "-dash",
        "\x01",
    ],
)
def test_paths_are_exact(repo: Path, path: str) -> None:
    """Whatever git quotes in the patch comes out as the path itself."""
    name = path.encode()
    diff = parse(raw_diff(repo, {}, {name: text(b"1\n")}))
    assert (path, path, Change.added) == (only(diff).old_path, only(diff).new_path, only(diff).change)


def test_a_path_that_is_not_utf8_stays_printable(repo: Path) -> None:
    """Such a name can be stored and shown: the odd bytes are escaped."""
    assert "r\\xff" == only(parse(raw_diff(repo, {}, {b"r\xff": text(b"1\n")}))).new_path


def test_pure_rename_mode_change_and_empty_file_have_no_hunks(repo: Path) -> None:
    """Changes without changed lines are listed with what did change."""
    old = {b"old": text(b"1\n2\n"), b"tool": text(b"x\n")}
    new = {b"new": text(b"1\n2\n"), b"tool": text(b"x\n", "100755"), b"void": text(b"")}
    rename, tool, void = parse(raw_diff(repo, old, new)).files
    assert ("old", "new", Change.renamed, ()) == (
        rename.old_path,
        rename.new_path,
        rename.change,
        rename.hunks,
    )
    assert ("100644", "100755", Change.modified) == (tool.old_mode, tool.new_mode, tool.change)
    assert (Change.added, (), False) == (void.change, void.hunks, void.truncated)


def test_renames_are_found_at_gitlabs_threshold(repo: Path) -> None:
    """A file that keeps a third of its lines is a rename, with hunks."""
    keep = b"".join(b"kept line %d\n" % n for n in range(4))
    old = {b"old": text(keep + b"".join(b"gone line %d\n" % n for n in range(6)))}
    new = {b"new": text(keep + b"".join(b"come line %d\n" % n for n in range(6)))}
    file = only(parse(raw_diff(repo, old, new)))
    assert ("old", "new", Change.renamed, 6) == (
        file.old_path,
        file.new_path,
        file.change,
        len(file.added_lines),
    )


def test_binary_files_and_submodules_have_no_hunks(repo: Path) -> None:
    """They are marked instead."""
    old = {b"bin": text(b"\0\1"), b"sub": ("160000", b"1" * 40)}
    new = {b"bin": text(b"\0\2"), b"sub": ("160000", b"2" * 40)}
    binary, submodule = parse(raw_diff(repo, old, new)).files
    assert (True, ()) == (binary.binary, binary.hunks)
    assert (True, ()) == (submodule.submodule, submodule.hunks)


def test_a_file_that_becomes_a_link_is_a_deletion_and_an_addition(repo: Path) -> None:
    """The head side is found by path; files after it keep their own patch."""
    old = {b"f": ("120000", b"target"), b"z": text(b"1\n")}
    diff = parse(raw_diff(repo, old, {b"f": text(b"code\n"), b"z": text(b"2\n")}))
    assert [Change.deleted, Change.added, Change.modified] == [file.change for file in diff.files]
    assert ("000000", "100644", {1}) == (
        diff.by_new_path["f"].old_mode,
        diff.by_new_path["f"].new_mode,
        diff.by_new_path["f"].added_lines,
    )
    assert "-+" == signs(diff.by_new_path["z"])


def test_lines_that_look_like_headers_are_lines(repo: Path) -> None:
    """Content cannot end a hunk or start a file."""
    old = b"-- a\n@@ -1 +1 @@\ndiff --git a/x b/x\n\\ No newline at end of file\n"
    new = b"++ b\n\n--- x\n+++ y\ndiff --git a/x b/x\n"
    file = only(parse(raw_diff(repo, {b"f": text(old)}, {b"f": text(new)})))
    lines = [line for hunk in file.hunks for line in hunk.lines]
    assert old.decode() == "".join(f"{line.text}\n" for line in lines if line.old)
    assert new.decode() == "".join(f"{line.text}\n" for line in lines if line.new)


hostile_line = st.text(
    st.sampled_from(
        ["a", "b", " ", "\t", "+", "-", "@", "\\", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "é"]
    ),
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(hostile_line, max_size=12), st.lists(hostile_line, max_size=12), st.booleans(), st.booleans())
def test_both_sides_are_rebuilt_from_the_hunks(
    repo: Path, old: list[str], new: list[str], old_newline: bool, new_newline: bool
) -> None:
    """Every line has its exact number and text on both sides, with or without a final newline."""
    old_text = "\n".join(old) + "\n" * old_newline
    new_text = "\n".join(new) + "\n" * new_newline
    pair = ({b"f": text(old_text.encode())}, {b"f": text(new_text.encode())})
    files = parse(raw_diff(repo, *pair)).files
    numbered = [line for file in files for hunk in file.hunks for line in hunk.lines]
    old_lines, new_lines = old_text.split("\n"), new_text.split("\n")
    assert [line.text for line in numbered if line.old] == [
        old_lines[line.old - 1] for line in numbered if line.old
    ]
    assert [line.text for line in numbered if line.new] == [
        new_lines[line.new - 1] for line in numbered if line.new
    ]
    assert all(line.sign is Sign.context for line in numbered if line.old and line.new)


def test_bytes_that_are_not_utf8_keep_the_line_count(repo: Path) -> None:
    """Bad bytes are replaced within their line."""
    content = b"\xff\xe2\n\xc3\n\xf0\x9f\nend\n"
    file = only(parse(raw_diff(repo, {}, {b"f": text(content)})))
    assert ["\ufffd\ufffd", "\ufffd", "\ufffd", "end"] == [line.text for line in file.hunks[0].lines]


def test_what_was_cut_off_is_marked_truncated(repo: Path) -> None:
    """A cut output keeps whole files and names the rest."""
    new = {b"a": text(b"1\n"), b"b": text(b"1\n2\n"), b"c": text(b"3\n")}
    output = raw_diff(repo, {}, new)
    diff = parse(output[: output.index(b"+1\n+2")], cut=True)
    assert [("a", False), ("b", True), ("c", True)] == [
        (file.new_path, file.truncated) for file in diff.files
    ]


def test_a_large_file_is_parsed_line_by_line(repo: Path) -> None:
    """A parser that looked back at what it has read would not come to the end of it."""
    content = b"".join(b"line number %d of many\n" % n for n in range(200_000))
    output = raw_diff(repo, {}, {b"f": text(content)})
    assert 200_000 == parse(output).added_line_count


def test_no_change_is_an_empty_diff() -> None:
    """Git says nothing when nothing changed."""
    assert Diff(files=()) == parse(b"")


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        (b"hello", "does not end"),
        (b":junk\0f\0\0diff --git a/f b/f\n", "not an entry"),
        (ENTRY + b"\0", "1 changed files but shows 0"),
        (ENTRY + b"\0diff --git a/f b/f\ndiff --git a/g b/g\n", "shows 2"),
        (ENTRY + b"\0diff --git a/f b/f\n@@ -1 +1,2 @@\n-a\n+b\n", "'f', line 3: not what"),
        (ENTRY + b"\0diff --git a/f b/f\n@@ -1 +1 @@\n-a\n+b\n+c\n", "line 4: more lines"),
        (ENTRY + b"\0diff --git a/f b/f\n@@ -1 +1 @@\n*a\n", "line 2: not what"),
        (ENTRY + b"\0diff --git a/f b/f\n@@ -x +1 @@\n-a\n", "line 1"),
    ],
)
def test_malformed_output_is_named(output: bytes, complaint: str) -> None:
    """The error says where the output stops being a diff."""
    with pytest.raises(MalformedDiff, match=complaint):
        parse(output)


@pytest.mark.parametrize("text", ["glpat-x\n", "@@ -1 +1 @@\nglpat-x\n", "@@ -1 +1 @@\n-a\n+b\nglpat-x\n"])
def test_complaints_do_not_quote_code(text: str) -> None:
    """They end up in logs and comments, and a line may hold a secret."""
    with pytest.raises(MalformedDiff) as caught:
        parse_hunks(text)
    assert "glpat" not in str(caught.value)


@given(st.text(st.sampled_from("@ -+,1\\\nab"), max_size=60))
def test_hunks_parse_or_are_refused(text: str) -> None:
    """No text makes the parser fail in another way."""
    try:
        hunks = parse_hunks(text)
    except MalformedDiff:
        return
    assert sum(len(hunk.lines) for hunk in hunks) <= text.count("\n") + 1


def test_hunks_of_the_api_need_no_final_newline() -> None:
    """GitLab's per-file diff starts at the hunk header."""
    (hunk,) = parse_hunks("@@ -1,2 +1 @@ def f():\n a\n-b\n\\ No newline at end of file")
    assert (1, 2, 1, 1, "def f():", " -") == (
        hunk.old_start,
        hunk.old_count,
        hunk.new_start,
        hunk.new_count,
        hunk.section,
        "".join(line.sign for line in hunk.lines),
    )
