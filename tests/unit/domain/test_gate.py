"""The gate of a job decides as the commit status does."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from bot.cli.working_tree import added_file
from bot.domain.commit_status import status
from bot.domain.diff import Diff
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.gate import Answer, GateResult, answer
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Policy
from bot.domain.policy_file import parse
from bot.domain.publication import decide
from bot.domain.remedy import remedy
from bot.domain.run import Outcome, Run, RunState, Step

DIFF = Diff((added_file("app.py", b"one\ntwo\nthree\n"),))


def finding(**values: object) -> Finding:
    """Return a grave finding of Semgrep in app.py."""
    wanted: dict[str, object] = {
        "scanner": "semgrep",
        "rule": "shell",
        "category": "security",
        "severity": Severity.high,
        "path": "app.py",
        "line": 2,
        "end_line": 2,
        "title": "Shell injection",
        "message": "The command is not checked.",
        "fingerprint": "f1",
    }
    return Finding.model_validate({**wanted, **values})


def run_of(policy: str = "", **outcomes: Outcome) -> Run:
    """Return a run whose scanners ended as *outcomes* say."""
    found = parse(policy)
    assert isinstance(found, Policy)
    return Run(
        id=uuid.UUID(int=1),
        ref=MergeRequestRef(instance="gitlab.example", project_id=1, iid=1),
        head_sha="a" * 40,
        state=RunState.working,
        policy=found,
        steps={f"scan:{name}": Step(outcome=one, problem=f"{one}!") for name, one in outcomes.items()},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def asked(run: Run, *findings: Finding) -> GateResult:
    """Return what the gate says to findings of Semgrep, and check that the commit status says the same."""
    by_step = {"scan:semgrep": list(findings)}
    said = answer(run, by_step, DIFF)
    state, _ = status(run, decide(run, by_step, (), DIFF, standing=lambda _: False))
    assert (state == "success") == (said.answer is Answer.passed)
    return said


def test_what_blocks_blocks():
    """Gravest first; milder ones are advice."""
    grave, worse, mild = (
        finding(fingerprint=str(number), rule=f"r{number}", line=number, end_line=number, severity=severity)
        for number, severity in ((1, Severity.high), (2, Severity.critical), (3, Severity.low))
    )
    said = asked(run_of(semgrep=Outcome.done), grave, worse, mild)
    assert (Answer.blocked, (worse, grave), (mild,)) == (said.answer, said.blocking, said.advice)
    assert (1, 3) == (said.files, said.added_lines)


def test_a_scanner_that_broke_leaves_it_undecided():
    """With its reason; one that decides nothing does not matter."""
    said = asked(run_of(semgrep=Outcome.failed, secrets=Outcome.done))
    assert (Answer.undecided, {"semgrep": "failed!"}) == (said.answer, dict(said.broken))
    assert Answer.passed is asked(run_of(dependencies=Outcome.failed, semgrep=Outcome.done)).answer
    assert Answer.passed is asked(run_of("gate: {scanners: [secrets]}", semgrep=Outcome.failed)).answer


def test_what_blocks_wins_over_what_broke():
    """Whatever the broken one would have said, the change stays blocked."""
    said = asked(run_of(semgrep=Outcome.done, secrets=Outcome.failed), finding())
    assert (Answer.blocked, ["secrets"]) == (said.answer, list(said.broken))


def test_the_policy_decides():
    """What it does not want to hear of is not said, and `never` lets all pass."""
    assert Answer.passed is asked(run_of("gate: {block_at: never}", semgrep=Outcome.done), finding()).answer
    said = asked(run_of("rules: {disable: [shell]}", semgrep=Outcome.done), finding())
    assert (Answer.passed, ()) == (said.answer, said.findings)


def test_suppressions_are_shown():
    """They open the gate only if the policy lets them."""
    quiet = finding(suppressed=True)
    assert (quiet,) == asked(run_of(semgrep=Outcome.done), quiet).blocking
    said = asked(run_of("gate: {accept_suppressions: true}", semgrep=Outcome.done), quiet)
    assert (Answer.passed, (quiet,)) == (said.answer, said.suppressed)


def test_limits_of_the_policy_block():
    """Without any finding; a limit that only advises is told."""
    policy = "gate: {limits: {max_changed_lines: 1, on_exceed: %s}}"
    said = asked(run_of(policy % "block", semgrep=Outcome.done))
    assert (Answer.blocked, 1) == (said.answer, len(said.exceeded))
    said = asked(run_of(policy % "advise", semgrep=Outcome.done))
    assert (Answer.passed, 1) == (said.answer, len(said.problems))


def test_a_file_that_a_deciding_scanner_could_not_read_leaves_it_undecided():
    """Where the policy wants all of them to be read."""
    run = run_of("gate: {unread: all}", semgrep=Outcome.partial, secrets=Outcome.done)
    step = run.steps["scan:semgrep"].model_copy(update={"not_analysed": {"app.py": "too large"}})
    said = asked(run.model_copy(update={"steps": {**run.steps, "scan:semgrep": step}}))
    assert (Answer.undecided, ["app.py"]) == (said.answer, list(said.broken))


def test_what_nobody_looked_at_is_told():
    """Files, commits, and parts of the review."""
    run = run_of(semgrep=Outcome.partial).model_copy(update={"skipped": {"a.lock": "lock file"}})
    step = run.steps["scan:semgrep"].model_copy(
        update={"not_analysed": {"b.py": "too large"}, "past": "too many"}
    )
    said = answer(run.model_copy(update={"steps": {"scan:semgrep": step}}), {}, DIFF)
    assert {
        "a.lock": "lock file",
        "b.py (semgrep)": "too large",
        "commits of the branch (semgrep)": "too many",
    } == dict(said.not_reviewed)


def test_each_answer_has_a_status_of_its_own():
    """As documented; 2 is left to what was asked for wrongly, and a commit that nobody decides about opens nothing."""
    statuses = {one.value: one.exit_status for one in Answer}
    assert {"passed": 0, "blocked": 1, "undecided": 3, "superseded": 3} == statuses


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"scanner": "secrets"}, "Revoke it"),
        ({"scanner": "secrets", "commit": "abcdef0123456789"}, "in commit abcdef01 only"),
        ({"scanner": "dependencies"}, "Upgrade"),
        ({}, "as the message says"),
        ({"fix": Fix(line=1, end_line=1, replacement="")}, "--patch"),
        ({"fix": Fix(line=1, end_line=1, replacement="", refusal="breaks")}, "as the message says"),
        ({"suppressed": True}, "does not open the gate"),
        ({"silenced": True}, "does not open the gate"),
    ],
)
def test_remedies_fit_the_finding(values: dict[str, object], said: str):
    """A secret is not mended by changing code alone."""
    assert said in remedy(finding(**values))


def test_a_remedy_does_not_point_at_a_message_that_is_not_there():
    """The page of a verdict has none, since messages quote code."""
    assert "the review on the merge request says" in remedy(finding(), shown=False)
    assert "message" not in remedy(finding(), shown=False)
