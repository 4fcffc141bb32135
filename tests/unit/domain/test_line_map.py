"""Line maps, checked against a line-by-line model of the two files."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, DiffLine, FileDiff, Hunk, Sign
from bot.domain.line_map import LineMap


def diff_of(old: list[str], new: list[str], context: int) -> FileDiff:
    """Return the diff that the opcodes of difflib describe, numbered as git numbers it."""
    hunks = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context):
        lines: list[DiffLine] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [
                    DiffLine(Sign.context, i + 1, j + 1, old[i])
                    for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
                ]
            else:
                lines += [DiffLine(Sign.removed, i + 1, None, old[i]) for i in range(i1, i2)]
                lines += [DiffLine(Sign.added, None, j + 1, new[j]) for j in range(j1, j2)]
        first, last = group[0], group[-1]
        old_count, new_count = last[2] - first[1], last[4] - first[3]
        hunks.append(
            Hunk(
                old_start=first[1] + bool(old_count),
                old_count=old_count,
                new_start=first[3] + bool(new_count),
                new_count=new_count,
                section="",
                lines=tuple(lines),
            )
        )
    return FileDiff("a", "a", Change.modified, hunks=tuple(hunks))


def matching(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return [(block.a + k + 1, block.b + k + 1) for block in blocks for k in range(block.size)]


texts = st.lists(st.sampled_from("abcd"), max_size=30)


@given(texts, texts, st.integers(1, 3))
def test_every_line_maps_exactly_inside_and_outside_hunks(
    old: list[str], new: list[str], context: int
) -> None:
    """Unchanged lines map to each other; added and removed lines map to nothing."""
    lines = LineMap(diff_of(old, new, context))
    pairs = matching(old, new)
    old_by_new = {j: i for i, j in pairs}
    new_by_old = dict(pairs)
    assert [old_by_new.get(j) for j in range(1, len(new) + 1)] == [
        lines.old_of(j) for j in range(1, len(new) + 1)
    ]
    assert [new_by_old.get(i) for i in range(1, len(old) + 1)] == [
        lines.new_of(i) for i in range(1, len(old) + 1)
    ]


def test_zero_context_hunks_name_the_line_before_the_gap():
    """With -U0 an insertion after line 5 moves line 6 and leaves line 5."""
    hunk = Hunk(5, 0, 6, 1, "", (DiffLine(Sign.added, None, 6, "x"),))
    lines = LineMap(FileDiff("a", "a", Change.modified, hunks=(hunk,)))
    assert [(5, 5), (None, 6), (6, 7)] == [(lines.old_of(n), n) for n in (5, 6, 7)]
    assert [5, 7] == [lines.new_of(5), lines.new_of(6)]


def test_a_pure_rename_keeps_every_line():
    """A rename without hunks is the identity."""
    lines = LineMap(FileDiff("a", "b", Change.renamed))
    assert (7, 7) == (lines.old_of(7), lines.new_of(7))


def test_one_sided_and_unknown_files_map_nothing():
    """Added, deleted, truncated, binary and submodule entries have no counterpart lines."""
    files = [
        FileDiff("a", "a", Change.added),
        FileDiff("a", "a", Change.deleted),
        FileDiff("a", "a", Change.modified, truncated=True),
        FileDiff("a", "a", Change.modified, binary=True),
        FileDiff("a", "a", Change.modified, new_mode="160000"),
    ]
    assert [(None, None)] * 5 == [(LineMap(file).old_of(1), LineMap(file).new_of(1)) for file in files]


def test_numbers_below_one_are_no_lines():
    """Zero is not a line number."""
    assert LineMap(FileDiff("a", "b", Change.renamed)).old_of(0) is None
