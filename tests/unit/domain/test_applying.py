"""Who has applied a suggestion, and whether it was taken by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.applying import applied_by, by_hand
from bot.domain.findings import Fix
from bot.domain.forge import ForgeCommit, ForgeNote

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOTE = ForgeNote(
    10, 1, "A finding", resolved=True, resolved_by=5, resolved_at=AT, applied=(True,),
    author_name="Cloister", resolver_name="Dana",
)  # fmt: skip
COMMIT = ForgeCommit("Cloister", "Dana", AT - timedelta(seconds=2))


def test_who_resolved_it_with_the_commit_has_applied_it() -> None:
    """The page does both for whoever clicks."""
    theirs = ForgeCommit("Dana", "Dana", AT - timedelta(hours=2))
    assert 5 == applied_by(NOTE, [theirs, COMMIT])


@pytest.mark.parametrize(
    ("note", "commit"),
    [
        ({"resolved_by": None}, {}),
        ({"resolved_at": None}, {}),
        ({"resolver_bot": True}, {}),
        ({"resolver_name": ""}, {"committer_name": ""}),
        ({"resolver_name": "Remy"}, {}),
        ({}, {"author_name": "Remy"}),
        ({}, {"author_name": "Dana"}),
        ({}, {"committed_at": AT - timedelta(minutes=2)}),
        ({}, {"committed_at": AT + timedelta(minutes=2)}),
        ({"author_name": "Dana"}, {"author_name": "Dana"}),
    ],
)
def test_what_is_not_certain_names_nobody(note: dict[str, Any], commit: dict[str, Any]) -> None:
    """Somebody else resolved the thread, or later; the code is not ours; names are missing or the same."""
    assert applied_by(replace(NOTE, **note), [replace(COMMIT, **commit)]) is None


def test_two_who_apply_at_once_are_not_told_apart() -> None:
    """Each may have resolved the other's thread."""
    assert applied_by(NOTE, [COMMIT, replace(COMMIT, committer_name="Remy")]) is None
    assert applied_by(NOTE, []) is None


BEFORE = [
    "import os",
    "",
    "def find(db, name):",
    "    query = make(name)",
    "    return db.run(query)",
    "",
    "end",
]
FIX = Fix(line=4, end_line=4, replacement="    query = safe(name)")
TAKEN = [*BEFORE[:3], "    query = safe(name)", *BEFORE[4:]]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (TAKEN, True),
        ([*BEFORE[:2], "def find(connection, name):", *TAKEN[3:]], True),
        (["import re", "", *TAKEN[3:], "", *TAKEN[:3]], True),
        ([line.strip() for line in TAKEN], True),
        ([*TAKEN[:4], "", *TAKEN[4:]], True),
        (BEFORE, False),
        ([*BEFORE[:3], "    query = safer(name)", *BEFORE[4:]], False),
        ([*BEFORE[:3], *BEFORE[4:]], False),
        ([*BEFORE, "", "    query = safe(name)"], False),
        ([], False),
    ],
)
def test_the_suggested_text_in_its_place_was_taken(now: list[str], expected: bool) -> None:
    """Among other changes, moved or indented; not something like it, nor the same somewhere else."""
    assert expected is by_hand(FIX, before=BEFORE, now=now)


@pytest.mark.parametrize(
    ("replacement", "now", "expected"),
    [
        ("", [*BEFORE[:3], *BEFORE[4:]], True),
        ("", [*BEFORE[:3], "    query = None", *BEFORE[4:]], False),
        ("    check(name)\n    query = make(name)", [*BEFORE[:3], "    check(name)", *BEFORE[3:]], True),
        ("    check(name)\n    query = make(name)", [*BEFORE[:3], "    log(name)", *BEFORE[3:]], False),
    ],
)
def test_lines_that_go_or_come_are_taken_too(replacement: str, now: list[str], expected: bool) -> None:
    """Also where some of the lines stay."""
    fix = FIX.model_copy(update={"replacement": replacement})
    assert expected is by_hand(fix, before=BEFORE, now=now)


def test_a_file_of_one_line_has_nothing_beside_it() -> None:
    """Then it must read just so."""
    fix = Fix(line=1, end_line=1, replacement="b")
    assert by_hand(fix, before=["a"], now=["b"])
    assert not by_hand(fix, before=["a"], now=["b", "c"])


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=6), st.data())
def test_code_that_nobody_touched_was_not_taken(before: Sequence[str], data: st.DataObject) -> None:
    """Whatever was suggested: text that stood there already proves nothing."""
    line = data.draw(st.integers(1, len(before)))
    fix = Fix(line=line, end_line=len(before), replacement=data.draw(st.sampled_from(["", "a", "d", "a\nb"])))
    taken = by_hand(fix, before=before, now=before)
    assert not taken or [one for one in before if one] == [one for one in fix.replacement.split("\n") if one]
