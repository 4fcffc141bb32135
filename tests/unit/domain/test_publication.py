"""What a run's results come to on the merge request."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.domain.commit_status import status
from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.facts import Facts
from bot.domain.findings import Confidence, Finding, Fix, Severity
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import (
    Conversation,
    Gate,
    GateRule,
    Limits,
    Mode,
    Paths,
    Policy,
    Role,
    Rules,
    Waivers,
    When,
)
from bot.domain.publication import Publication, analysed, decide, explained
from bot.domain.reconcile import Post, Thread
from bot.domain.records import Declined
from bot.domain.result import result
from bot.domain.run import Outcome, Plan, Run, RunState, Step
from bot.domain.summary import summary
from bot.domain.waivers import About, Deed, Source, Waiver, WaiverStep
from bot.domain.waivers_standing import AskedFor, Waived, standing

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
REVISION = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha="a" * 40)
DIFF = Diff(
    tuple(
        FileDiff(
            path, path, Change.modified, hunks=(Hunk(1, 0, 1, 1, "", (DiffLine(Sign.added, None, 1, "x"),)),)
        )
        for path in ("a.py", "b.py")
    )
)
STEPS = ("scan:semgrep", "scan:secrets", "review")
NO_POLICY = Policy()
DONE = Step(outcome=Outcome.done, shown={"a.py": 1, "b.py": 1})


def run(*, policy: Policy | None = None, skipped: dict[str, str] | None = None, **outcomes: Step) -> Run:
    """Return a run whose steps ended as given (by the last part of their names), the others well."""
    started = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime.now(UTC))
    plan = Plan(revision=REVISION, policy=policy or Policy(), steps=STEPS, skipped=skipped or {})
    started = started.start_work(plan)
    for name in STEPS:
        started = started.finish_step(name, outcomes.get(name.removeprefix("scan:"), DONE))
    return started


def finding(severity: Severity = Severity.high, scanner: str = "semgrep", **changes: object) -> Finding:
    """Return a finding in a.py."""
    base = {
        "scanner": scanner,
        "rule": "r",
        "category": "security",
        "severity": severity,
        "confidence": Confidence.high,
        "path": "a.py",
        "line": 1,
        "end_line": 1,
        "title": "t",
        "message": "m",
        "fingerprint": uuid.uuid4().hex,
    }
    return Finding.model_validate(base | changes)


def publication(of: Run, *found: Finding) -> Publication:
    """Return what is decided on *found*, without threads."""
    return decide(of, {"scan:semgrep": list(found)}, (), DIFF, standing=lambda _: True)


def test_a_grave_finding_closes_the_gate() -> None:
    """The status says how many findings block."""
    of = run()
    assert status(of, publication(of, finding(line=1), finding(line=9, end_line=9))) == (
        "failed",
        "2 blocking findings",
    )


def test_nothing_grave_opens_it() -> None:
    """A mild finding does not block."""
    of = run()
    assert status(of, publication(of, finding(Severity.medium))) == ("success", "no blocking findings")


def test_what_could_not_be_looked_at_is_not_called_harmless() -> None:
    """A failed review knows no risk and was no review; it says what was in the way, and how to try again."""
    begun = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime.now(UTC))
    of, _ = begun.fail("the repository is too large: raise the limit")
    for role, again in (
        (Role.developer, "Comment `@cloister review` to have it tried again.\n\n"),
        (Role.nobody, ""),
    ):
        policy = Policy(conversation=Conversation(review=role))
        of = of.model_copy(update={"policy": policy})
        decided = decide(of, {}, (), Diff(()), standing=lambda _: True)
        shown = result(of, decided, refused=(), diff=Diff(()), project_url="", tokens=0, seconds=1.0)
        assert summary(shown, marker="MARK") == (
            f"**The review could not be carried out.**\n\n{again}"
            "Problems:\n\n- the repository is too large: raise the limit\n\nMARK"
        )


@pytest.mark.parametrize("outcome", [Outcome.failed, Outcome.late])
def test_a_scanner_without_an_answer_keeps_the_gate_closed(outcome: Outcome) -> None:
    """A gate that cannot tell does not open by itself."""
    of = run(semgrep=Step(outcome=outcome, problem="it crashed"))
    assert status(of, publication(of)) == ("failed", "not decided: no answer from semgrep")


def test_the_model_decides_nothing_unless_the_policy_says_so() -> None:
    """A model that is away does not block; one that the policy counts on does."""
    away = Step(outcome=Outcome.failed, problem="out of reach")
    of = run(review=away)
    assert status(of, publication(of, finding(scanner="model"))) == ("success", "no blocking findings")
    strict = run(review=away, policy=Policy(gate=Gate(scanners=("semgrep", "model"))))
    assert status(strict, publication(strict))[0] == "failed"


def test_a_run_that_waits_for_its_scanners_is_running() -> None:
    """Between the first result and the last one the gate is undecided, but not red."""
    of = run(semgrep=Step())
    assert status(of, publication(of)) == ("running", "waiting for semgrep")


def test_a_failed_run_fails_the_gate_and_says_why() -> None:
    """No review is not a clean review."""
    of, _ = run(semgrep=Step()).fail("the repository is too large")
    decided = publication(of)
    assert status(of, decided)[0] == "failed"
    shown = result(of, decided, refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
    assert (shown.failed, shown.problems) == (True, ("the repository is too large",))
    assert of.state is RunState.failed


def test_what_was_not_looked_at_is_listed_with_the_reason() -> None:
    """Excluded files, files that a scanner could not read, and parts that did not run are all shown."""
    of = run(
        skipped={"go.sum": "lock file"},
        semgrep=Step(outcome=Outcome.partial, not_analysed={"b.py": "timeout"}),
        review=Step(outcome=Outcome.failed, problem="run `ollama pull x`"),
    )
    shown = result(of, publication(of), refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
    assert shown.not_reviewed == {"go.sum": "lock file", "b.py": "timeout"}
    assert shown.skipped == {"model review": "run `ollama pull x`"}
    assert shown.unanswered


@pytest.mark.parametrize(
    ("outcome", "policy", "told"),
    [
        (Outcome.failed, {}, True),
        (Outcome.late, {}, True),
        (Outcome.done, {}, False),
        (Outcome.partial, {}, False),
        (Outcome.pending, {}, False),
        (Outcome.failed, {"conversation": {"review": "nobody"}}, False),
    ],
)
def test_a_model_without_an_answer_may_be_asked_again(
    outcome: Outcome, policy: dict[str, Any], told: bool
) -> None:
    """The summary says how, where the policy lets anybody ask."""
    of = run(policy=Policy.model_validate(policy), review=Step(outcome=outcome, problem="x"))
    shown = result(of, publication(of), refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
    assert told == shown.unanswered


def test_a_model_does_not_push_out_what_blocks() -> None:
    """However sure it says that it is, and however much it says."""
    blocking = finding(confidence=Confidence.medium, path="b.py")
    others = [
        finding(scanner="model", category=f"c{n}", title=f"t{n}", line=n, end_line=n) for n in range(1, 9)
    ]
    decided = publication(run(policy=Policy()), *others, blocking)
    assert decided.verdict.blocking == (blocking,)
    assert blocking in [action.finding for action in decided.actions if isinstance(action, Post)]
    assert len(decided.listed) == 4


def test_a_refused_position_moves_the_finding_to_the_summary() -> None:
    """What cannot be placed is listed, never lost."""
    of, found = run(), finding()
    decided = publication(of, found)
    shown = result(of, decided, refused={found.fingerprint}, diff=DIFF, project_url="", tokens=0, seconds=1.0)
    assert shown.inline == []
    assert [item.finding for item in shown.listed] == [found]


def test_mild_unsure_and_surplus_findings_are_listed() -> None:
    """Every finding is either commented or listed."""
    of = run()
    found = [
        finding(Severity.info, line=1, end_line=1),
        finding(confidence=Confidence.low, line=20, end_line=20),
        *(finding(line=n, end_line=n) for n in range(40, 140, 10)),
    ]
    decided = publication(of, *found)
    shown = result(of, decided, refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
    assert len(shown.inline) == 5
    assert len(shown.inline) + len(shown.listed) == len(found)


def test_what_people_deleted_is_listed_but_not_raised_again() -> None:
    """A deleted thread is an answer; the finding stays in the summary and in the verdict."""
    of, found = run(), finding()
    decided = decide(
        of, {"scan:semgrep": [found]}, (), DIFF, standing=lambda _: True, deleted={found.fingerprint}
    )
    assert decided.posts == ()
    assert [(item.finding, item.reason) for item in decided.listed] == [
        (found, "declined: its thread was deleted")
    ]
    assert not decided.verdict.passed


def test_what_was_declined_elsewhere_in_the_project_is_listed_but_not_raised() -> None:
    """With where and why; even a critical one, which blocks all the same."""
    of, found = run(), finding(Severity.critical, fingerprint="a" * 32)
    said = Declined("a" * 24 + "a" * 4 + "b" * 4, "r", 12, datetime.now(UTC), "tests only")
    decided = decide(
        of, {"scan:semgrep": [found]}, (), DIFF, standing=lambda _: True, declined={said.fingerprint: said}
    )
    assert decided.posts == ()
    assert ["declined in merge request 12: tests only"] == [item.reason for item in decided.listed]
    assert not decided.verdict.passed


@pytest.mark.parametrize("other", ["a" * 24 + "a" * 2 + "b" * 6, "c" * 32], ids=["other place", "other code"])
def test_what_was_declined_elsewhere_is_known_by_its_surroundings(other: str) -> None:
    """The same line in another function of the file is another finding."""
    found, said = finding(fingerprint="a" * 32), Declined(other, "r", 12, datetime.now(UTC))
    decided = decide(
        run(), {"scan:semgrep": [found]}, (), DIFF, standing=lambda _: True, declined={other: said}
    )
    assert (found,) == decided.posts


def test_a_thread_that_somebody_resolved_is_listed_as_declined() -> None:
    """One that we resolved, or that is open, is not."""
    found = finding(fingerprint="a" * 32)
    thread = Thread("d", 1, found.fingerprint, "semgrep", "a.py", resolved=True)
    reasons = {}
    for name, one in {
        "theirs": thread,
        "ours": replace(thread, mended=True),
        "open": replace(thread, resolved=False),
    }.items():
        decided = decide(run(), {"scan:semgrep": [found]}, [one], DIFF, standing=lambda _: True)
        shown = result(run(), decided, refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
        assert 1 == len(shown.inline) + len(shown.listed)
        reasons[name] = [item.reason for item in shown.listed]
    assert reasons == {
        "theirs": ["declined: its thread was resolved while the code stands"],
        "ours": [],
        "open": [],
    }


def test_what_only_explains_is_part_of_what_it_explains() -> None:
    """Its message and its fix, where there is none; it is no finding of its own."""
    fix = Fix(line=1, end_line=1, replacement="x")
    static, fixed = finding(), finding(line=9, end_line=9, fix=fix)
    words = [
        finding(scanner="model", message="because", fix=fix, explains=static.fingerprint),
        finding(scanner="model", message="so", fix=fix.model_copy(update={"replacement": "y"})),
        finding(scanner="model", message="nobody asked", explains="f" * 32),
    ]
    words[1] = words[1].model_copy(update={"explains": fixed.fingerprint})
    merged = explained({"scan:semgrep": [static, fixed], "review": words})
    assert merged == {
        "scan:semgrep": [
            static.model_copy(update={"explanation": "because", "fix": fix}),
            fixed.model_copy(update={"explanation": "so"}),
        ],
        "review": [],
    }


def test_a_suppressed_finding_is_shown_and_still_blocks() -> None:
    """The merge request may have added the comment that asks to ignore it."""
    of = run()
    excused = finding(suppressed=True)
    decided = publication(of, excused)
    assert (AskedFor(excused),) == decided.verdict.asked
    assert (excused,) == decided.posts
    assert () == decided.suppressed
    assert not decided.verdict.passed
    mild = publication(of, finding(Severity.medium, suppressed=True))
    assert ((), 1, True) == (mild.posts, len(mild.suppressed), mild.verdict.passed)


def waiver_for(one: Finding, **more: object) -> Waiver:
    """Return a waiver that was granted on the merge request."""
    step = {
        "waiver": uuid.uuid4(),
        "deed": Deed.granted,
        "ref": REF,
        "about": About.of(one, None),
        "branch": "main",
        "at": datetime.now(UTC),
        "source": Source.comment,
        "until": date(2030, 1, 1),
    }
    return Waiver((WaiverStep.model_validate(step | more),))


def waived(of: Run, *found: Finding, waivers: Sequence[Waiver], policy: Policy = NO_POLICY) -> Publication:
    """Return what is decided on *found* with *waivers* that count for a merge request into main."""
    count = standing(waivers, REF, "main", policy, datetime(2026, 1, 1, tzinfo=UTC))
    return decide(of, {"scan:semgrep": list(found)}, (), DIFF, standing=lambda _: True, waivers=count)


def test_what_is_waived_is_said_and_does_not_block() -> None:
    """It has its thread, and the status counts it; what is not waived goes on blocking."""
    of, excused, other = run(), finding(), finding(path="b.py")
    granted = waiver_for(excused)
    decided = waived(of, excused, other, waivers=[granted])
    assert (Waived(excused, granted),) == decided.verdict.waived
    assert (other,) == decided.verdict.blocking
    assert {excused, other} == set(decided.posts)
    alone = waived(of, excused, waivers=[granted])
    assert ("success", "no blocking findings; 1 is waived") == status(of, alone)
    assert alone.verdict.passed


def test_a_waiver_opens_the_gate_for_its_code_alone() -> None:
    """Not for other code under the same name, not for a graver finding, and not against the policy."""
    of, excused = run(), finding(anchor="1:a")
    granted = waiver_for(excused)
    for now, policy in (
        (excused.model_copy(update={"anchor": "1:b"}), NO_POLICY),
        (excused.model_copy(update={"severity": Severity.critical}), NO_POLICY),
        (excused, Policy(waivers=Waivers(never=("semgrep",)))),
        (excused, Policy(waivers=Waivers(max_severity=Severity.medium))),
    ):
        assert not waived(of, now, waivers=[granted], policy=policy).verdict.passed
    assert waived(of, excused, waivers=[granted]).verdict.passed


def test_limits_and_unread_files_cannot_be_waived() -> None:
    """They are about the change, not about a finding."""
    strict = Policy(gate=Gate(limits=Limits(max_files=1, on_exceed="block")))
    excused = finding()
    decided = waived(run(policy=strict), excused, waivers=[waiver_for(excused)])
    assert (1, 1, False) == (
        len(decided.verdict.waived),
        len(decided.verdict.exceeded),
        decided.verdict.passed,
    )


def test_what_says_the_same_is_not_hidden_behind_a_waiver() -> None:
    """Another scanner's finding on the same defect blocks in its own name, and has a thread."""
    excused = finding(cwe=("CWE-89",))
    twin = finding(scanner="secrets", cwe=("CWE-89",), rule="other")
    of = run()
    assert 1 == len(publication(of, excused, twin).posts)
    first = publication(of, excused, twin).posts[0]
    decided = waived(
        of, excused, twin, waivers=[waiver_for(one) for one in (excused, twin) if one.rule == first.rule]
    )
    assert (1, 1) == (len(decided.verdict.waived), len(decided.verdict.blocking))
    assert 2 == len(decided.posts)


def test_a_rule_that_is_switched_off_hides_nothing() -> None:
    """Findings that nobody wants to hear of are gone before equal ones are folded."""
    of = run(policy=Policy(rules=Rules(disable=("off",))))
    decided = publication(of, finding(Severity.critical, rule="off"), finding(scanner="secrets"))
    assert [post.scanner for post in decided.posts] == ["secrets"]


def test_a_scanner_that_does_not_decide_hides_no_decision() -> None:
    """The gate counts what its own scanners say, whoever says it louder; one thing said twice counts once."""
    both = [finding(Severity.critical), finding(scanner="secrets")]
    of = run(policy=Policy(gate=Gate(scanners=("secrets",))))
    decided = publication(of, *both)
    assert ([post.scanner for post in decided.posts], len(decided.verdict.blocking)) == (["semgrep"], 1)
    assert len(publication(run(), *both).verdict.blocking) == 1


def test_a_known_finding_keeps_its_thread_when_an_equal_one_appears_above_it() -> None:
    """Of two equal findings the one with the same surroundings is the old one."""
    kind = "a" * 24
    known, new = (
        finding(line=9, end_line=9, fingerprint=f"{kind}00002222"),
        finding(fingerprint=f"{kind}33334444"),
    )
    thread = Thread("d", 1, f"{kind}11112222", "semgrep", "a.py")
    decided = decide(run(), {"scan:semgrep": [new, known]}, (thread,), DIFF, standing=lambda _: True)
    assert [(type(action).__name__, action.finding.line) for action in decided.actions] == [  # type: ignore[union-attr]
        ("Post", 1),
        ("Keep", 9),
    ]


LEAK = {"scanner": "secrets", "commit": "c" * 40, "subject": "mark", "fingerprint": "f" * 32}


def test_what_is_only_in_a_commit_is_listed_and_blocks() -> None:
    """There is no line to comment on, but there is something to do; the summary says where it is."""
    of = run()
    decided = publication(of, finding(**LEAK))
    assert (decided.actions, decided.verdict.passed) == ((), False)
    ((listed,), inline) = (decided.listed, decided.posts)
    assert listed.reason.startswith("in commit cccccccc of this branch, no longer at the head")
    assert inline == ()


def test_a_thread_on_what_is_only_in_a_commit_now_stays() -> None:
    """It is neither resolved nor shown as a comment on the head; resolved by us before, it is opened again."""
    of, past = run(), finding(**LEAK)
    for mended, action in ((False, "Keep"), (True, "Reopen")):
        thread = Thread("d", 1, "f" * 32, "secrets", "a.py", resolved=mended, mended=mended)
        decided = decide(of, {"scan:secrets": [past]}, (thread,), DIFF, standing=lambda _: True)
        assert [type(one).__name__ for one in decided.actions] == [action]
        shown = result(of, decided, refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
        assert (shown.inline, [item.finding for item in shown.listed]) == ([], [past])


def test_what_is_in_a_commit_is_not_folded_into_what_is_at_the_head() -> None:
    """Equal line numbers of two commits mean nothing."""
    decided = publication(run(), finding(cwe=("CWE-798",)), finding(cwe=("CWE-798",), **LEAK))
    assert (len(decided.posts), len(decided.listed)) == (1, 1)


def test_threads_stay_while_commits_were_not_looked_at() -> None:
    """What is gone from the head may be in one of them; the reader is told."""
    of = run(
        secrets=Step(outcome=Outcome.partial, past="only its newest 300 commits were looked at"),
        semgrep=Step(outcome=Outcome.partial, not_analysed={"gone.py": "in commit c: too large"}),
    )
    threads = [Thread("d", 1, "f", name, "gone.py") for name in ("secrets", "semgrep", "model")]
    known = analysed(of, DIFF, threads)
    assert ("semgrep", "a.py") in known
    assert not known & {("secrets", "a.py"), ("secrets", "gone.py"), ("semgrep", "gone.py")}
    shown = result(of, publication(of), refused=(), diff=DIFF, project_url="", tokens=0, seconds=1.0)
    assert shown.problems == (
        "Secrets: not all commits of the branch were searched: only its newest 300 commits were looked at.",
    )


def test_only_what_was_analysed_is_known() -> None:
    """A file that a scanner could not read keeps its threads; one that left the diff loses them."""
    of = run(
        skipped={"a.py": "generated"},
        secrets=Step(outcome=Outcome.partial, not_analysed={"b.py": "timeout"}),
        review=Step(outcome=Outcome.failed),
    )
    threads = [Thread("d", 1, "f", "semgrep", "gone.py")]
    assert analysed(of, DIFF, threads) == {
        ("semgrep", "b.py"),
        ("semgrep", "gone.py"),
        ("secrets", "gone.py"),
    }


def test_a_scanner_that_looks_everywhere_knows_files_that_were_left_out() -> None:
    """The reader is told who looked at a lock file, and who did not."""
    lock = Diff((FileDiff("go.sum", "go.sum", Change.modified), FileDiff("x.py", "x.py", Change.modified)))
    of = run(
        policy=Policy(paths=Paths(exclude=("x.py",))),
        skipped={"go.sum": "lock file", "x.py": "excluded by the policy (x.py)"},
        secrets=Step(outcome=Outcome.done, everywhere=True, shown={"go.sum": 1}),
    )
    assert analysed(of, lock, ()) == {("secrets", "go.sum")}
    shown = result(of, publication(of), refused=(), diff=lock, project_url="", tokens=0, seconds=1.0)
    assert shown.not_reviewed == {
        "go.sum": "lock file; only secrets looked at it",
        "x.py": "excluded by the policy (x.py)",
    }


def test_a_scanner_that_may_not_block_leaves_nothing_open():
    """Its failure is told in the summary and fails the status only where the policy names it."""
    broken = Step(outcome=Outcome.failed, problem="the index is damaged")
    of = run().model_copy(
        update={"steps": {"scan:semgrep": Step(outcome=Outcome.done), "scan:dependencies": broken}}
    )
    assert "success" == status(of, publication(of))[0]
    strict = of.model_copy(update={"policy": Policy(gate=Gate(scanners=("semgrep", "dependencies")))})
    assert ("failed", "not decided: no answer from dependencies") == status(strict, publication(strict))


LARGE = Diff((*DIFF.files, FileDiff("big.txt", "big.txt", Change.added, truncated=True)))


def on(of: Run, diff: Diff, *found: Finding) -> Publication:
    """Return what is decided on *found* in *diff*, without threads."""
    return decide(of, {"scan:semgrep": list(found)}, (), diff, standing=lambda _: True)


def test_a_change_that_cannot_be_read_keeps_the_gate_shut() -> None:
    """Nobody can tell what it hides; a file that the policy leaves out hides nothing."""
    assert ("failed", "not decided: 1 changed file could not be read") == status(run(), on(run(), LARGE))
    for policy in (
        Policy(gate=Gate(unread="never")),
        Policy(gate=Gate(block_at="never")),
        Policy(paths=Paths(exclude=("*.txt",))),
    ):
        of = run(policy=policy)
        assert status(of, on(of, LARGE))[0] == "success"


def test_findings_count_more_than_what_is_not_known() -> None:
    """They are what has to be mended first."""
    assert ("failed", "1 blocking finding") == status(run(), on(run(), LARGE, finding()))


def test_all_files_without_an_answer_count_if_the_policy_says_so() -> None:
    """Of the scanners that decide, not of the others."""
    unread = Step(outcome=Outcome.partial, shown={"a.py": 1}, not_analysed={"b.py": "it took too long"})
    strict = Policy(gate=Gate(unread="all"))
    for step, expected in (("semgrep", "failed"), ("review", "success")):
        of = run(policy=strict, **{step: unread})
        assert expected == status(of, publication(of))[0]
        assert status(run(**{step: unread}), publication(run(**{step: unread})))[0] == "success"


def test_a_change_beyond_the_limits_fails_or_is_told() -> None:
    """As the policy says."""
    for on_exceed, expected in (("block", "failed"), ("advise", "success")):
        policy = Policy(gate=Gate(limits=Limits(max_files=1, on_exceed=on_exceed)))
        of = run(policy=policy)
        decided = publication(of)
        assert expected == status(of, decided)[0]
        told = result(of, decided, refused=(), diff=DIFF, project_url="", tokens=0, seconds=0)
        text = summary(told, marker="")
        assert "2 changed files, more than the 1 that the policy allows" in text
        assert ("beyond the limits" in text) is (on_exceed == "block")


def test_coverage_is_the_share_of_added_lines_that_deciding_scanners_saw() -> None:
    """It is measured once they have ended."""
    seen = Step(outcome=Outcome.done, shown={"a.py": 1})
    strict = Policy(gate=Gate(limits=Limits(min_coverage=51, on_exceed="block")))
    of = run(policy=strict, semgrep=seen, secrets=seen)
    assert ("50 % of the added lines were looked at, less than the 51 % that the policy asks for",) == (
        publication(of).verdict.exceeded
    )
    assert publication(run(policy=strict)).verdict.exceeded == ()
    broken = Step(
        outcome=Outcome.partial, shown={"a.py": 1, "b.py": 1}, not_analysed={"b.py": "it took too long"}
    )
    assert publication(run(policy=strict, semgrep=broken)).verdict.exceeded
    waiting = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime.now(UTC)).start_work(
        Plan(revision=REVISION, policy=strict, steps=STEPS)
    )
    assert publication(waiting).verdict.exceeded == ()


def test_what_is_in_shadow_is_recorded_and_nothing_more() -> None:
    """Neither a comment nor a row of what is listed, and the gate is open."""
    shadow = GateRule(when=When(rules=("r",)), mode=Mode.shadow)
    of = run(policy=Policy(gate=Gate(rules=(shadow,))))
    found = finding()
    decided = publication(of, found)
    assert ((), (), (found,)) == (decided.actions, decided.listed, decided.verdict.shadowed)
    assert status(of, decided)[0] == "success"
    told = result(of, decided, refused=(), diff=DIFF, project_url="", tokens=0, seconds=0)
    assert "Would block if their rules did more than record (1)" in summary(told, marker="")


def test_facts_of_the_merge_request_decide() -> None:
    """A label opens the gate for what its rule is about, and taking it away shuts it."""
    excused = GateRule(when=When(labels=("hotfix",)), mode=Mode.advise)
    of = run(policy=Policy(gate=Gate(rules=(excused,))))
    for labels, expected in ((("hotfix",), "success"), ((), "failed"), (None, "failed")):
        labelled = of.model_copy(update={"facts": Facts(labels=labels)})
        assert expected == status(labelled, publication(labelled, finding()))[0]


def test_what_does_not_decide_does_not_hide_what_does() -> None:
    """Of two findings in one place that are the same, the one in shadow must not win."""
    shadow = GateRule(when=When(scanners=("sarif:lint",)), mode=Mode.shadow)
    of = run(policy=Policy(gate=Gate(rules=(shadow,))))
    twin = finding(Severity.critical, scanner="sarif:lint", cwe=("CWE-89",))
    decided = publication(of, twin, finding(cwe=("CWE-89",)))
    assert [one.scanner for one in decided.verdict.blocking] == ["semgrep"]
