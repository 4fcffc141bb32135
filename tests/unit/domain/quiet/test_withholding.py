"""What people rejected is listed instead of said, and nothing that has to be heard ever is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.findings import Confidence, Finding, Severity
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import Gate, GateRule, Mode, Policy, When
from bot.domain.publication import Publication, decide
from bot.domain.quiet.withholding import Cause, Neighbour, Silence, Silences
from bot.domain.reconcile import Thread
from bot.domain.records import Declined
from bot.domain.result import result
from bot.domain.review_fact import Reason, review_fact
from bot.domain.run import Outcome, Plan, Run, Step
from bot.domain.summary import summary

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
REVISION = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha="a" * 40)
LINE = Hunk(1, 0, 1, 1, "", (DiffLine(Sign.added, None, 1, "x"),))
DIFF = Diff(tuple(FileDiff(path, path, Change.modified, hunks=(LINE,)) for path in ("a.py", "b.py")))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ADVICE = Policy(gate=Gate(block_at="never"))
MUTED = Silence(
    Cause.auto_mute, "the rule semgrep/r is muted until 2026-07-01: 0 of 12 comments were accepted"
)
VETOED = Silence(
    Cause.veto,
    "3 comments like this one were rejected, on 3 merge requests or more and by as many people",
    neighbours=(Neighbour(uuid.UUID(int=1), 0.9),),
)


def finding(mark: str = "f", severity: Severity = Severity.high, **changes: Any) -> Finding:
    """Return a finding in a.py."""
    base = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "correctness",
        "severity": severity,
        "confidence": Confidence.high,
        "path": "a.py",
        "line": 1,
        "end_line": changes.get("line", 1),
        "title": "Call of eval",
        "message": "m",
        "fingerprint": mark * 32,
    }
    return Finding.model_validate(base | changes)


def run_of(policy: Policy = ADVICE) -> Run:
    """Return a run whose scanner has ended."""
    run = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=NOW)
    run = run.start_work(Plan(revision=REVISION, policy=policy, steps=("scan:semgrep",)))
    return run.finish_step("scan:semgrep", Step(outcome=Outcome.done, shown={"a.py": 1, "b.py": 1}))


def decided(
    *found: Finding,
    silences: Silences,
    policy: Policy = ADVICE,
    threads: Sequence[Thread] = (),
    declined: dict[str, Declined] | None = None,
) -> Publication:
    """Return what is decided on *found*."""
    return decide(
        run_of(policy),
        {"scan:semgrep": list(found)},
        threads,
        DIFF,
        standing=lambda _: 1,
        declined=declined or {},
        silences=silences,
    )


def test_what_people_rejected_is_withheld_and_makes_room() -> None:
    """It takes no place of the budget, and is no comment, no mild finding and no fix of an old thread."""
    quiet, loud = finding("1"), finding("2", line=2)
    found = decided(quiet, loud, silences={quiet.fingerprint: MUTED})
    assert (found.posts, found.fresh) == ((loud,), (loud,))
    assert [(one.finding, one.silence) for one in found.withheld] == [(quiet, MUTED)]
    assert found.listed == ()


@given(
    st.sampled_from(Severity),
    st.sampled_from(["semgrep", "secrets", "model"]),
    st.sampled_from(["security", "secret", "secrets"]),
    st.booleans(),
)
def test_what_must_be_heard_is_heard(severity: Severity, scanner: str, category: str, blocks: bool) -> None:
    """Whoever asks to withhold it: critical findings, secrets, and what blocks; and the verdict is the same."""
    gate = Gate(block_at="medium", scanners=("semgrep", "secrets")) if blocks else Gate(block_at="never")
    one = finding("1", severity, scanner=scanner, category=category)
    said, asked = (
        decided(one, silences=silences, policy=Policy(gate=gate))
        for silences in ({}, {one.fingerprint: VETOED})
    )
    assert said.verdict == asked.verdict
    heard = (
        severity is Severity.critical or "secret" in f"{scanner} {category}" or bool(said.verdict.blocking)
    )
    assert bool(asked.withheld) is not heard
    assert not heard or asked == said


def test_a_muted_rule_that_blocks_blocks_and_is_said() -> None:
    """A gate rule that names it wins over the mute."""
    one = finding("1", Severity.low)
    gate = Gate(rules=(GateRule(when=When(rules=("r",)), mode=Mode.block),))
    found = decided(one, silences={one.fingerprint: MUTED}, policy=Policy(gate=gate))
    assert (found.verdict.blocking, found.posts, found.withheld) == ((one,), (one,), ())


def test_what_was_said_or_declined_before_goes_its_own_way() -> None:
    """A mute resolves no open thread, and what somebody declined keeps that reason."""
    one = finding("1")
    thread = Thread("d1", 1, one.fingerprint, "semgrep", "a.py", severity=Severity.high)
    found = decided(one, silences={one.fingerprint: MUTED}, threads=[thread])
    assert found.withheld == ()
    assert [type(action).__name__ for action in found.actions] == ["Keep"]
    declined = {one.fingerprint: Declined(one.fingerprint, "r", 1, NOW)}
    found = decided(one, silences={one.fingerprint: MUTED}, declined=declined)
    assert found.withheld == ()
    assert [item.reason for item in found.listed] == ["declined in merge request 1"]


def test_what_says_the_same_goes_with_it_unless_it_must_be_heard() -> None:
    """A model that repeats a muted rule does not get around the mute; a critical finding in that place does."""
    quiet = finding("1", title="SQL built from values", cwe=("CWE-89",))
    echo = finding("2", scanner="model", title="SQL built from values", cwe=("CWE-89",))
    assert [one.fingerprint for one in decided(quiet, echo, silences={}).posts] == [quiet.fingerprint]
    found = decided(quiet, echo, silences={quiet.fingerprint: MUTED})
    assert (found.posts, len(found.withheld)) == ((), 1)
    grave = echo.model_copy(update={"severity": Severity.critical})
    found = decided(quiet, grave, silences={quiet.fingerprint: MUTED})
    assert (found.posts, len(found.withheld)) == ((grave,), 1)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["rejected the like (2)", "0 of 12 comments were accepted", "by as many people", "*Noise*"]),
        ("zh", ["未作评论", "规则 semgrep/r 静音至 2026-07-01", "3 条与此相似的评论", "门禁照常"]),
    ],
)
def test_the_summary_says_what_was_withheld_and_why(language: str, said: list[str]) -> None:
    """Folded away, with the way back."""
    review = ADVICE.review.model_copy(update={"language": language})
    run = run_of(ADVICE.model_copy(update={"review": review}))
    one, other = finding("1"), finding("2", line=2)
    found = decide(
        run,
        {"scan:semgrep": [one, other]},
        (),
        DIFF,
        standing=lambda _: 1,
        silences={one.fingerprint: MUTED, other.fingerprint: VETOED},
    )
    content = result(run, found, refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
    body = summary(content, marker="<!-- m -->")
    assert [text for text in said if text not in body] == []
    folded = body[body.index(said[0]) :]
    assert folded.index("Call of eval") < folded.index("</details>")


def test_what_was_withheld_is_counted_by_its_cause() -> None:
    """Muted and similar findings are told apart in what the review came to."""
    one, other = finding("1"), finding("2", line=2)
    run, found = run_of(), {"scan:semgrep": [one, other]}
    silences = {one.fingerprint: MUTED, other.fingerprint: VETOED}
    publication = decide(run, found, (), DIFF, standing=lambda _: 1, silences=silences)
    fact = review_fact(run, found, publication, DIFF, threads=(), refused=(), project="g/p", now=NOW)
    assert fact.filtered == {Reason.muted: 1, Reason.similar: 1}
    assert {item.detail for item in fact.left_out} == {MUTED.explanation, VETOED.explanation}
