"""Whoever is blocked can read by which rule, and who can change it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.facts import Facts
from bot.domain.findings import Finding, Severity
from bot.domain.policy import Gate, GateRule, Mode, Policy, Sections, When, mode_of
from bot.domain.policy_file import PolicyProblem, parse_sections, parse_shared
from bot.domain.policy_layers import Layer, resolve
from bot.domain.policy_reasons import Reason, reasons

FACTS = Facts(labels=(), draft=False, target_branch="main", source_branch="x", author_access=30)


def finding(**values: object) -> Finding:
    """Return a grave finding of Semgrep."""
    base = {
        "scanner": "semgrep",
        "rule": "python-eval",
        "category": "security",
        "severity": Severity.high,
        "path": "src/a.py",
        "line": 1,
        "end_line": 1,
        "title": "t",
        "message": "m",
    }
    return Finding.model_validate(base | values)


def policy(**levels: str) -> Policy:
    """Return what comes of files by level, the outermost first; the last is that of the project."""
    layers = []
    for origin, text in levels.items():
        found = parse_sections(text) if origin == "project" else parse_shared(text)
        assert not isinstance(found, PolicyProblem), found
        layers.append(Layer(origin, found))
    return resolve(layers).policy


def test_the_default_names_itself() -> None:
    """Nobody set it, so no file holds it."""
    (said,) = reasons(finding(), Policy(), FACTS)
    assert "gate.block_at (high, for semgrep, secrets), the default" == str(said)


def test_the_first_rule_that_fits_is_the_reason() -> None:
    """By its number in the file, in the words of the file, with its level."""
    asked = policy(
        instance="gate: {block_at: never}",
        project="gate: {rules: [{when: {paths: ['docs/']}, mode: advise}, {when: {severity: medium, paths: ['src/**', x]}, mode: block}]}",
    )
    (said,) = reasons(finding(), asked, FACTS)
    assert "rule 2 of gate.rules (severity: medium; paths: src/**, x), set by project" == str(said)
    assert () == reasons(finding(path="docs/a.py"), asked, FACTS)


def test_what_a_level_enforces_comes_first() -> None:
    """It is where a change has to begin; the project's own rule is told as well."""
    asked = policy(
        bank="enforced: [gate]\ngate: {rules: [{when: {scanners: [semgrep]}, mode: block}], block_at: never}",
        project="gate: {block_at: medium, rules: [{when: {scanners: [secrets]}, mode: advise}]}",
    )
    told = [str(one) for one in reasons(finding(), asked, FACTS)]
    assert [
        "rule 1 of gate.rules (scanners: semgrep), enforced by bank",
        "gate.block_at (medium, for semgrep, secrets), set by project",
    ] == told


def test_an_inherited_rule_is_told_once() -> None:
    """By the level that enforces it."""
    asked = policy(bank="enforced: [gate]\ngate: {block_at: medium}", project="")
    (said,) = reasons(finding(), asked, FACTS)
    assert (True, "bank") == (said.enforced, said.level)


def test_a_rule_about_everything_says_so() -> None:
    """An empty condition would read like a mistake."""
    asked = Policy(gate=Gate(rules=(GateRule(when=When(newness="any"), mode=Mode.block),)))
    assert "newness: any" in str(reasons(finding(), asked, FACTS)[0])
    asked = Policy(gate=Gate(rules=(GateRule(mode=Mode.block),)))
    assert "every finding" in str(reasons(finding(), asked, FACTS)[0])


def test_runs_of_before_have_no_levels() -> None:
    """An enforced gate is then told without a name."""
    asked = Policy(gate=Gate(block_at="never"), floors=(Sections(),))
    assert ["a higher level"] == [one.level for one in reasons(finding(), asked, FACTS)]


@given(
    severity=st.sampled_from(Severity),
    suppressed=st.booleans(),
    existing=st.booleans(),
    scanner=st.sampled_from(["semgrep", "model", "secrets"]),
    block_at=st.sampled_from(["critical", "medium", "never"]),
    floor=st.sampled_from(["critical", "medium", "never", None]),
)
def test_there_is_a_reason_exactly_for_what_blocks(
    severity: Severity, suppressed: bool, existing: bool, scanner: str, block_at: str, floor: str | None
) -> None:
    """Whatever the finding and the levels."""
    one = finding(severity=severity, suppressed=suppressed, existing=existing, scanner=scanner)
    floors = () if floor is None else (Sections(gate=Gate(block_at=floor)),)  # type: ignore[arg-type]
    asked = Policy(gate=Gate(block_at=block_at, accept_suppressions=True), floors=floors)  # type: ignore[arg-type]
    assert (mode_of(one, asked, FACTS) is Mode.block) == bool(reasons(one, asked, FACTS))


@pytest.mark.parametrize(
    ("own", "above", "approves", "checks"),
    [
        ("gate: {approve: true, status_check: a}", "", True, ("a",)),
        ("gate: {approve: true, status_check: a}", "enforced: [gate]", False, ()),
        ("", "enforced: [gate]\ngate: {approve: true, status_check: b}", True, ("b",)),
        ("gate: {approve: false, status_check: a}", "enforced: [gate]\ngate: {approve: true}", False, ()),
    ],
)
def test_no_project_has_more_approved_than_an_enforced_gate_allows(
    own: str, above: str, approves: bool, checks: tuple[str, ...]
) -> None:
    """An approval opens a gate as well, and so does the answer to somebody's check."""
    asked = policy(bank=above, project=own)
    assert (approves, checks) == (asked.approves, asked.status_checks)


def test_a_reason_comes_back_as_it_was() -> None:
    """It is kept with the verdict."""
    said = Reason(key="gate.rules", number=3, says="x", level="project")
    assert said == Reason.model_validate_json(said.model_dump_json())
