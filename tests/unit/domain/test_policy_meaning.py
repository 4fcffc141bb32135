"""A policy file that can be read and does not mean what it says is explained, not used."""

from __future__ import annotations

import pytest

from bot.domain.policy import Policy
from bot.domain.policy_file import PolicyProblem, parse


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("{}", "{draft: true}"),
        ("{severity: medium}", "{severity: critical}"),
        ("{newness: any}", "{severity: low, newness: existing}"),
        ("{scanners: [semgrep, secrets], draft: true}", "{scanners: [secrets], draft: true, labels: [a]}"),
        ("{author_role: owner}", "{author_role: owner}"),
    ],
)
def test_a_rule_after_a_wider_one_is_a_mistake(wide: str, narrow: str) -> None:
    """It would never count, though its file looks as if it blocked; the other way round it is an exception."""
    text = "gate:\n  rules:\n    - {{when: {}, mode: advise}}\n    - {{when: {}, mode: block}}\n"
    problem = parse(text.format(wide, narrow))
    assert isinstance(problem, PolicyProblem)
    assert (4, 7) == (problem.line, problem.column)
    assert "rule 2 never counts, since rule 1 fits all that it is about" in str(problem)
    if wide != narrow:
        assert isinstance(parse(text.format(narrow, wide)), Policy)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{draft: true}", "{draft: false}"),
        ("{severity: critical}", "{severity: high}"),
        ("{}", "{newness: existing}"),
        ("{labels: [a]}", "{labels: [a, b]}"),
        ("{labels: [a]}", "{severity: high}"),
        ("{paths: [docs/]}", "{rules: [x]}"),
    ],
)
def test_rules_of_which_each_can_count_are_valid(first: str, second: str) -> None:
    """A later rule is about something that no earlier one fits."""
    text = f"gate: {{rules: [{{when: {first}, mode: advise}}, {{when: {second}, mode: block}}]}}"
    assert isinstance(parse(text), Policy)


@pytest.mark.parametrize("name", ["labels", "paths", "scanners", "target_branches"])
def test_a_condition_without_an_entry_is_a_mistake(name: str) -> None:
    """Who takes the last label out of an exception does not mean that it holds for everything."""
    problem = parse(f"gate:\n  rules:\n    - mode: advise\n      when:\n        {name}: []\n")
    assert isinstance(problem, PolicyProblem)
    assert (problem.line, problem.message) == (5, f"{name} is an empty list")
