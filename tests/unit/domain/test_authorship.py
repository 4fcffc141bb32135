"""Who has a hand in the code of a merge request: by what hooks tell of pushes, and by what commits say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.authorship import Person, Pushes, Signature, co_authors
from bot.gitlab.people_shapes import SignedCommit

HEADS = [format(number, "040x") for number in range(1, 400)]
ANNA = Person(42, {"anna", "Anna  Berg"}, {"anna@bank.example", ""})


@given(st.integers(2, 12), st.randoms(), st.booleans())
def test_hooks_may_come_in_any_order(count: int, chance: random.Random, repeated: bool) -> None:
    """Once all have come, it is known who made each push; one of them that is lost stays a doubt."""
    pushes = [(HEADS[n], 100 + n % 3, HEADS[n - 1] if n else None) for n in range(count)]
    order = chance.sample(pushes, count) + (pushes if repeated else [])
    known = Pushes()
    for push in order:
        known = known.heard(*push)
    assert ((), {push[1] for push in pushes}) == (known.untold, set(known.by))

    lost = chance.randrange(count - 1)
    known = Pushes()
    for push in [one for one in pushes if one[0] != HEADS[lost]]:
        known = known.heard(*push)
    assert (HEADS[lost],) == known.untold


def test_a_head_that_nobody_has_told_of_is_a_doubt_until_its_hook_comes() -> None:
    """As the reconciler finds one."""
    known = Pushes().heard(HEADS[0], 1).heard(HEADS[1], None)
    assert (HEADS[1],) == known.untold
    assert known == known.heard(HEADS[0], None)
    assert () == known.heard(HEADS[1], 2, HEADS[0]).untold


def test_nobody_can_make_it_grow() -> None:
    """Of many pushes the newest heads are remembered, and of all of them who made them."""
    known = Pushes()
    for number, head in enumerate(HEADS):
        known = known.heard(
            head, 1 + number % 2 if number % 3 else None, HEADS[number - 1] if number else None
        )
    assert (100, 100, {1, 2}) == (len(known.told), len(known.untold), set(known.by))


@pytest.mark.parametrize(
    ("name", "email", "hers"),
    [
        ("x", "anna@bank.example", True),
        ("x", "Anna@Bank.Example ", True),
        ("anna  BERG", "x@y.example", True),
        ("Anna", "x@y.example", True),
        ("x", "42-whatever@users.noreply.gitlab.example", True),
        ("x", "142-anna@users.noreply.gitlab.example", False),
        ("x", "\u0664\u0662-anna@users.noreply.gitlab.example", False),
        ("Anna Bergson", "anna@bank.example.evil", False),
        ("", "", False),
    ],
)
def test_a_signature_may_be_somebody_s_by_name_or_address(name: str, email: str, hers: bool) -> None:
    """Doubt makes an author: then somebody else has to agree. An empty one is nobody's."""
    assert hers is ANNA.signed(Signature(name, email))


def test_co_authors_have_signed_too() -> None:
    """As those of suggestions have that are applied several at once; the address may be missing."""
    message = (
        "Apply 2 suggestion(s)\n\nSee Co-authored-by: Nobody <n@x>\n"
        "Co-authored-by: Anna Berg <a@x.example>\n  CO-AUTHORED-BY:Ben\nco-authored-by: <c@x.example>"
    )
    expected = (Signature("Anna Berg", "a@x.example"), Signature("Ben", ""), Signature("", "c@x.example"))
    assert expected == co_authors(message)
    commit = SignedCommit(author_name="Dev", author_email="d@x.example", message=message)
    assert any(map(ANNA.signed, commit.signatures))


@given(st.text(), st.text())
def test_any_signature_can_be_read(name: str, email: str) -> None:
    """Whoever commits chooses both."""
    assert ANNA.signed(Signature(name, email)) in {True, False}
