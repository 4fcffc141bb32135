"""The risk of a change is counted from what everybody can see in it."""

from __future__ import annotations

import pytest

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.findings import Finding, Severity
from bot.domain.risk import Ground, Level, risk


def file(path: str, added: int = 1, change: Change = Change.modified) -> FileDiff:
    """Return a file that gains lines."""
    lines = tuple(DiffLine(Sign.added, None, n, "x") for n in range(1, added + 1))
    return FileDiff(path, path, change, hunks=(Hunk(0, 0, 1, added, "", lines),))


def finding(severity: Severity) -> Finding:
    return Finding(
        scanner="model",
        rule="r",
        category="c",
        severity=severity,
        path="a",
        line=1,
        end_line=1,
        title="t",
        message="",
    )


@pytest.mark.parametrize(
    ("path", "ground"),
    [
        ("src/auth/login.py", Ground.sensitive),
        ("src/UserPermissions.java", Ground.sensitive),
        ("app/migrations/0003_drop.py", Ground.data),
        (".gitlab-ci.yml", Ground.pipeline),
        ("deploy/Dockerfile.web", Ground.pipeline),
        ("infra/main.tf", Ground.pipeline),
        ("web/package.json", Ground.dependencies),
        ("go.sum", Ground.dependencies),
    ],
)
def test_some_places_are_risky(path: str, ground: Ground) -> None:
    """One such file makes a small change worth a look."""
    found = risk(Diff((file(path),)), [])
    assert (Level.medium, [ground]) == (found.level, [reason.ground for reason in found.reasons])


@pytest.mark.parametrize(
    "path", ["docs/authors.md", "src/author.py", "tests/auth/test_login.py", "src/tokenizer.py"]
)
def test_words_that_only_begin_alike_are_not(path: str) -> None:
    """Neither are tests of such places."""
    assert risk(Diff((file(path),)), []).level is Level.low


def test_size_and_missing_tests_count() -> None:
    """A test in the change is enough, and a few lines need none."""
    large = Diff((file("src/a.py", 2000),))
    assert risk(large, []).level is Level.high
    assert [Ground.size, Ground.untested] == [reason.ground for reason in risk(large, []).reasons]
    tested = Diff((file("src/a.py", 50), file("tests/test_a.py", 5)))
    assert risk(tested, []).level is Level.low
    assert risk(Diff((file("src/a.py", 3),)), []).level is Level.low
    for test in (
        "a.spec.ts",
        "pkg/a_test.go",
        "src/test/java/ATest.java",
        "spec/a_spec.rb",
        "__tests__/a.js",
    ):
        assert risk(Diff((file("src/a.py", 50), file(test))), []).level is Level.low


def test_a_grave_finding_is_a_high_risk() -> None:
    """Whatever else there is; mild ones change nothing."""
    assert risk(Diff((file("a.md"),)), [finding(Severity.high)]).level is Level.high
    assert risk(Diff((file("a.md"),)), [finding(Severity.medium)]).level is Level.medium
    assert risk(Diff((file("a.md"),)), [finding(Severity.low)]).level is Level.low


def test_what_nobody_read_is_a_risk() -> None:
    """The review knows nothing of it."""
    found = risk(Diff((file("a.md"),)), [], ["a.md"])
    assert (Level.medium, Ground.unread, 1) == (found.level, found.reasons[0].ground, found.reasons[0].count)
