"""Which comments ask a tool to look away from a finding, and which are about something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Finding, Severity
from bot.domain.policy import Gate, Mode, Policy, mode_of, verdict
from bot.domain.run import Facts
from bot.domain.silencing import silenced


def finding(line: int = 2, end_line: int | None = None) -> Finding:
    return Finding(
        scanner="semgrep",
        rule="r",
        category="security",
        severity=Severity.critical,
        path="a.py",
        line=line,
        end_line=end_line or line,
        title="t",
        message="m",
        fingerprint="1" * 32,
    )


def asks(*lines: str, line: int = 2, end_line: int | None = None) -> bool:
    (found,) = silenced([finding(line, end_line)], {"a.py": lines})
    return found.excused


@pytest.mark.parametrize(
    "comment",
    [
        "# nosec",
        "#nosec B608",
        "// #nosec G101 -- not a key",
        "//NOSONAR",
        "# nosemgrep",
        "# noqa",
        "# noqa: E501, S608",
        "# gitleaks:allow",
        "# trufflehog:ignore",
        "# pragma: allowlist secret",
        "# pragma: whitelist nextline secret",
        "# ggignore",
        "# checkov:skip=CKV_AWS_1: why",
        "# trivy:ignore:AVD-AWS-0001",
        "#tfsec:ignore:aws-x",
        "// eslint-disable-line",
        "/* eslint-disable-next-line */",
        "// eslint-disable-line no-eval -- trusted",
        "// eslint-disable-line security/detect-eval-with-expression",
        "# rubocop:disable Security/Eval",
        "//nolint",
        "//nolint:gosec,errcheck",
        "// NOLINTNEXTLINE(cert-env33-c)",
        "// lgtm[py/sql-injection]",
        "# codeql[py/sql-injection]",
    ],
)
def test_comments_that_ask_to_look_away_are_seen(comment: str) -> None:
    """On a line of the finding, or alone on the one above it."""
    assert asks("x", f"run(q)  {comment}")
    assert asks("x", "run(", f"  q)  {comment}", end_line=3)
    assert asks(f"  {comment}", "run(q)")
    assert not asks(f"other()  {comment}", "run(q)")
    assert not asks("x", "run(q)", comment)


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "# noqa: E501",
        "# type: ignore",
        "# pragma: no cover",
        "// eslint-disable-line no-console",
        "# pylint: disable=line-too-long",
        "//nolint:errcheck",
        "# nosemgrep: another-rule",
        "# nosecret here",
        "# lgtm",
    ],
)
def test_comments_about_something_else_are_none(comment: str) -> None:
    """Nobody has asked to let a flaw pass who wanted a long line."""
    assert not asks("x", f"run(q)  {comment}")


def test_they_open_no_gate_whatever_the_policy_says() -> None:
    """It blocks, and is said to have a waiver asked for."""
    policy = Policy(gate=Gate(accept_suppressions=True))
    (found,) = silenced([finding()], {"a.py": ["x", "run(q)  # nosec"]})
    assert Mode.block is mode_of(found, policy, Facts())
    said = verdict([found, finding(9)], policy)
    assert ((found, finding(9)), [found]) == (said.blocking, [one.finding for one in said.asked])


@given(st.lists(st.text(max_size=30), max_size=4), st.integers(1, 5), st.integers(0, 3))
def test_any_code_can_be_read(lines: list[str], line: int, more: int) -> None:
    """Also where a scanner names lines that are not there."""
    assert asks(*lines, line=line, end_line=line + more) in {True, False}


def test_a_long_line_takes_no_time() -> None:
    """Nor do many lines: read to their ends, either would take a quarter of an hour."""
    assert not asks("x", "eslint-disable noqa: nolint( " * 30_000)
    assert not asks("x", *["eslint-disable noqa: nolint( " * 20] * 1_000_000, end_line=1_000_001)
