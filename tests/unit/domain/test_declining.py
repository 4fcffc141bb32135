"""What people do to threads is remembered for the project, and taken back when they do otherwise."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.declining import declined_now, taken_back
from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Comments, Policy, Verdict
from bot.domain.publication import Publication
from bot.domain.reconcile import Action, Keep, Thread
from bot.domain.records import Declined
from bot.domain.review_result import Listed
from bot.domain.run import Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
RUN = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=NOW)
FINDING = Finding(
    scanner="semgrep",
    rule="r",
    category="security",
    severity=Severity.high,
    path="a.py",
    line=1,
    end_line=1,
    title="t",
    message="m",
    fingerprint="f",
)
THREAD = Thread("d", 1, "f", "semgrep", "a.py", resolved=True, resolver=5)


def publication(*actions: Action, listed: tuple[Listed, ...] = ()) -> Publication:
    """Return what was decided."""
    return Publication(actions, listed, (), Verdict(passed=True))


def test_a_thread_that_somebody_resolved_declines_its_finding() -> None:
    """It is known who did it, and for how long it counts."""
    expected = Declined("f", "r", 3, NOW + timedelta(days=90), user_id=5)
    assert [expected] == declined_now(RUN, publication(Keep(THREAD, FINDING)), deleted=(), now=NOW)


def test_nothing_is_declined_by_open_threads_or_our_own_doing() -> None:
    """What we resolved was mended; a secret that is only in the past has no thread to resolve."""
    for thread, finding in (
        (replace(THREAD, resolved=False), FINDING),
        (replace(THREAD, mended=True), FINDING),
        (THREAD, FINDING.model_copy(update={"commit": "c" * 40})),
    ):
        assert [] == declined_now(RUN, publication(Keep(thread, finding)), deleted=(), now=NOW)


def test_a_deleted_thread_declines_its_finding() -> None:
    """GitLab does not say who deleted it."""
    decided = publication(listed=(Listed(FINDING, "deleted"),))
    assert [Declined("f", "r", 3, NOW + timedelta(days=90))] == declined_now(
        RUN, decided, deleted={"f"}, now=NOW
    )
    assert [] == declined_now(RUN, decided, deleted={"g"}, now=NOW)


def test_a_project_may_forget() -> None:
    """With no days nothing is remembered beyond the merge request."""
    run = RUN.model_copy(update={"policy": Policy(comments=Comments(declined_days=0))})
    assert [] == declined_now(run, publication(Keep(THREAD, FINDING)), deleted=(), now=NOW)


def test_what_was_declined_is_taken_back() -> None:
    """By opening the thread again without a word, or by mending the code after all."""
    scope = {("semgrep", "a.py")}
    stands, mended = publication(Keep(THREAD, FINDING)), publication()
    reopened = replace(THREAD, resolved=False)
    assert {"f"} == taken_back(stands, [reopened], scope)
    assert {"f"} == taken_back(mended, [THREAD], scope)
    assert set() == taken_back(mended, [THREAD], ())
    assert set() == taken_back(stands, [THREAD], scope)
    assert set() == taken_back(stands, [replace(reopened, touched=True)], scope)
