"""What is written after `waive` is understood, or the answer can be about what is wrong with it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.waiver_words import EXAMPLE, Flaw, Wish, example, named_in, read_wish

TODAY = date(2026, 11, 26)
WEEKS = TODAY + timedelta(days=14)

hostile = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [
                "until",
                "for",
                "because",
                "2026-12-31",
                "30",
                "days",
                "1a2b3c4d",
                "\u202e",
                "`",
                "@root",
                "/close",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "1a2b3c4d until 2026-12-31 because only tests call it",
            Wish("1a2b3c4d", date(2026, 12, 31), "only tests call it"),
        ),
        ("until 2026-12-31 because it is so", Wish("", date(2026, 12, 31), "it is so")),
        ("`1A2B3C4D`, Until 2 weeks Because: it is so", Wish("1a2b3c4d", WEEKS, "it is so")),
        ("for 14 days because because", Wish("", WEEKS, "because")),
        ("until 2026-11-26 because today", Wish("", TODAY, "today")),
        ("", Wish(flaw=Flaw.bare)),
        ("1a2b3c4d", Wish("1a2b3c4d", flaw=Flaw.bare)),
        ("because I say so", Wish("", flaw=Flaw.form)),
        (
            "1a2b3c4d，until 2026-12-31，because：只在测试中调用",
            Wish("1a2b3c4d", date(2026, 12, 31), "只在测试中调用"),
        ),
        ("1a2b3c4d\u3000for 2 weeks because只在测试中调用", Wish("1a2b3c4d", WEEKS, "只在测试中调用")),
        ("until 2026-12-31 as I say so", Wish("", date(2026, 12, 31), flaw=Flaw.reason)),
        ("for 2 weeks, I say so", Wish(flaw=Flaw.day)),
        ("for 2 weeks since I say so", Wish("", WEEKS, flaw=Flaw.reason)),
        ("for 2 weeks for becauses", Wish("", WEEKS, flaw=Flaw.reason)),
        ("1a2b3c4d please until 2026-12-31 because x", Wish("1a2b3c4d", flaw=Flaw.form)),
        ("until because x", Wish(flaw=Flaw.day, reason="x")),
        ("until tomorrow because x", Wish(flaw=Flaw.day, reason="x")),
        ("until 2026-02-30 because x", Wish(flaw=Flaw.day, reason="x")),
        ("until 20261231 because x", Wish(flaw=Flaw.day, reason="x")),
        ("until ٣ days because x", Wish(flaw=Flaw.day, reason="x")),
        ("for 99999 weeks because x", Wish("", TODAY + timedelta(weeks=99_999), "x")),
        ("for 999999 weeks because x", Wish(flaw=Flaw.day, reason="x")),
        ("until 2026-11-25 because x", Wish("", date(2026, 11, 25), "x", Flaw.past)),
        ("until 2026-12-31", Wish("", date(2026, 12, 31), flaw=Flaw.reason)),
        ("until 2026-12-31 because", Wish("", date(2026, 12, 31), flaw=Flaw.reason)),
        ("until 2026-12-31 because \u200b\u2060", Wish("", date(2026, 12, 31), flaw=Flaw.reason)),
    ],
)
def test_a_wish_is_read(words: str, expected: Wish) -> None:
    """Its finding, its day and its reason, each with what may be wrong with it."""
    assert expected == read_wish(words, today=TODAY)


def test_the_example_that_people_are_shown_is_understood() -> None:
    """Copied as it is, it only lacks a reason worth the name."""
    assert Wish("", TODAY + timedelta(days=30), "REASON") == read_wish(EXAMPLE, today=TODAY)
    assert Wish("", TODAY + timedelta(days=7), "REASON") == read_wish(example(7), today=TODAY)
    assert example(365) == EXAMPLE


@given(hostile)
def test_anything_is_read_and_nothing_of_it_can_act(words: str) -> None:
    """A wish without a flaw has a day that is not over and a reason on one line, with nothing unseen in it."""
    wish = read_wish(words, today=TODAY)
    assert len(wish.finding) <= 64
    assert named_in(words) == named_in(words).lower()
    if wish.flaw is None:
        assert wish.until is not None
        assert wish.until >= TODAY
        assert wish.reason == " ".join(wish.reason.split())
        assert not {"\u202e", "\n", "\0"} & set(wish.reason)


@given(st.dates(min_value=TODAY), st.text("abc de", min_size=1).filter(str.strip))
def test_what_is_written_down_is_read_back(until: date, reason: str) -> None:
    """Whatever the day and the words."""
    wish = read_wish(f"1a2b3c4d until {until.isoformat()} because {reason}", today=TODAY)
    assert Wish("1a2b3c4d", until, " ".join(reason.split())) == wish
