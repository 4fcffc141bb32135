"""What became of commented lines."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, DiffLine, FileDiff, Hunk, Sign
from bot.domain.tracking import Fate, fate

BEFORE = [
    "import os",
    "",
    "def find(db, name):",
    "    query = make(name)",
    "    return db.run(query)",
    "",
    "end",
]


def diffed(before: Sequence[str], now: Sequence[str], change: Change = Change.modified) -> FileDiff | None:
    """Return the difference as git has it, each change a hunk without context."""
    hunks = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        lines = [
            *(DiffLine(Sign.removed, n + 1, None, before[n]) for n in range(i, j)),
            *(DiffLine(Sign.added, None, n + 1, now[n]) for n in range(k, m)),
        ]
        old, new = (i + 1 if j > i else i), (k + 1 if m > k else k)
        hunks.append(Hunk(old, j - i, new, m - k, "", tuple(lines)))
    return FileDiff("a.py", "a.py", change, hunks=tuple(hunks)) if hunks else None


def ended(
    now: Sequence[str], first: int = 4, last: int = 5, **more: Sequence[tuple[list[str], list[str]]]
) -> Fate:
    """Return what became of lines of BEFORE."""
    return fate(first, last, diffed(BEFORE, now), before=BEFORE, now=now, **more)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (BEFORE, Fate.kept),
        (["new", "new", *BEFORE], Fate.kept),
        ([*BEFORE[:2], "def found(db, name):", *BEFORE[3:]], Fate.kept),
        ([*BEFORE[3:5], *BEFORE[:3], *BEFORE[5:]], Fate.moved),
        ([*BEFORE[:3], *(f"        {line.strip()}" for line in BEFORE[3:5]), *BEFORE[5:]], Fate.moved),
        ([*BEFORE[:4], "", *BEFORE[4:]], Fate.moved),
        ([*BEFORE[:3], "    query = safe(name)", *BEFORE[4:]], Fate.changed),
        ([*BEFORE[:4], "    check(query)", *BEFORE[4:]], Fate.changed),
        ([*BEFORE[:3], *BEFORE[5:]], Fate.changed),
        ([], Fate.changed),
    ],
)
def test_lines_are_followed(now: list[str], expected: Fate) -> None:
    """Moved, indented or pushed down they are what they were; changed, parted or gone they are not."""
    assert expected is ended(now)


def test_code_that_moved_to_another_file_is_not_changed() -> None:
    """Unless it is another one, or stood there before, too."""
    now = [*BEFORE[:3], *BEFORE[5:]]
    assert Fate.changed is ended(now, others=[(BEFORE, ["more", *BEFORE])])
    assert Fate.moved is ended(now, others=[([], ["a"]), ([], ["def found():", *BEFORE[3:5]])])
    assert Fate.changed is ended(now, others=[([], [BEFORE[3]])])


def test_a_twin_does_not_stand_in_for_code_that_is_gone() -> None:
    """Of two equal places one was commented on, and that one is gone."""
    before = ["return 1", "a", "return 1"]
    now = ["a", "return 1"]
    assert Fate.changed is fate(1, 1, diffed(before, now), before=before, now=now)


def test_a_deleted_file_takes_its_code_along() -> None:
    """Where it stands nowhere else."""
    gone = diffed(BEFORE, [], Change.deleted)
    assert Fate.removed is fate(4, 5, gone, before=BEFORE, now=[])
    assert Fate.moved is fate(4, 5, gone, before=BEFORE, now=[], others=[([], BEFORE)])


def test_blank_lines_have_no_fate() -> None:
    """Nor has what is beyond the end of the file, as where a comment names a line that is not there."""
    assert Fate.kept is ended(["x"], 2, 2)
    assert Fate.kept is ended(["x"], 90, 99)


@given(
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=8),
    st.lists(st.sampled_from("abcde"), max_size=8),
    st.data(),
)
def test_what_is_not_touched_is_kept(before: list[str], now: list[str], data: st.DataObject) -> None:
    """Whatever is written above and below, lines that stay together are never called changed."""
    first = data.draw(st.integers(1, len(before)))
    last = data.draw(st.integers(first, len(before)))
    whole = [*now, *before, *now]
    found = fate(first, last, diffed(before, whole), before=before, now=whole)
    assert found in {Fate.kept, Fate.moved}
