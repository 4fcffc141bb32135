"""Positions name exactly the lines that GitLab's own diff parser finds."""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, DiffLine, FileDiff, Hunk, Sign
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.gitlab.positions import NoPosition, Side, Target, line_code, position

REVISION = Revision(
    ref=MergeRequestRef(instance="gitlab.example", project_id=1, iid=2),
    base_sha="a" * 40,
    start_sha="b" * 40,
    head_sha="c" * 40,
)
SHAS = {"base_sha": "a" * 40, "start_sha": "b" * 40, "head_sha": "c" * 40, "position_type": "text"}
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "}"]), max_size=40)
OLD = [f"line {n}" for n in range(1, 31)]


def compare(old: list[str], new: list[str], context: int = 3, **kwargs: object) -> FileDiff:
    """Build the file diff of two texts."""
    change = Change.modified if old and new else Change.added if new else Change.deleted
    file = FileDiff(
        old_path="src/app.py", new_path="src/app.py", change=change, hunks=hunks(old, new, context)
    )
    return replace(file, **kwargs)


def hunks(old: list[str], new: list[str], context: int = 3) -> tuple[Hunk, ...]:
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    return tuple(hunk(old, new, group) for group in matcher.get_grouped_opcodes(context))


def hunk(old: list[str], new: list[str], group: list[tuple[str, int, int, int, int]]) -> Hunk:
    (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
    lines: list[DiffLine] = []
    for tag, a1, a2, b1, b2 in group:
        if tag == "equal":
            lines += [DiffLine(Sign.context, a + 1, b1 + a - a1 + 1, old[a]) for a in range(a1, a2)]
        else:
            lines += [DiffLine(Sign.removed, a + 1, None, old[a]) for a in range(a1, a2)]
            lines += [DiffLine(Sign.added, None, b + 1, new[b]) for b in range(b1, b2)]
    return Hunk(i1 + (i2 > i1), i2 - i1, j1 + (j2 > j1), j2 - j1, "", tuple(lines))


def as_gitlab_parses(old: list[str], new: list[str]) -> dict[tuple[int | None, int | None], str]:
    """Return the line code of every shown line, from the text of the diff alone."""
    codes = {}
    path = hashlib.sha1(b"src/app.py").hexdigest()
    line_old = line_new = 0
    for text in list(difflib.unified_diff(old, new, lineterm=""))[2:]:
        if found := re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)", text):
            line_old, line_new = int(found[1]), int(found[2])
            continue
        shown = (None if text[0] == "+" else line_old, None if text[0] == "-" else line_new)
        codes[shown] = f"{path}_{line_old}_{line_new}"
        line_old += text[0] != "+"
        line_new += text[0] != "-"
    return codes


def unchanged_pairs(old: list[str], new: list[str]) -> set[tuple[int | None, int | None]]:
    blocks = difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_matching_blocks()
    return {(b.a + n + 1, b.b + n + 1) for b in blocks for n in range(b.size)}


def numbers(place: dict[str, object]) -> tuple[object, object]:
    return place.get("old_line"), place.get("new_line")


@given(old=TEXTS, new=TEXTS, data=st.data())
def test_every_line_has_the_pair_of_numbers_that_gitlab_looks_for(
    old: list[str], new: list[str], data: st.DataObject
):
    """Any line of either side is found in GitLab's parsed diff, or is a true unchanged pair."""
    side = data.draw(
        st.sampled_from([side for side, text in ((Side.old, old), (Side.new, new)) if text] or [None])
    )
    file = compare(old, new)
    if side is None or not file.hunks:
        return
    line = data.draw(st.integers(1, len(old if side is Side.old else new)))
    place = position(file, REVISION, Target(line, line, side), old_line_count=len(old))
    shown = set(as_gitlab_parses(old, new)) | unchanged_pairs(old, new)
    assert numbers(place) in shown
    assert line == place[f"{side}_line"]
    assert "line_range" not in place


@given(old=TEXTS, new=TEXTS.filter(bool), data=st.data())
def test_ranges_carry_the_line_codes_of_gitlabs_parser(old: list[str], new: list[str], data: st.DataObject):
    """Both ends of a range carry the running counters, and the anchor is the last line."""
    file = compare(old, new)
    start = data.draw(st.integers(1, len(new)))
    end = data.draw(st.integers(start, len(new)))
    if start == end or not file.hunks:
        return
    place = position(file, REVISION, Target(start, end))
    codes = as_gitlab_parses(old, new)
    for edge, line in (("start", start), ("end", end)):
        single = numbers(position(file, REVISION, Target(line, line)))
        expected = codes.get(single) or line_code("src/app.py", *single)
        assert {"line_code": expected, "type": "new" if single[0] is None else "old"} == place["line_range"][
            edge
        ]
    assert numbers(position(file, REVISION, Target(end, end))) == numbers(place)


@given(old=TEXTS, new=TEXTS.filter(bool), data=st.data())
def test_context_does_not_matter(old: list[str], new: list[str], data: st.DataObject):
    """A diff without context gives the same positions, unless it touches an edge of the file."""
    if old == new:
        return
    old, new = ["top", *old, "end"], ["top", *new, "end"]
    start = data.draw(st.integers(1, len(new)))
    target = Target(start, data.draw(st.integers(start, len(new))))
    file = compare(old, new)
    assert position(file, REVISION, target) == position(compare(old, new, context=0), REVISION, target)


def test_added_line_has_no_old_number():
    """An added line names its new number alone."""
    file = compare(OLD, [*OLD[:10], "extra", *OLD[10:]])
    expected = SHAS | {"old_path": "src/app.py", "new_path": "src/app.py", "new_line": 11}
    assert expected == position(file, REVISION, Target(11, 11))


def test_removed_line_has_no_new_number():
    """A removed line names its old number alone."""
    file = compare(OLD, [*OLD[:10], *OLD[11:]])
    expected = SHAS | {"old_path": "src/app.py", "new_path": "src/app.py", "old_line": 11}
    assert expected == position(file, REVISION, Target(11, 11, Side.old))


@pytest.mark.parametrize(("new_line", "old_line"), [(13, 11), (25, 23), (2, 2)])
def test_unchanged_line_has_both_true_numbers(new_line: int, old_line: int):
    """Lines inside a hunk, after it and before it all name both sides."""
    file = compare(OLD, [*OLD[:10], "extra", "more", *OLD[10:]])
    assert (old_line, new_line) == numbers(position(file, REVISION, Target(new_line, new_line)))


def test_renamed_file_names_both_paths():
    """A renamed file keeps its old path, and its line codes come from the new one."""
    file = compare(OLD, ["first", *OLD], old_path="a.py", new_path="b.py", change=Change.renamed)
    place = position(file, REVISION, Target(1, 20))
    assert (place["old_path"], place["new_path"]) == ("a.py", "b.py")
    assert line_code("b.py", 1, 1) == place["line_range"]["start"]["line_code"]
    assert {"line_code": line_code("b.py", 19, 20), "type": "old"} == place["line_range"]["end"]


def test_new_file_counts_old_lines_from_zero():
    """The line codes of a new file carry 0 as the old number."""
    place = position(compare([], ["a", "b", "c"]), REVISION, Target(1, 3))
    assert [line_code("src/app.py", 0, n) for n in (1, 3)] == [
        place["line_range"][edge]["line_code"] for edge in ("start", "end")
    ]
    assert place["old_path"] == "src/app.py"


def test_line_codes_hash_utf8():
    """A path outside ASCII is hashed as UTF-8."""
    assert f"{hashlib.sha1('ä.py'.encode()).hexdigest()}_0_1" == line_code("ä.py", 0, 1)


@pytest.mark.parametrize(
    ("file", "target", "reason"),
    [
        (compare(OLD, []), Target(1, 1), "deleted"),
        (compare([], OLD), Target(1, 1, Side.old), "new"),
        (compare([], OLD), Target(31, 31), "not part of the diff"),
        (compare(OLD, ["x", *OLD[1:]], truncated=True, hunks=()), Target(1, 1), "too large"),
        (compare(OLD, OLD, binary=True), Target(1, 1), "binary"),
        (compare(OLD, ["x"], new_mode="160000"), Target(1, 1), "submodule"),
        (compare(OLD, OLD, change=Change.renamed, old_path="old.py"), Target(1, 1), "unchanged"),
        (compare(OLD, ["x", *OLD], new_path="p" * 1001), Target(1, 1), "path is too long"),
        (compare(OLD, ["x", *OLD]), Target(0, 1), "not a range"),
        (compare(OLD, ["x", *OLD]), Target(3, 2), "not a range"),
        (compare(OLD, ["x", *OLD]), Target(32, 32), "not part of the diff"),
        (compare(OLD, ["x", *OLD]), Target(32, 33), "not part of the diff"),
    ],
)
def test_lines_without_a_place_are_refused(file: FileDiff, target: Target, reason: str):
    """What GitLab would answer with 400 is refused beforehand, with the reason."""
    with pytest.raises(NoPosition, match=reason):
        position(file, REVISION, target, old_line_count=30)


def test_removed_line_of_a_deleted_file_is_placed():
    """A deleted file takes comments on its old side."""
    assert numbers(position(compare(OLD, []), REVISION, Target(3, 3, Side.old))) == (3, None)
