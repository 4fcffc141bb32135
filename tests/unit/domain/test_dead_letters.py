"""What a dead letter tells, and what becomes of it when it is retried."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.dead_letters import DeadLetter, HandOut, Settled, Unread, retry, run_of
from bot.domain.errors import Permanent
from bot.domain.events import (
    Action,
    Event,
    FetchRequested,
    MergeRequestChanged,
    PublishRequested,
    Record,
    ReviewRequested,
    ScanRequested,
    StepFinished,
)
from bot.domain.merge_request import MergeRequestRef
from bot.domain.replay import original_of
from bot.domain.run import Outcome, Run, RunState, Step

REF = MergeRequestRef(instance="gitlab.example:8443", project_id=7, iid=3)
RUN = uuid.UUID(int=5)
TRACE = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
FETCH = FetchRequested(ref=REF, run_id=RUN)
SCAN = ScanRequested(ref=REF, run_id=RUN, scanner="semgrep")
REVIEW = ReviewRequested(ref=REF, run_id=RUN)
PUBLISH = PublishRequested(ref=REF, run_id=RUN, round=1)


def record(event: Event = FETCH) -> Record:
    """Return *event* as the log stores it, after three failures."""
    return Record.of(event, id=uuid.UUID(int=1), trace=TRACE).model_copy(update={"attempt": 3})


def letter(
    content: Any = None, number: int = 9, stage: str = "fetch", error: str = "Permanent"
) -> DeadLetter:
    """Return a dead letter."""
    return DeadLetter(
        number=number,
        stage=stage,
        event_id=uuid.UUID(int=1),
        attempts=4,
        error=error,
        reason="no access",
        parked_at=datetime.now(UTC),
        content=record().model_dump(mode="json") if content is None else content,
    )


PLACE = {"topic": "cloister.fetch", "partition": 2, "offset": 77}


def unread(raw: bytes) -> DeadLetter:
    """Return a letter with something that was no record."""
    return letter(
        Record.unreadable(raw, stage="fetch", place=PLACE, problem="no JSON").model_dump(mode="json")
    )


def run(state: RunState, **outcomes: Outcome) -> Run:
    """Return a run whose steps ended like that."""
    steps = {"scan:semgrep" if name == "scan" else name: Step(outcome=one) for name, one in outcomes.items()}
    return Run(id=RUN, ref=REF, head_sha="a" * 40, state=state, steps=steps, created_at=datetime.now(UTC))


def retried(event: Event, of: Run | None, *, newest: bool = True, **options: Any) -> HandOut | Settled:
    """Return what becomes of a letter with *event*."""
    one = letter(**{"stage": event.stage.value} | options)
    return retry(one, record(event), event, of, newest=newest)


def test_a_letter_tells_where_it_belongs():
    """Merge request, kind and trace come from the record; a damaged one has none."""
    assert (REF, "fetch.requested", "a" * 32) == (letter().ref, letter().kind, letter().trace_id)
    for damaged in ({}, {"trace": []}, {"trace": {"traceparent": "x"}, "key": "x", "kind": None}):
        assert (None, "") == (letter(damaged).ref, letter(damaged).trace_id)


def test_what_was_no_record_can_be_looked_at():
    """With the problem and the place, which is no merge request; also when the letter itself is damaged."""
    one = unread(b"{\xff")
    assert Unread(b"{\xff", 2, "no JSON", PLACE) == one.unread
    assert one.ref is None
    damaged = letter({"kind": "unreadable", "body": {"raw_base64": "?", "from": []}})
    assert Unread(b"", 0, "", {}) == damaged.unread
    assert letter().unread is None


def test_a_letter_is_read_once_more():
    """What an earlier release could not read may be readable now; else the remedy is named."""
    assert (record(), FETCH) == letter().read()
    assert (record(), FETCH) == unread(record().model_dump_json().encode()).read()
    newer = record().model_dump(mode="json") | {"version": 99}
    for one, said in (
        (unread(b"{\xff"), "no event that this release reads"),
        (unread(b" " * 100_000), "65536 of its 100000 bytes"),
        (
            unread(record().model_copy(update={"key": "g:1:1"}).model_dump_json().encode()),
            "another merge request",
        ),
        (unread(record().model_copy(update={"stage": "scan"}).model_dump_json().encode()), "or stage"),
        (letter({}), "no event that this release reads"),
        (letter(newer), "upgrade the consumers"),
        (letter(newer | {"kind": "x"}), "not known to this release"),
    ):
        with pytest.raises(Permanent, match=f"dead letter 9.*{said}.*cloister dlq drop 9"):
            one.read()


@pytest.mark.parametrize(
    ("event", "options"),
    [
        (PUBLISH, {}),
        (StepFinished(ref=REF, run_id=RUN, step="review"), {}),
        (FETCH, {"error": "UnknownEvent"}),
        (SCAN, {"error": "Unreadable"}),
        (REVIEW, {"stage": "relay"}),
    ],
)
def test_an_event_of_a_review_that_goes_on_is_handed_out_again(event: Event, options: dict[str, Any]):
    """The same event without its attempts, under an id that the inbox does not know, the same for the same letter."""
    for state in (RunState.started, RunState.working, RunState.published):
        going = run(state, scan=Outcome.pending, review=Outcome.late)
        found = retried(event, going, **options)
        assert isinstance(found, HandOut)
        assert (event, 0, record().id) == (
            found.record.event(),
            found.record.attempt,
            original_of(found.record),
        )
        assert found.record.id != record().id
        assert found == retried(event, going, **options)
        assert found != retried(event, going, number=10, **options)


@pytest.mark.parametrize(
    ("event", "of"),
    [
        (FETCH, run(RunState.failed)),
        (PUBLISH, run(RunState.failed)),
        (SCAN, run(RunState.finished, scan=Outcome.failed)),
        (SCAN, run(RunState.published, scan=Outcome.failed, review=Outcome.pending)),
        (REVIEW, run(RunState.finished, review=Outcome.failed)),
        (FETCH, run(RunState.started)),
        (SCAN, run(RunState.working, scan=Outcome.pending)),
    ],
)
def test_a_review_that_was_marked_by_giving_up_is_made_again(event: Event, of: Run):
    """Or is about to be; the event alone would find nothing to do. The letters of one review ask for one review."""
    found = retried(event, of)
    assert isinstance(found, HandOut)
    asked = found.record.event()
    assert isinstance(asked, MergeRequestChanged)
    assert (REF, Action.changed, None, True) == (asked.ref, asked.action, asked.head_sha, asked.again)
    assert (TRACE, "intake") == (found.record.trace, found.record.stage)
    assert found.record == retried(FETCH, run(RunState.failed), number=10).record  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("event", "of", "newest", "said"),
    [
        (FETCH, run(RunState.superseded), True, "newer head"),
        (FETCH, run(RunState.failed), False, "newer head"),
        (FETCH, run(RunState.working), False, "newer head"),
        (FETCH, None, False, "no longer known"),
        (PUBLISH, run(RunState.finished), True, "finished"),
        (REVIEW, run(RunState.finished, scan=Outcome.failed, review=Outcome.done), True, "finished"),
    ],
)
def test_a_letter_without_a_point_is_settled(event: Event, of: Run | None, newest: bool, said: str):
    """There is nothing left that could be done."""
    found = retried(event, of, newest=newest)
    assert isinstance(found, Settled)
    assert said in found.said


def test_a_change_is_looked_up_in_gitlab():
    """Its head may be an old one by now; whether it is reviewed again is as it was."""
    changed = MergeRequestChanged(
        ref=REF, action=Action.changed, head_sha="a" * 40, updated_at=datetime.now(UTC), source="hook"
    )
    found = retried(changed, None)
    assert isinstance(found, HandOut)
    assert changed.model_copy(update={"head_sha": None, "updated_at": None}) == found.record.event()
    closed = changed.model_copy(update={"action": Action.closed})
    found = retried(closed, None)
    assert isinstance(found, HandOut)
    assert closed == found.record.event()
    assert run_of(changed) is None
    assert RUN == run_of(FETCH)
