"""What a review came to, in numbers that add up."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.findings import Confidence, Finding, Rejection, Severity
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.ours import opened
from bot.domain.policy import Comments, Gate, GateRule, Mode, Policy, When
from bot.domain.publication import decide
from bot.domain.reconcile import Thread
from bot.domain.records import Declined, ThreadRecord
from bot.domain.review_fact import Reason, ReviewFact, review_fact
from bot.domain.run import Outcome, Plan, Run, Step

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
REVISION = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha="a" * 40)
LINE = Hunk(1, 0, 1, 1, "", (DiffLine(Sign.added, None, 1, "x"),))
DIFF = Diff(tuple(FileDiff(path, path, Change.modified, hunks=(LINE,)) for path in ("a.py", "b.py")))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FINDINGS = st.builds(
    lambda number, severity, line, flags: finding(number, severity, line=line, **flags),
    st.integers(0, 99),
    st.sampled_from(Severity),
    st.integers(1, 3),
    st.fixed_dictionaries(
        {}, optional={"suppressed": st.just(True), "explains": st.just("x"), "commit": st.just("c" * 40)}
    ),
)


def finding(number: int = 1, severity: Severity = Severity.high, **changes: object) -> Finding:
    """Return a finding in a.py that has the fingerprint *number*."""
    base: dict[str, object] = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "security",
        "severity": severity,
        "confidence": Confidence.high,
        "path": "a.py",
        "line": 1,
        "end_line": changes.get("line", 1),
        "title": "t",
        "message": "m",
        "fingerprint": f"{number:032x}",
    }
    return Finding(**{**base, **changes})  # type: ignore[arg-type]


def run_of(policy: Policy | None = None, **step: object) -> Run:
    """Return a run whose only step ended."""
    run = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=NOW)
    run = run.start_work(Plan(revision=REVISION, policy=policy or Policy(), steps=("scan:semgrep",)))
    done = Step(outcome=Outcome.done, shown={"a.py": 1, "b.py": 1}).model_copy(update=step)
    return run.finish_step("scan:semgrep", done)


def fact_of(
    findings: Sequence[Finding],
    run: Run | None = None,
    *,
    threads: Sequence[Thread] = (),
    known: Sequence[ThreadRecord] = (),
    refused: Sequence[str] = (),
    declined: Mapping[str, Declined] | None = None,
) -> ReviewFact:
    """Return what *run* came to, after its publication."""
    run = run or run_of()
    found = {"scan:semgrep": list(findings)}
    publication = decide(run, found, threads, DIFF, standing=lambda _: 1, declined=declined or {})
    records = [*known, *opened(run, publication.posts, refused)]
    return review_fact(
        run, found, publication, DIFF, threads=records, refused=refused, project="group/shop", now=NOW
    )


@given(st.lists(FINDINGS, max_size=20), st.integers(1, 5))
def test_what_was_found_is_what_was_said_and_what_was_not(findings: list[Finding], most: int) -> None:
    """Nothing is lost between the numbers, whatever was found."""
    policy = Policy(comments=Comments(max_inline=most))
    fact = fact_of(findings, run_of(policy, rejected=(Rejection("it does not hold"),)))
    assert fact.generated == fact.posted + sum(fact.filtered.values()) == len(findings) + 1
    assert all(count > 0 for count in fact.filtered.values())


def test_each_reason_is_told_apart() -> None:
    """Mild, over the budget, suppressed, past, merged, duplicate and refused findings are counted as such."""
    policy = Policy(comments=Comments(max_inline=1))
    findings = [
        finding(1, rule="a"),
        finding(2, rule="b", path="b.py"),
        finding(3, Severity.info, rule="c", line=2),
        finding(4, Severity.medium, rule="d", suppressed=True, line=3),
        finding(5, rule="e", commit="c" * 40, line=2),
        finding(6, rule="f", explains=f"{1:032x}"),
    ]
    fact = fact_of(findings, run_of(policy))
    assert fact.filtered == {
        Reason.budget: 1,
        Reason.merged: 1,
        Reason.mild: 1,
        Reason.past: 1,
        Reason.suppressed: 1,
    }
    assert fact.posted == 1
    assert {one.reason for one in fact.left_out} == set(fact.filtered) - {Reason.merged}
    refused = fact_of([finding()], refused=[finding().fingerprint])
    assert (refused.posted, refused.filtered) == (0, {Reason.refused: 1})


def test_what_the_policy_turns_off_or_only_records_is_no_duplicate() -> None:
    """A gate that blocks in the shadow records what is not said."""
    gate = Gate(rules=(GateRule(mode=Mode.shadow, when=When(severity=Severity.high)),))
    assert fact_of([finding()], run_of(Policy(gate=gate))).filtered == {Reason.shadow: 1}


def test_what_was_declined_says_so() -> None:
    """The reason is kept with the finding."""
    one = finding()
    said = Declined(one.fingerprint, one.rule, 5, NOW + timedelta(days=9), "we like it")
    fact = fact_of([one], declined={one.fingerprint: said})
    assert fact.filtered == {Reason.declined: 1}
    assert "we like it" in fact.left_out[0].detail


def test_a_comment_of_an_earlier_review_is_known_and_stands() -> None:
    """A push that brings nothing new posts nothing, and is not silent."""
    one = finding()
    thread = Thread("d", 1, one.fingerprint, scanner="semgrep", path="a.py", anchor="x")
    earlier = ThreadRecord(one.fingerprint, uuid.uuid4(), "open", "semgrep", "r", "high", "a.py", "x", "d")
    fact = fact_of([one], threads=[thread], known=[earlier])
    assert (fact.posted, fact.filtered, fact.standing) == (0, {Reason.known: 1}, True)
    assert not fact_of([]).standing


def test_a_later_round_counts_the_comments_of_the_run_once_more() -> None:
    """What an earlier round of the same run posted is posted, not known."""
    one, run = finding(), run_of()
    thread = Thread("d", 1, one.fingerprint, scanner="semgrep", path="a.py", anchor="x")
    mine = replace(
        ThreadRecord(one.fingerprint, run.id, "open", "semgrep", "r", "high", "a.py", "x"), discussion_id="d"
    )
    fact = fact_of([one], run, threads=[thread], known=[mine])
    assert (fact.posted, fact.filtered) == (1, {})


def test_files_that_nobody_read_are_named() -> None:
    """Coverage is what was read of what changed."""
    fact = fact_of([], run_of(not_analysed={"b.py": "too large"}, shown={"a.py": 1}))
    assert (fact.files, fact.files_read) == (2, 1)
    assert "too large" in fact.unread["b.py"]
