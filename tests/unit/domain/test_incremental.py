"""Only what changed since the last review is shown again, and what was said stays with its code."""

from __future__ import annotations

import difflib
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.incremental import Increment, increment, merged

CONTEXT = 3


def change(old: list[str], new: list[str], path: str = "a.py", was: str | None = None) -> FileDiff:
    """Return the diff of one file, numbered as git numbers it."""
    hunks = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        lines: list[DiffLine] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [DiffLine(Sign.context, i + 1, j1 + i - i1 + 1, old[i]) for i in range(i1, i2)]
            else:
                lines += [DiffLine(Sign.removed, i + 1, None, old[i]) for i in range(i1, i2)]
                lines += [DiffLine(Sign.added, None, j + 1, new[j]) for j in range(j1, j2)]
        first, last = group[0], group[-1]
        counts = last[2] - first[1], last[4] - first[3]
        hunks.append(
            Hunk(
                first[1] + bool(counts[0]), counts[0], first[3] + bool(counts[1]), counts[1], "", tuple(lines)
            )
        )
    kind = Change.renamed if was else Change.modified if old else Change.added
    return FileDiff(was or path, path, kind, hunks=tuple(hunks))


def since(old: list[str], then: list[str], now: list[str], base: list[str] | None = None) -> Increment:
    """Return what is new in a file that was reviewed as *then*; *base* is what it was made from meanwhile."""
    return increment(Diff((change(old, then),)), Diff((change(old if base is None else base, now),)))


def asked(found: Increment) -> list[str]:
    """Return the lines that are to be looked at."""
    return [
        line.text
        for file in found.diff.files
        for hunk in file.hunks
        for line in hunk.lines
        if line.sign is Sign.added
    ]


def finding(line: int, end_line: int | None = None, **values: object) -> Finding:
    """Return a finding of the model in a.py."""
    base = {
        "scanner": "model",
        "rule": "correctness",
        "category": "correctness",
        "severity": Severity.medium,
        "path": "a.py",
        "line": line,
        "end_line": end_line or line,
        "title": "t",
        "message": "m",
        "fingerprint": f"f{line}",
    }
    return Finding.model_validate(base | values)


#: A file of 60 lines that tell, for the merge request to add.
NEW = [f"    step_{number}()" for number in range(60)]
OLD = [f"line {number}" for number in range(40)]


def test_nothing_new_shows_nothing() -> None:
    """The same change, whatever was pushed."""
    assert since(OLD, [*OLD, *NEW], [*OLD, *NEW]).diff == Diff(())


def test_a_new_line_in_a_new_file_is_shown_with_three_lines_around_it() -> None:
    """What was reviewed is context, although it is new to the target branch."""
    now = [*NEW[:30], "    extra()", *NEW[30:]]
    (file,) = since([], NEW, now).diff.files
    (hunk,) = file.hunks
    assert [(str(line.sign), line.new, line.text) for line in hunk.lines] == [
        (" ", 28, NEW[27]),
        (" ", 29, NEW[28]),
        (" ", 30, NEW[29]),
        ("+", 31, "    extra()"),
        (" ", 32, NEW[30]),
        (" ", 33, NEW[31]),
        (" ", 34, NEW[32]),
    ]
    assert frozenset({31}) == file.added_lines


def test_a_changed_line_is_shown_with_what_it_was() -> None:
    """The model sees what the push has replaced."""
    now = [*NEW[:30], "    changed()", *NEW[31:]]
    (file,) = since([], NEW, now).diff.files
    (hunk,) = file.hunks
    middle = [(str(line.sign), line.new, line.text) for line in hunk.lines[2:5]]
    assert [(" ", 30, NEW[29]), ("-", None, NEW[30]), ("+", 31, "    changed()")] == middle


@pytest.mark.parametrize("at", [0, 30, 58])
def test_a_line_that_is_gone_again_puts_its_neighbours_up_for_a_look(at: int) -> None:
    """They may have needed it; there is no other line to comment on."""
    found = since([], NEW, [*NEW[:at], *NEW[at + 1 :]])
    assert NEW[max(at - 1, 0) : at] + NEW[at + 1 : at + 2] == asked(found)


def test_a_rebase_that_moves_the_change_shows_nothing() -> None:
    """Other people's work above and below it is not ours to review."""
    base = ["import theirs", "", *OLD, "their()"]
    now = [*base[:22], *NEW, *base[22:]]
    found = since(OLD, [*OLD[:20], *NEW, *OLD[20:]], now, base)
    assert [] == asked(found)
    assert ("a.py", 23) == (found.moves["a.py"][0], found.moves["a.py"][1][21])


def test_a_rebase_that_changes_what_stands_beside_the_change_shows_the_edge() -> None:
    """The line beside what others changed may not fit any more."""
    base = [*OLD[:19], "their()", *OLD[20:]]
    found = since(OLD, [*OLD[:20], *NEW, *OLD[20:]], [*base[:20], *NEW, *base[20:]], base)
    assert [NEW[0]] == asked(found)


def test_a_block_that_moves_is_shown_at_its_edges_only() -> None:
    """Its lines are known; where it stands is new."""
    now = [*NEW[40:], *NEW[:40]]
    assert {NEW[0], NEW[39], NEW[40], NEW[59]} >= set(asked(since([], NEW, now)))


def test_a_copy_is_new() -> None:
    """A second use of known lines is a change; each line stands for one."""
    assert NEW[10:20] == asked(since([], NEW, [*NEW, "    other()", *NEW[10:20]]))[1:]


def test_a_renamed_file_is_known_by_its_lines() -> None:
    """The merge request itself may have added it, so git says nothing of a renaming."""
    before = Diff((change([], NEW, "a.py"), change([], OLD, "c.py")))
    now = Diff((change([], [*NEW, "more()"], "b.py"), change([], OLD, "c.py")))
    found = increment(before, now)
    assert ["more()"] == asked(found)
    assert "b.py" == found.moves["a.py"][0]


def test_another_file_is_not_taken_for_a_renamed_one() -> None:
    """A few equal lines prove nothing."""
    found = increment(Diff((change([], NEW, "a.py"),)), Diff((change([], [*NEW[:20], *OLD], "b.py"),)))
    assert [*NEW[:20], *OLD] == asked(found)
    assert {} == found.moves


def test_what_was_not_looked_at_is_all_new() -> None:
    """The model may have been away in the middle."""
    diff = Diff((change([], NEW, "a.py"), change([], OLD, "b.py")))
    assert OLD == asked(increment(diff, diff, unseen={"b.py"}))


def test_files_whose_lines_are_not_known_are_shown_as_they_are() -> None:
    """Whoever builds the prompt says why they are left out."""
    files = (
        FileDiff("a", "a", Change.modified, binary=True),
        FileDiff("b", "b", Change.modified, truncated=True),
    )
    assert Diff(files) == increment(Diff(files), Diff(files)).diff


def test_a_finding_moves_with_its_code() -> None:
    """Together with its fix, which is unchecked in the new place."""
    found = since([], NEW, ["    first()", *NEW])
    fix = Fix(line=11, end_line=12, replacement="x")
    carried = found.carry(finding(11, 12, fix=fix))
    assert carried == finding(
        12, 13, fingerprint="f11", fix=fix.model_copy(update={"line": 12, "end_line": 13})
    )


def test_a_finding_goes_with_its_code() -> None:
    """What stands there now is asked about."""
    found = since([], NEW, [*NEW[:10], "    changed()", *NEW[11:]])
    assert found.carry(finding(11)) is None
    assert found.carry(finding(1, path="other.py")) is None


def test_a_finding_ends_where_its_code_is_torn() -> None:
    """A fix for lines that are not together any more is none."""
    found = since([], NEW, [*NEW[:11], "    between()", *NEW[11:]])
    carried = found.carry(finding(11, 12, fix=Fix(line=11, end_line=12, replacement="x")))
    assert carried == finding(11)


def test_a_finding_follows_its_file() -> None:
    """Under the name that it has now."""
    found = increment(Diff((change([], NEW, "a.py"),)), Diff((change([], NEW, "b.py"),)))
    assert found.carry(finding(5)) == finding(5, path="b.py")


def test_what_is_said_anew_is_not_carried_too() -> None:
    """The newer word counts; another category is another finding."""
    new = finding(5, 6, fingerprint="new")
    other = finding(5, category="security")
    assert [new, other] == merged([new], [finding(6, fingerprint="old"), other])
    assert [new] == merged([new], [finding(50, fingerprint="new")])


lines = st.sampled_from(["a", "b", "c()", "}", "", "    x = 1", "    return x"])
texts = st.lists(lines, max_size=25)


def whole(file: FileDiff) -> list[tuple[Sign, str]]:
    """Return the rows of a file's hunks."""
    return [(line.sign, line.text) for hunk in file.hunks for line in hunk.lines]


@given(texts, texts, texts)
def test_any_push(old: list[str], then: list[str], now: list[str]) -> None:
    """Shown lines are lines of the change in their order; a line that is nowhere in the old change is shown."""
    before, after = change(old, then), change(old, now)
    assume(before.hunks and after.hunks)
    found = increment(Diff((before,)), Diff((after,)))
    known = {text for sign, text in whole(before) if sign is Sign.added}
    shown = {number for file in found.diff.files for number in file.added_lines}
    assert shown <= after.added_lines
    assert {n for n in after.added_lines if now[n - 1] not in known} <= shown
    for file in found.diff.files:
        for hunk in file.hunks:
            numbers = [line.new for line in hunk.lines if line.new]
            assert numbers == list(range(hunk.new_start, hunk.new_start + hunk.new_count))
            assert all(line.text == now[line.new - 1] for line in hunk.lines if line.new)
            assert any(line.sign is not Sign.context for line in hunk.lines)
    path, moves = found.moves["a.py"]
    assert "a.py" == path
    assert len(set(moves.values())) == len(moves)
    assert all(then[earlier - 1] == now[later - 1] for earlier, later in moves.items())


@given(texts, texts)
def test_the_same_change_is_never_shown_again(old: list[str], new: list[str]) -> None:
    """However its lines repeat."""
    diff = Diff((change(old, new),))
    assert [] == asked(increment(diff, diff, unseen=()))


@given(texts, texts, st.lists(st.sampled_from(["theirs", "more of theirs"]), max_size=5))
def test_a_new_base_above_the_change_is_never_shown(old: list[str], new: list[str], above: list[str]) -> None:
    """The hunks are the same further down."""
    frame = ["frame 1", "frame 2", "frame 3"]
    before = change([*frame, *old], [*frame, *new])
    assume(before.hunks)
    shifted = replace(
        before,
        hunks=tuple(
            replace(
                hunk,
                lines=tuple(
                    replace(
                        line,
                        old=line.old and line.old + len(above),
                        new=line.new and line.new + len(above),
                    )
                    for line in hunk.lines
                ),
            )
            for hunk in before.hunks
        ),
    )
    found = increment(Diff((before,)), Diff((shifted,)))
    assert [] == asked(found)
    assert all(later == earlier + len(above) for earlier, later in found.moves["a.py"][1].items())


@pytest.mark.parametrize("text", ["x", "", "}"])
def test_long_changes_are_compared_in_no_time(text: str) -> None:
    """Repetition cannot make it slow: every row is paired once."""
    many = [text] * 50_000
    found = since([], many, ["first", *many, "last"])
    assert {"first", "last"} <= set(asked(found))
