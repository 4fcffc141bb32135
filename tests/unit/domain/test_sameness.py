"""Whether two findings say the same."""

import pytest

from bot.domain.findings import Confidence, Evidence, Finding, Severity
from bot.domain.sameness import same


def finding(line: int = 5, *, scanner: str = "model", **more: object) -> Finding:
    """Return a finding on one line."""
    given = {"category": "security", "title": "SQL built from values", "message": "m"} | more
    return Finding(
        scanner=scanner,
        rule="r",
        severity=Severity.medium,
        confidence=Confidence.high,
        path="a.py",
        line=line,
        end_line=line,
        **given,
    )


STATIC = finding(scanner="semgrep")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (finding(title="Anything goes into the query"), True),
        (finding(7, title="Query takes SQL from values"), True),
        (finding(7, title="Anybody edits any user"), False),
        (finding(7, title="Anybody edits any user", evidence=(Evidence(line=5, quote="q"),)), True),
        (finding(7, title="查询由值拼接而成"), True),
        (finding(8, title="SQL built from values"), False),
        (finding(category="maintainability", title="SQL built from values"), True),
        (finding(category="performance", title="Query in a loop"), False),
    ],
)
def test_a_second_flaw_nearby_is_not_the_first(model: Finding, expected: bool) -> None:
    """At the same lines the kind decides; two lines apart the words or the evidence have to fit as well."""
    assert [same(model, STATIC), same(STATIC, model)] == [expected, expected]


@pytest.mark.parametrize(("rule", "said"), [("correctness", "error-handling"), ("resource", "resource-leak")])
def test_kinds_that_rules_do_not_tell_apart_are_one(rule: str, said: str) -> None:
    """A swallowed exception is a matter of correctness to a rule, and of error handling to a model."""
    static = finding(scanner="semgrep", category=rule, title="Exception swallowed")
    assert same(static, finding(category=said, title="Import failures vanish"))


def test_of_secrets_only_words_about_secrets_speak() -> None:
    """Another flaw on the line of a secret is another finding."""
    secret = finding(scanner="secrets", category="secret", title="AWS access key id committed")
    assert same(secret, finding(title="Hard-coded credential"))
    assert not same(secret, finding(title="SQL built from values"))
