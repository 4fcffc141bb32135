"""The verdict that is kept says what the commit status says, and why."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.cli.working_tree import added_file
from bot.domain.commit_status import status
from bot.domain.diff import Diff
from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeMergeRequest, StatusPlace
from bot.domain.gate_decision import verdict_on, waiting
from bot.domain.gate_verdict import (
    MOST_SHOWN,
    Blocking,
    GateVerdict,
    ShownWaiver,
    Standing,
    VerdictState,
)
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import Policy
from bot.domain.policy_file import parse
from bot.domain.publication import decide
from bot.domain.run import WHOLE, Outcome, Run, RunState, Step
from bot.domain.verdict_links import VerdictLinks
from bot.domain.waivers import State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REF = MergeRequestRef(instance="gitlab.example", project_id=1, iid=2)
DIFF = Diff((added_file("app.py", b"one\ntwo\nthree\n"),))
PLACE = StatusPlace(1, "a" * 40, 9)
PAGE = "https://gitlab.example/group/app"
FOUND = ForgeMergeRequest(
    REF, "t", "", "opened", False, "a" * 40, None, "main", "f", 5, f"{PAGE}/-/merge_requests/2"
)


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
        "message": "call(x)",
        "fingerprint": "f1",
    }
    return Finding.model_validate({**wanted, **values})


def run_of(policy: str = "", state: RunState = RunState.working, **outcomes: Outcome) -> Run:
    """Return a run whose steps ended as *outcomes* say."""
    found = parse(policy)
    assert isinstance(found, Policy)
    steps = {name if name == "review" else f"scan:{name}": one for name, one in outcomes.items()}
    return Run(
        id=uuid.UUID(int=1),
        ref=REF,
        head_sha="a" * 40,
        state=state,
        policy=found,
        steps={name: Step(outcome=one, problem=f"{one}!") for name, one in steps.items()},
        created_at=NOW,
    )


def judged(run: Run, *findings: Finding) -> GateVerdict:
    """Return the verdict on findings of Semgrep, and check that the commit status says the same."""
    publication = decide(run, {"scan:semgrep": list(findings)}, (), DIFF, standing=lambda _: False)
    verdict = verdict_on(run, publication, waiting(run, FOUND, PAGE, [PLACE]), redact=lambda text: text)
    assert status(run, publication) == (verdict.status, verdict.description)
    assert verdict == GateVerdict.model_validate(verdict.model_dump(mode="json"), strict=False)
    return verdict


@pytest.mark.parametrize(
    ("state", "final", "run", "findings"),
    [
        ("passed", True, run_of(semgrep=Outcome.done), []),
        ("passed", True, run_of(semgrep=Outcome.done, review=Outcome.pending), []),
        ("waiting", False, run_of(semgrep=Outcome.done, secrets=Outcome.pending), []),
        ("blocked", True, run_of(semgrep=Outcome.done), [finding()]),
        ("blocked", False, run_of(semgrep=Outcome.done, secrets=Outcome.pending), [finding()]),
        ("undecided", True, run_of(semgrep=Outcome.failed), []),
        ("undecided", True, run_of(semgrep=Outcome.late), []),
        ("undecided", True, run_of(state=RunState.failed), []),
        ("blocked", True, run_of("gate: {limits: {max_changed_lines: 1, on_exceed: block}}"), []),
    ],
)
def test_it_is_final_once_nothing_that_decides_is_to_come(
    state: str, final: bool, run: Run, findings: list[Finding]
) -> None:
    """Steps that decide nothing do not matter."""
    verdict = judged(run, *findings)
    assert (state, final) == (verdict.state.value, verdict.final)


def test_a_draft_that_nobody_looks_at_does_not_pass() -> None:
    """Its pipeline waits with it: marked as ready, it could be merged before anybody has looked."""
    why = "the policy leaves drafts out until they are ready"
    revision = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha="a" * 40)
    run = run_of("review: {drafts: false}").model_copy(update={"revision": revision})
    assert ("passed", "success") == (judged(run).state.value, judged(run).status)
    draft = judged(run.model_copy(update={"absent": {WHOLE: why}}))
    assert ("undecided", True, "running", {WHOLE: why}) == (
        draft.state.value,
        draft.final,
        draft.status,
        draft.broken,
    )


def test_what_blocks_is_told_without_code() -> None:
    """Where, by which rule and what to do; the message, which may quote code, stays behind."""
    verdict = judged(run_of(semgrep=Outcome.failed), finding())
    (one,) = verdict.blocking
    assert ("app.py", 2, "Shell injection", "f1") == (one.path, one.line, one.title, one.fingerprint)
    assert ("gate.block_at (high, for semgrep, secrets), the default",) == one.why
    assert one.remedy
    assert {"semgrep": "failed!"} == verdict.broken
    assert "call(x)" not in verdict.model_dump_json()


def test_paths_and_titles_are_masked() -> None:
    """A name of a file can hold a secret too."""
    run = run_of(semgrep=Outcome.done)
    publication = decide(run, {"scan:semgrep": [finding()]}, (), DIFF, standing=lambda _: False)
    before = waiting(run, FOUND, PAGE, ())
    verdict = verdict_on(run, publication, before, redact=lambda text: text.replace("app", "***"))
    assert "***.py" == verdict.blocking[0].path


def test_what_only_the_code_excuses_is_kept_apart() -> None:
    """Those are findings that would block; what is mild anyway is not among them."""
    lenient = run_of("gate: {accept_suppressions: true}", semgrep=Outcome.done)
    excused = finding(suppressed=True)
    mild = finding(suppressed=True, severity=Severity.low, fingerprint="f2", line=3, end_line=3)
    verdict = judged(lenient, excused, mild)
    assert ("passed", ["f1"]) == (verdict.state.value, [one.fingerprint for one in verdict.suppressed])
    assert verdict.suppressed[0].why
    strict = judged(run_of(semgrep=Outcome.done), excused)
    assert ([True], ()) == ([one.suppressed for one in strict.blocking], strict.suppressed)


def test_a_flood_is_counted() -> None:
    """Jobs ask again and again, and nobody reads on."""
    many = [
        finding(fingerprint=f"{n:08x}", rule=f"r{n}", line=1 + n, end_line=1 + n)
        for n in range(MOST_SHOWN + 3)
    ]
    verdict = judged(run_of(semgrep=Outcome.done), *many)
    assert (MOST_SHOWN, MOST_SHOWN + 3) == (len(verdict.blocking), verdict.blocking_count)


@pytest.mark.parametrize(
    ("run_state", "verdict", "closed", "expected"),
    [
        (RunState.started, None, False, ("waiting", False, "the review begins")),
        (RunState.superseded, None, False, ("superseded", True, "a newer commit took over")),
        (RunState.superseded, None, True, ("superseded", True, "the merge request was closed")),
        (RunState.superseded, {"state": "blocked"}, False, ("superseded", True, "a newer commit")),
        (RunState.superseded, {"state": "blocked", "final": True}, False, ("blocked", True, "d")),
        (RunState.finished, {"state": "passed", "final": True}, False, ("passed", True, "d")),
    ],
)
def test_a_run_that_was_broken_off_waits_for_nothing(
    run_state: RunState, verdict: dict[str, object] | None, closed: bool, expected: tuple[str, bool, str]
) -> None:
    """Unless its verdict had been made: that stays true of its head."""
    run = run_of(state=run_state)
    body = {"run_id": run.id, "ref": REF, "head_sha": run.head_sha, "description": "d", **(verdict or {})}
    kept = GateVerdict.model_validate(body, strict=False) if verdict else None
    standing = Standing(run, kept, "m", NOW, closed=closed)
    assert expected[:2] == (standing.state.value, standing.final)
    assert standing.description.startswith(expected[2])


def test_those_that_are_waited_for_are_named() -> None:
    """Before there is any description of a commit status."""
    run = run_of(semgrep=Outcome.done, review=Outcome.pending)
    assert "waiting for model review" == Standing(run, None, "m", NOW).description
    assert VerdictState.superseded is waiting(run, FOUND, PAGE, ()).superseded().state


def test_only_our_own_links_open_pages() -> None:
    """Each opens one page, and none does where people sign in."""
    links = VerdictLinks("https://cloister.example/", b"k" * 32, signed=True)
    one, other = uuid.UUID(int=1), uuid.UUID(int=2)
    address, key = links.of(one).split("?key=")
    assert f"https://cloister.example/verdicts/{one}" == address
    assert links.opens(one, key)
    assert not any([links.opens(other, key), links.opens(one, ""), links.opens(one, "ä" * 64)])
    assert not VerdictLinks("x", b"j" * 32, signed=True).opens(one, key)
    closed = VerdictLinks("https://cloister.example", b"k" * 32)
    assert f"https://cloister.example/verdicts/{one}" == closed.of(one)
    assert not closed.opens(one, key)
    assert "" == VerdictLinks("", b"k" * 32, signed=True).of(one)
    assert "kkkk" not in repr(links)


def test_nothing_passes_by_a_waiver_that_has_ended() -> None:
    """Though the consumers that make the verdict anew are late; what nobody decides any more stays as it was."""
    block = Blocking(
        fingerprint="f1",
        rule="shell",
        scanner="semgrep",
        severity=Severity.high,
        category="security",
        path="app.py",
        line=2,
        end_line=2,
        title="Shell injection",
    )
    day = date(2026, 1, 1)
    waived = ShownWaiver(finding=block, state=State.granted, waiver=uuid.UUID(int=2), until=day, by="lead")
    run = run_of(semgrep=Outcome.done)
    passed = judged(run).model_copy(update={"waived": (waived,)})
    standing = Standing(run, passed, "", NOW)
    end = NOW + timedelta(days=1)
    assert standing == standing.as_of(end - timedelta(seconds=1))
    late = standing.as_of(end)
    assert (VerdictState.waiting, False) == (late.state, late.final)
    assert "a waiver has ended" in late.description
    for over in (replace(standing, closed=True), replace(standing, successor=uuid.UUID(int=3))):
        assert over == over.as_of(end)
    blocked = replace(standing, verdict=passed.model_copy(update={"state": VerdictState.blocked}))
    assert blocked == blocked.as_of(end)
