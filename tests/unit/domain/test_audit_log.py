"""Nothing in the chain of the audit log can be changed, taken out or put in unnoticed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit_log import GENESIS, Act, Checked, Entry, Verification, checked, parse_head

_BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def chain(length: int) -> list[Entry]:
    """Return a chain in order."""
    entries: list[Entry] = []
    for number in range(1, length + 1):
        act = Act("link:0:operator", "token.create", f"ci-{number}", number, {"days": 90, "scopes": "read"})
        last = entries[-1] if entries else None
        entries.append(Entry.after(last, act, _BEGIN + timedelta(seconds=number)))
    return entries


def verified(entries: list[Entry], kept: tuple[int, str] | None = None) -> int | None:
    """Return the number of the first broken entry."""
    verification = Verification(kept)
    verification.take(entries[:2])
    verification.take(entries[2:])
    broken = verification.end()
    return broken.number if broken else None


def test_a_chain_in_order_is_whole():
    """Also an empty one."""
    assert verified(chain(5)) is None
    assert verified([]) is None


def _act(**changes: Any) -> Callable[[Entry], Entry]:
    return lambda entry: replace(entry, act=replace(entry.act, **changes))


@pytest.mark.parametrize(
    "tamper",
    [
        _act(actor="gitlab:7:somebody"),
        _act(action="token.revoke"),
        _act(subject="another"),
        _act(project_id=None),
        _act(details={"days": 91, "scopes": "read"}),
        _act(details={}),
        lambda entry: replace(entry, at=entry.at + timedelta(microseconds=1)),
        lambda entry: replace(entry, number=9),
        lambda entry: replace(entry, previous=GENESIS),
        lambda entry: replace(entry, hash=entry.hash[::-1]),
    ],
    ids=["actor", "action", "subject", "project", "detail", "details", "at", "number", "previous", "hash"],
)
def test_a_change_of_any_field_is_found(tamper: Callable[[Entry], Entry]):
    """It is told at the entry that was changed."""
    entries = chain(5)
    entries[2] = tamper(entries[2])

    assert verified(entries) == 3


def test_a_change_with_a_new_hash_is_found_at_the_next():
    """Whoever makes a hash anew would have to do so for all that follow."""
    entries = chain(5)
    entries[2] = Entry.after(entries[1], replace(entries[2].act, subject="another"), entries[2].at)

    assert verified(entries) == 4


@pytest.mark.parametrize(("kept", "first"), [([1, 2, 3, 4], 1), ([0, 1, 3, 4], 3), ([0, 2, 1, 3, 4], 2)])
def test_entries_that_are_missing_or_moved_are_found(kept: list[int], first: int):
    """At the beginning and in the middle."""
    entries = chain(5)

    assert verified([entries[index] for index in kept]) == first


def test_a_tail_that_was_cut_off_is_found_by_a_head_that_was_kept():
    """Without it a shorter chain looks whole."""
    entries = chain(5)
    kept = parse_head(entries[4].head)

    assert verified(entries[:3]) is None
    assert verified(entries[:3], kept) == 4
    assert verified(entries, kept) is None
    assert verified([*entries, Entry.after(entries[-1], Act("a", "b"), _BEGIN)], kept) is None


def test_a_chain_that_was_made_anew_is_found_by_a_head_that_was_kept():
    """All its hashes are right, but not the one that was kept."""
    kept = parse_head(chain(5)[3].head)
    other: list[Entry] = []
    for number in range(5):
        other.append(Entry.after(other[-1] if other else None, Act("x", "y"), _BEGIN + timedelta(number)))

    assert verified(other) is None
    assert verified(other, kept) == 4


@given(
    st.text(), st.text(), st.dictionaries(st.text(), st.text() | st.booleans() | st.none() | st.integers())
)
def test_hostile_text_has_a_hash(actor: str, subject: str, details: dict[str, Any]):
    """What Postgres would refuse is replaced before the hash is made."""
    entry = Entry.after(None, Act(actor, "act", subject, None, details), _BEGIN)

    assert verified([entry]) is None
    assert "\0" not in entry.act.actor + entry.act.subject
    (entry.act.actor + entry.act.subject).encode()


@pytest.mark.parametrize("text", ["", "1", "1:abc", f"0:{GENESIS}", f"x:{GENESIS}", f"1:{GENESIS}0"])
def test_what_is_no_head_is_refused(text: str):
    """The message says what one looks like."""
    with pytest.raises(ValueError, match="NUMBER:HASH"):
        parse_head(text)


@given(st.integers(0, 6), st.integers(1, 7))
def test_the_newest_part_of_a_chain_is_checked_alone(length: int, most: int):
    """It begins with what follows an entry on trust, or with the first of all, and ends with the head."""
    entries = chain(length)
    newest_first = entries[::-1][: most + 1]

    head = entries[-1].head if entries else None
    assert checked(newest_first, most=most) == Checked(max(1, length - most + 1), head)


@given(st.integers(1, 4))
def test_what_was_changed_in_the_newest_part_is_found(number: int):
    """Or taken out; the first entry that is not in order is named, and the head of all before it."""
    entries = chain(6)
    changed = [*entries[:number], _act(subject="another")(entries[number]), *entries[number + 1 :]]
    without = [*entries[:number], *entries[number + 1 :]]

    for tampered in (changed, without):
        found = checked(tampered[::-1], most=5)
        assert found.broken is not None
        assert found.broken.number == number + 1
        assert found.head == entries[number - 1].head
