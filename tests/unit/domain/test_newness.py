"""What was there before and only moved is not new."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.findings import Finding, Severity
from bot.domain.newness import Found, Identity, added, count, fewest, identity, shape

#: What stands on the lines of files: findings of four kinds.
KINDS = ("a", "b", "c", "d")
lines_with_findings = st.lists(st.sampled_from(KINDS), max_size=6)


def finding(line: int, *, path: str = "a.py", **fields: object) -> Finding:
    values = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "security",
        "severity": Severity.high,
        "path": path,
        "line": line,
        "end_line": line,
        "title": "t",
        "message": "m",
    }
    return Finding.model_validate(values | fields)


def findings(path: str, lines: list[str]) -> list[Finding]:
    return [finding(number, path=path) for number, _ in enumerate(lines, 1)]


def found(contents: dict[str, list[str]]) -> Found:
    return count([one for path in contents for one in findings(path, contents[path])], contents)


def new(
    before: dict[str, list[str]], after: dict[str, list[str]], diff: Diff, /, **known: Found
) -> list[str]:
    """Return the code of the new findings, when every line of *after* is an added one."""
    everything = [one for path in sorted(after) for one in findings(path, after[path])]

    def identify(one: Finding) -> Identity:
        return identity(one, after[one.path])

    sides = {"before": found(before), "head": found(after)} | known
    return [after[one.path][one.line - 1] for one in added(everything, diff, identify=identify, **sides)]


def modified(*paths: str) -> Diff:
    return Diff(tuple(FileDiff(path, path, Change.modified) for path in paths))


@given(lines_with_findings, lines_with_findings)
def test_only_as_many_are_new_as_were_added(before: list[str], after: list[str]) -> None:
    """In one file the new ones of each kind are those by which its number grew, wherever they stand."""
    grown = Counter(after) - Counter(before)
    assert grown == Counter(new({"a.py": before}, {"a.py": after}, modified("a.py")))


@given(lines_with_findings, lines_with_findings, lines_with_findings, lines_with_findings)
def test_what_moves_between_files_is_not_new(
    one: list[str], other: list[str], one_after: list[str], other_after: list[str]
) -> None:
    """Over all files of the diff no more is new than was added on the whole, and never less."""
    before, after = {"a.py": one, "b.py": other}, {"a.py": one_after, "b.py": other_after}
    grown = (Counter(one_after) + Counter(other_after)) - (Counter(one) + Counter(other))
    assert grown == Counter(new(before, after, modified("a.py", "b.py")))


@given(st.permutations(["a", "b", "c", "a"]), st.text(" \t", max_size=4))
def test_moving_and_indenting_adds_nothing(moved: list[str], indent: str) -> None:
    """Code that only changed its place or its indentation has nothing new."""
    assert [] == new(
        {"a.py": ["a", "b", "c", "a"]}, {"a.py": [indent + line for line in moved]}, modified("a.py")
    )


def test_a_renamed_file_is_compared_with_what_it_was() -> None:
    """The old path is that of the base, and a new file in its place is no excuse for anything."""
    diff = Diff((FileDiff("a.py", "b.py", Change.renamed), FileDiff("a.py", "a.py", Change.added)))
    assert ["x"] == new({"a.py": ["x"]}, {"b.py": ["x"], "a.py": ["x"]}, diff)
    assert [] == new({"a.py": ["x"]}, {"b.py": ["x"], "a.py": []}, diff)


def test_code_of_a_deleted_file_has_moved() -> None:
    """Splitting a file adds nothing, but a copy beyond that does."""
    diff = Diff((FileDiff("a.py", "a.py", Change.deleted), FileDiff("b.py", "b.py", Change.added)))
    assert ["x"] == new({"a.py": ["x", "y"]}, {"b.py": ["x", "y", "x"]}, diff)


def test_a_copy_is_new() -> None:
    """Code that stays where it was excuses none elsewhere."""
    diff = Diff((FileDiff("a.py", "a.py", Change.modified), FileDiff("b.py", "b.py", Change.added)))
    candidates = [finding(1, path="b.py")]
    code = {"a.py": ["x"], "b.py": ["x"]}
    head = found(code)
    assert candidates == added(
        candidates,
        diff,
        head=head,
        before=found({"a.py": ["x"]}),
        identify=lambda one: identity(one, code[one.path]),
    )


@pytest.mark.parametrize("side", ["head", "before"])
def test_what_was_not_looked_at_excuses_nothing(side: str) -> None:
    """A file that the scanner could not analyse on either side gives no reason to drop a finding."""
    diff = Diff((FileDiff("a.py", "a.py", Change.modified), FileDiff("b.py", "b.py", Change.added)))
    before, after = {"a.py": ["x"]}, {"a.py": [], "b.py": ["x"]}
    known = {"before": found(before), "head": found(after)}
    assert [] == new(before, after, diff, **known)
    assert ["x"] == new(before, after, diff, **known | {side: {}})
    assert ["x"] == new(before, {"a.py": ["x"]}, modified("a.py"), before={})


def test_of_equal_ones_the_last_are_new() -> None:
    """Which of two equal lines is the new one cannot be told, so it is always the same one."""
    code = ["x", "y", "x"]
    (one,) = added(
        findings("a.py", code),
        modified("a.py"),
        head=found({"a.py": code}),
        before=found({"a.py": ["x", "y"]}),
        identify=lambda one: identity(one, code),
    )
    assert 3 == one.line


@pytest.mark.parametrize(
    "after",
    [
        ["run( query, {", "    'a': 1,", "})"],
        ['run(query, {"a": 1})'],
        ["  run(", "    query,", "    {'a': 1},", "  )"],
    ],
)
def test_formatters_change_no_identity(after: list[str]) -> None:
    """Breaking lines, other quotes and trailing commas leave the code what it was."""
    before = ["run(query, {'a': 1})"]
    assert shape(before) == shape(after)


@given(st.text(), st.text())
def test_a_subject_is_the_identity(code: str, other: str) -> None:
    """Where a scanner knows what a finding is about, the code around it does not matter, but the rule does."""
    one = finding(1, subject="mark")
    assert identity(one, [code]) == identity(one, [other])
    assert identity(one, [code]) != identity(finding(1, rule="s", subject="mark"), [code])
    assert identity(one, [code]) != identity(finding(1, subject="another"), [code])


def test_an_edit_far_down_leaves_a_long_block_what_it_was() -> None:
    """A rule that flags a whole definition does not raise it again for each change in it."""
    block = [f"line {number} of the block" for number in range(20)]
    whole = finding(1, end_line=20)
    assert identity(whole, block) == identity(whole, [*block[:15], "edited", *block[16:]])
    assert identity(whole, block) != identity(whole, ["edited", *block[1:]])


def test_both_must_have_it() -> None:
    """Of two sides the one with fewer counts, and none where one knows nothing."""
    one, other = found({"a": ["x", "x", "y"], "b": ["x"]}), found({"a": ["x", "z"]})
    assert found({"a": ["x"], "b": []}) == fewest(one, other)
