"""Figures follow from the cases, survive a file, and do not call chance a difference."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent
from bot.domain.evaluation.case import Case
from bot.domain.evaluation.comparison import compare, to_json
from bot.domain.evaluation.intervals import Difference, Share
from bot.domain.evaluation.report import Calls, Missed, Outcome, Report, Said, judge, shortfalls
from bot.domain.findings import Finding, Severity


def said(**values: object) -> Said:
    """Return a comment that met the first expectation."""
    usual = {"path": "a.py", "line": 1, "end_line": 1, "scanner": "model", "rule": "r"}
    return Said.model_validate(usual | {"severity": "low", "title": "t", "meant": 0} | values)


def outcome(name: str, *comments: Said, expected: int = 0, missed: int = 0, **values: object) -> Outcome:
    """Return what came of a case, clean where nothing was expected."""
    numbers = range(expected - missed, expected)
    return Outcome(
        name=name,
        language="python",
        clean=not expected,
        expected=expected,
        comments=comments,
        missed=tuple(Missed(number=number, path="a.py", lines=(1, 1)) for number in numbers),
        **values,  # type: ignore[arg-type]
    )


REPORT = Report(
    model="m",
    cases=(
        outcome("a", said(), said(meant=None), expected=2, missed=1, calls=Calls(made=2, usable=1)),
        outcome("b", said(forbidden=True, placed=False), expected=1),
        outcome("c"),
        outcome("d", said(meant=None)),
        outcome("e", expected=7, missed=7, error="no such commit"),
    ),
)


def test_shares_are_counted_over_the_cases_that_were_reviewed() -> None:
    """A case that broke counts for nothing, a forbidden comment is wrong even where it is meant."""
    assert {
        "recall": Share(2, 3),
        "precision": Share(1, 4),
        "silence_on_clean": Share(1, 2),
        "position_validity": Share(3, 4),
        "valid_json": Share(1, 2),
    } == REPORT.shares
    assert REPORT.comments_per_clean == 0.5
    total = REPORT.to_json()["total"]
    assert (5, 1, 1) == (total["cases"], total["failed_cases"], total["forbidden"])


def test_a_report_is_read_as_it_was_written() -> None:
    """Through JSON, with what newer releases may add."""
    text = json.dumps(REPORT.to_json() | {"more": 1})
    assert REPORT == Report.from_json(text.encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not a report"), (b"[]", "not a report"), (b'{"format": 99}', "format 99"), (b"\xff", "not a report")],
)
def test_another_file_is_no_report(content: bytes, reason: str) -> None:
    """The message says what to do."""
    with pytest.raises(Permanent, match=reason):
        Report.from_json(content)


def test_minima_hold_for_what_can_be_counted() -> None:
    """Nothing to count is not below."""
    assert [] == shortfalls(Report(), {"recall": 0.9})
    assert [] == shortfalls(REPORT, {"recall": 0.6, "precision": None})
    assert ["precision is 0.250 (1 of 4), below 0.9"] == shortfalls(REPORT, {"precision": 0.9})


def test_comments_and_the_summary_are_judged() -> None:
    """A finding that only the summary lists was not commented, and the report says that it is there."""
    case = Case.model_validate(
        {
            "title": "",
            "language": "c",
            "expected": [
                {"path": "a.c", "lines": [1, 1]},
                {"path": "a.c", "lines": [50, 50]},
                {"path": "a.c", "lines": [90, 90], "optional": True},
                {"path": "b.c", "lines": [1, 1]},
            ],
            "must_not_say": [{"words": ["style"]}],
        }
    )

    def finding(path: str, line: int, title: str = "x") -> Finding:
        return Finding(
            scanner="model",
            rule="r",
            category="c",
            severity=Severity.low,
            path=path,
            line=line,
            end_line=line,
            title=title,
            message="",
        )

    found = judge(
        "n", case, [finding("a.c", 2), finding("b.c", 70, "Style")], [finding("b.c", 1)], lambda one: one.line < 50
    )
    assert (3, 1, 1) == (found.expected, found.found, found.false_positives)
    assert [(1, False), (3, True)] == [(one.number, one.listed) for one in found.missed]
    assert [(0, False, True), (None, True, False)] == [
        (one.meant, one.forbidden, one.placed) for one in found.comments
    ]


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        (Share(0, 0), 0.0, 1.0),
        (Share(0, 10), 0.0, 0.2775),
        (Share(10, 10), 0.7225, 1.0),
        (Share(81, 263), 0.2553, 0.3662),
    ],
)
def test_intervals_are_wilsons(share: Share, low: float, high: float) -> None:
    """As published tables have them."""
    assert (low, high) == pytest.approx(share.interval, abs=5e-5)


def test_differences_are_newcombes() -> None:
    """As his paper has them for 56 of 70 and 48 of 80."""
    assert (0.0524, 0.3339) == pytest.approx(Difference(Share(48, 80), Share(56, 70)).interval, abs=5e-5)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_intervals_hold_what_was_counted(a: int, b: int, c: int, d: int) -> None:
    """And lie between what is possible."""
    share, other = Share(min(a, b), max(a, b)), Share(min(c, d), max(c, d))
    low, high = share.interval
    assert 0 <= low <= high <= 1
    if share.value is not None:
        assert low <= share.value <= high
    difference = Difference(share, other)
    low, high = difference.interval
    assert -1 <= low <= high <= 1
    if difference.value is not None:
        assert low - 1e-9 <= difference.value <= high + 1e-9
    assert not (share == other and difference.clear)


def test_reports_are_compared_on_what_both_have() -> None:
    """Other cases are named, and each case says what it gained and lost."""
    new = Report(
        cases=(
            outcome("a", said(), said(), expected=2),
            outcome("b", expected=1, missed=1),
            outcome("c"),
            outcome("z", expected=30),
        )
    )
    found = compare(REPORT, new)
    assert (("d",), ("z",)) == (found.only_old, found.only_new)
    assert (Share(2, 3), Share(2, 3)) == (found.shares["recall"].old, found.shares["recall"].new)
    assert [("a", (1,), (), -1), ("b", (), (0,), -1)] == [
        (one.name, one.gained, one.lost, one.false_positives) for one in found.cases
    ]
    assert json.loads(json.dumps(to_json(found)))["shares"]["precision"]["clear"] is False


def test_few_cases_prove_nothing_and_many_do() -> None:
    """Nobody reads noise."""
    assert not Difference(Share(7, 10), Share(9, 10)).clear
    assert Difference(Share(70, 100), Share(90, 100)).clear
    assert Difference(Share(0, 0), Share(9, 10)).value is None
    assert not Difference(Share(0, 0), Share(9, 10)).clear
