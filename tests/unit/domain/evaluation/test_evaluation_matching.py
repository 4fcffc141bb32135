"""Comments are paired with expectations fairly: nothing earns twice, and order decides nothing."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evaluation.case import Expected, Forbidden
from bot.domain.evaluation.matching import NEAR_LINES, fits, match
from bot.domain.findings import Finding, Severity


def comment(line: int = 10, **values: object) -> Finding:
    """Return a comment on a.py."""
    usual = {
        "scanner": "model",
        "rule": "correctness",
        "category": "correctness",
        "severity": Severity.medium,
        "path": "a.py",
        "line": line,
        "end_line": line,
        "title": "Index past the end",
        "message": "The last index is one less.",
    }
    return Finding.model_validate(usual | values)


def expected(first: int = 10, last: int | None = None, **values: object) -> Expected:
    """Return an expectation about a.py."""
    return Expected.model_validate({"path": "a.py", "lines": [first, last or first], **values})


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (comment(), expected()),
        (comment(10 + NEAR_LINES), expected()),
        (comment(5, end_line=10 - NEAR_LINES), expected()),
        (comment(30), expected(20, 40)),
        (comment(), expected(categories=["correctness"])),
        (comment(), expected(categories=["security"], keywords=["PAST the end"])),
        (comment(cwe=("CWE-125: Out-of-bounds Read",)), expected(keywords=["cwe-125"])),
        (comment(), expected(severity="medium")),
    ],
)
def test_what_is_meant_fits(said: Finding, wanted: Expected) -> None:
    """Near lines, a range that overlaps, a category or a word are enough."""
    assert fits(said, wanted)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (comment(path="b.py"), expected()),
        (comment(10 + NEAR_LINES + 1), expected()),
        (comment(1, end_line=10 - NEAR_LINES - 1), expected()),
        (comment(), expected(categories=["security"])),
        (comment(), expected(keywords=["race"])),
        (comment(), expected(severity="high")),
    ],
)
def test_what_is_something_else_does_not_fit(said: Finding, wanted: Expected) -> None:
    """Each of file, lines, words and severity can tell them apart."""
    assert not fits(said, wanted)


def test_one_comment_counts_once() -> None:
    """Saying one thing twice meets one expectation, and one thing does not meet two."""
    twice = match([comment(), comment(11)], [expected()])
    assert ([1], []) == (twice.unexpected, twice.missed)
    one = match([comment()], [expected(), expected(11)])
    assert ([], [1]) == (one.unexpected, one.missed)


def test_required_expectations_come_first() -> None:
    """What may be said does not take the comment that had to be made."""
    found = match([comment()], [expected(optional=True), expected()])
    assert [0] == found.missed


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_no_order_loses_a_pair(order: tuple[int, ...]) -> None:
    """A comment that fits two expectations leaves the one that nobody else meets."""
    wide, left, right = expected(1, 20), expected(2), expected(20)
    wanted = [(wide, left, right)[at] for at in order]
    found = match([comment(2), comment(20), comment(11)], wanted)
    assert ([], []) == (found.unexpected, found.missed)


@given(st.lists(st.integers(1, 40), max_size=8), st.lists(st.integers(1, 40), max_size=8))
def test_pairs_are_pairs(lines: list[int], wanted: list[int]) -> None:
    """Each comment and each expectation is in one pair at most, and every pair fits."""
    comments, expectations = [comment(line) for line in lines], [expected(line) for line in wanted]
    found = match(comments, expectations)
    assert len(set(found.pairs.values())) == len(found.pairs)
    assert all(fits(comments[said], expectations[number]) for said, number in found.pairs.items())
    assert len(found.unexpected) + len(found.pairs) == len(comments)
    assert len(found.missed) + len(found.pairs) == len(expectations)
    free = [(said, number) for said in found.unexpected for number in found.missed]
    assert not any(fits(comments[said], expectations[number]) for said, number in free)


@pytest.mark.parametrize(
    ("forbidden", "applies"),
    [
        (Forbidden(), True),
        (Forbidden(path="*.py"), True),
        (Forbidden(path="*.go"), False),
        (Forbidden(words=("PAST",)), True),
        (Forbidden(words=("race", "leak")), False),
        (Forbidden(path="*.go", words=("past",)), False),
    ],
)
def test_what_must_not_be_said(forbidden: Forbidden, applies: bool) -> None:
    """By file, by words, or by both."""
    assert applies == forbidden.applies("src/a.py", "Index past the end")
