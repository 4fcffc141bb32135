"""The review run as a state machine."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.events import DeadlineReached, VerifyRequested
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import Policy
from bot.domain.run import GRACE, TOTAL, Outcome, Plan, Run, RunState, Step

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
HEAD = "a" * 40
REVISION = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha=HEAD)
STEPS = ("scan:semgrep", "scan:secrets", "review")
DONE = Step(outcome=Outcome.done)


def started(steps: tuple[str, ...] = STEPS) -> Run:
    """Return a run that works on *steps*."""
    run = Run(id=uuid.uuid4(), ref=REF, head_sha=HEAD, created_at=datetime.now(UTC))
    return run.start_work(Plan(revision=REVISION, policy=Policy(), steps=steps))


def test_publishes_once_when_all_steps_are_done() -> None:
    """The last step to end brings the one request to publish."""
    run = started()
    for name in STEPS:
        run, due = run.finish_step(name, DONE).advance()
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert run.advance()[1] == []
    assert run.mark_published(run.results).state is RunState.finished


def test_static_results_wait_a_moment_for_the_model() -> None:
    """When only the model is missing there is a grace; when it is over, what there is gets published."""
    run = started().finish_step("scan:semgrep", DONE).finish_step("scan:secrets", DONE)
    run, due = run.advance()
    assert [
        (one.event.step, one.delay > timedelta()) for one in due if isinstance(one.event, DeadlineReached)
    ] == [(GRACE, True)]
    run, due = run.reach_deadline(GRACE)
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert run.mark_published(run.results).state is RunState.published
    run, due = run.finish_step("review", DONE).advance()
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert run.mark_published(run.results).state is RunState.finished


def test_each_slow_result_is_published_as_it_comes() -> None:
    """The model does not wait for a job of the pipeline, nor the job for the model."""
    run = started(("scan:semgrep", "scan:sarif:lint", "review")).finish_step("scan:semgrep", DONE)
    run, due = run.advance()
    assert [one.event.step for one in due if isinstance(one.event, DeadlineReached)] == [GRACE]
    run, _ = run.reach_deadline(GRACE)
    run, due = run.mark_published(run.results).finish_step("review", DONE).advance()
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert run.mark_published(run.results).state is RunState.published
    run, due = run.finish_step("scan:sarif:lint", DONE).advance()
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert run.mark_published(run.results).state is RunState.finished


def test_a_quick_model_is_published_together_with_the_rest() -> None:
    """The grace deadline of a run that is complete changes nothing."""
    run = started()
    for name in STEPS:
        run, _ = run.finish_step(name, DONE).advance()
    assert run.reach_deadline(GRACE) == (run, [])


def test_the_total_deadline_ends_the_waiting_but_takes_late_results() -> None:
    """What did not end in time is late; its result is published all the same when it comes."""
    run = started().finish_step("scan:secrets", DONE)
    run, due = run.reach_deadline(TOTAL)
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert {"scan:semgrep", "review"} == {n for n, step in run.steps.items() if step.outcome is Outcome.late}
    run = run.mark_published(run.results)
    assert run.state is RunState.published
    run, due = run.finish_step("scan:semgrep", DONE).advance()
    assert [type(one.event) for one in due] == [VerifyRequested]


def test_nothing_to_do_is_published_at_once() -> None:
    """A run without steps has a result: that there is nothing."""
    run, due = started(()).advance()
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert run.mark_published(run.results).state is RunState.finished


def test_a_step_ends_once() -> None:
    """A second outcome of a step is ignored, and so is that of a step that nobody planned."""
    run = started().finish_step("review", DONE)
    assert run.finish_step("review", Step(outcome=Outcome.failed)) == run
    assert run.finish_step("scan:other", DONE) == run


def test_an_ended_run_stays_as_it_is() -> None:
    """A superseded run takes no results and publishes nothing."""
    run = started().supersede()
    assert run.finish_step("review", DONE) == run
    assert run.advance() == (run, [])
    assert run.reach_deadline(TOTAL) == (run, [])
    assert run.fail("why") == (run, [])


def test_a_failed_run_tells_why() -> None:
    """Giving up is published like any other result."""
    run, due = Run(id=uuid.uuid4(), ref=REF, head_sha=HEAD, created_at=datetime.now(UTC)).fail("too large")
    assert (run.state, run.problems) == (RunState.failed, ("too large",))
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert run.mark_published(run.results).published == run.results


def test_a_run_that_is_started_again_is_published_again() -> None:
    """What was visible before does not pass for the result of the replay."""
    run, _ = started(("review",)).reach_deadline(TOTAL)
    run = run.mark_published(run.results)
    again, due = run.start_work(Plan(revision=REVISION, policy=Policy(), steps=())).advance()
    assert [type(one.event) for one in due] == [VerifyRequested]
    assert again.published < again.results


def test_what_people_changed_is_shown_in_another_round() -> None:
    """Once, however often it is asked for before it is visible; the state stays what it was."""
    run = started()
    for name in STEPS:
        run, due = run.finish_step(name, DONE).advance()
    shown = run.mark_published(run.results)
    again, due = shown.show_again()
    assert [(type(one.event), one.event.round) for one in due] == [(VerifyRequested, 2)]  # type: ignore[attr-defined]
    assert (again.state, again.published < again.results) == (RunState.finished, True)
    assert again.mark_published(again.results).show_again()[1] != []
    assert again.request_publish()[1] == []


def test_there_is_nothing_to_show_again_before_the_first_round_or_after_the_last() -> None:
    """What is published first shows it anyway; a superseded run says nothing any more, a failed one does."""
    run = started()
    assert run.show_again() == (run, [])
    published = run.finish_step("scan:semgrep", DONE).request_publish()[0]
    superseded = published.supersede()
    assert superseded.show_again() == (superseded, [])
    failed = published.fail("the repository is too large")[0]
    assert [VerifyRequested] == [type(one.event) for one in failed.show_again()[1]]


def test_survives_storage() -> None:
    """A run comes back from JSON as it was."""
    run = started().finish_step(
        "review", Step(outcome=Outcome.partial, not_analysed={"a": "b"}, duration_s=1.5)
    )
    assert Run.model_validate(run.model_dump(mode="json"), strict=False) == run


@given(st.lists(st.sampled_from([*STEPS, GRACE, TOTAL, "publish"]), max_size=20))
def test_never_publishes_the_same_result_twice_and_never_stalls(moves: list[str]) -> None:
    """Whatever order things come in: rounds are distinct, and once all steps ended everything was asked for."""
    run = started()
    rounds: list[int] = []
    for move in [*moves, *STEPS]:
        due = []
        if move in STEPS:
            run, due = run.finish_step(move, DONE).advance()
        elif move == "publish":
            run = run.mark_published(run.requested)
        else:
            run, due = run.reach_deadline(move)
        rounds += [one.event.round for one in due if isinstance(one.event, VerifyRequested)]
    assert len(set(rounds)) == len(rounds)
    assert run.requested == run.results
    assert not run.pending
