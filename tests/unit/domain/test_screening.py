"""A model's finding is news, an explanation of a scanner's, or dropped with a reason."""

import uuid

import pytest

from bot.domain.findings import Confidence, Finding, Severity
from bot.domain.fingerprint import stamp
from bot.domain.records import ThreadRecord
from bot.domain.screening import Screened, screen

CODE = [f"line {number} of the code" for number in range(1, 60)]
WHY = "It raises IndexError."


def finding(line: int = 10, title: str = "Loop runs past the end", **more: object) -> Finding:
    """Return a stamped finding, of the model unless *more* says otherwise."""
    fields: dict[str, object] = {
        "scanner": "model", "rule": "correctness", "category": "correctness", "severity": Severity.medium,
        "confidence": Confidence.high, "path": "a.py", "line": line, "end_line": line, "title": title, "message": WHY,
    }  # fmt: skip
    (stamped,) = stamp([Finding.model_validate(fields | more)], {"a.py": CODE}, key=b"key")
    return stamped


def static(line: int = 10, title: str = "Index one past the end", **more: object) -> Finding:
    """Return a stamped finding of a scanner."""
    return finding(line, title, **{"scanner": "semgrep", "rule": "index", "cwe": ("CWE-193",), **more})


def thread(about: Finding) -> ThreadRecord:
    """Return the record of a thread on *about*."""
    return ThreadRecord(
        about.fingerprint, uuid.uuid4(), "open", about.scanner, about.rule, "medium", about.path, about.anchor
    )


def reasons(screened: Screened) -> list[str]:
    """Return why something was dropped."""
    return [rejection.reason for rejection in screened.rejected]


def test_news_is_let_through() -> None:
    """Unchanged, the gravest first."""
    mild, grave = finding(10), finding(30, "SQL injection", severity=Severity.high, category="security")
    assert screen([mild, grave]) == Screened(news=(grave, mild))


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (static(10), finding(10)),
        (static(12), finding(10)),
        (static(8, category="security"), finding(10, "Index is past the end")),
        (static(9, end_line=14), finding(12, "Something else entirely")),
    ],
)
def test_a_scanners_finding_is_explained_not_repeated(known: Finding, said: Finding) -> None:
    """The same place and kind: the words of the model go to the finding of the scanner."""
    screened = screen([said], static=[known])
    assert [one.explains for one in screened.explaining] == [known.fingerprint]
    assert screened.news == ()
    assert screened.rejected == ()


@pytest.mark.parametrize(
    "known",
    [
        static(13),
        static(10, category="performance", title="Slow query"),
        static(10, path="b.py"),
        static(10, commit="a" * 40),
    ],
)
def test_another_place_or_kind_is_another_finding(known: Finding) -> None:
    """Three lines away, another category and subject, another file, or a commit of the past."""
    assert screen([finding(10)], static=[known]).news == (finding(10),)


def test_a_scanners_finding_has_one_explanation() -> None:
    """A second one, and one of what the code asks to ignore, is dropped."""
    two = [finding(10), finding(10, "Bounds are wrong", message="Other words: it raises.")]
    screened = screen(two, static=[static(10)])
    assert len(screened.explaining) == 1
    assert reasons(screened) == ["a scanner reports it"]
    assert reasons(screen([finding(10)], static=[static(10, suppressed=True)])) == ["a scanner reports it"]


def test_nothing_is_added_to_a_secret() -> None:
    """The model's words about it are dropped; another defect on its line is news."""
    secret = static(10, "AWS key committed", scanner="secrets", category="secret", cwe=("CWE-798",))
    said = finding(10, "Hard-coded credential", category="security", message="Anybody can use it.")
    assert reasons(screen([said], static=[secret])) == ["a scanner reports it"]
    assert screen([finding(10)], static=[secret]).news == (finding(10),)


def test_what_has_a_thread_is_kept_for_it() -> None:
    """Even if it would be dropped today: the thread must not lose its finding."""
    said = finding(10, "Missing docstring", message="There is none.")
    screened = screen([said], threads=[thread(said)], static=[static(10)])
    assert screened == Screened(news=(said,), raised=frozenset([said.fingerprint]))


def test_an_earlier_thread_is_not_repeated_under_another_category() -> None:
    """The same code, named otherwise this time; not so when the thread has its own finding again."""
    old = finding(10, category="security", rule="security")
    assert reasons(screen([finding(10)], threads=[thread(old)])) == ["an earlier comment says it"]
    both = screen([finding(10, "Clock goes backwards"), old], threads=[thread(old)])
    assert len(both.news) == 2
    assert reasons(screen([finding(10)], threads=[thread(static(10))])) == []


@pytest.mark.parametrize(
    "other",
    [
        finding(11, "The loop runs past its end", category="security"),
        finding(9, "Other words", end_line=12, severity=Severity.low),
    ],
)
def test_near_duplicates_are_folded(other: Finding) -> None:
    """The same words nearby, or the same category on the same lines; the graver one stays."""
    screened = screen([other, finding(10, severity=Severity.high)])
    assert [one.line for one in screened.news] == [10]
    assert reasons(screened) == ["it repeats another finding"]


def test_noise_is_dropped() -> None:
    """With the reason, the place, and what it said."""
    screened = screen([finding(10, "Missing docstring", message="There is none.")])
    assert [(one.reason, one.line, one.title) for one in screened.rejected] == [
        ("it is a matter of style", 10, "Missing docstring")
    ]
    echo = finding(10, "Words", message="Line 10 of the code")
    assert reasons(screen([echo], lines={"a.py": CODE})) == ["it only repeats the code"]
