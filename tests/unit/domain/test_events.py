"""Events, their ids and their form in the log."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.events import (
    EVENTS,
    Action,
    BranchPipelineSeen,
    DeadlineReached,
    Event,
    FetchRequested,
    MergeRequestChanged,
    MergeRequestEvent,
    PublishRequested,
    Record,
    ReviewRequested,
    ScanRequested,
    StepFinished,
    UnknownEvent,
    VerifyRequested,
    delivery_id,
    event_id,
)
from bot.domain.merge_request import MergeRequestRef

refs = st.builds(
    MergeRequestRef,
    instance=st.from_regex(r"[a-z]{1,9}(\.[a-z]{2,5})?(:\d{2,4})?(/[a-z]{1,5})?", fullmatch=True),
    project_id=st.integers(1, 2**40),
    iid=st.integers(1, 2**31 - 1),
)
shas = st.from_regex(r"[0-9a-f]{40}", fullmatch=True)
events = st.one_of(
    st.builds(
        MergeRequestChanged,
        ref=refs,
        action=st.sampled_from(Action),
        head_sha=st.none() | shas,
        updated_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        source=st.just("hook"),
    ),
    st.builds(
        BranchPipelineSeen,
        instance=st.just("gitlab.example"),
        project_id=st.integers(1, 2**40),
        sha=shas,
        pipeline_id=st.integers(1, 2**40),
    ),
    st.builds(FetchRequested, ref=refs, run_id=st.uuids()),
    st.builds(ScanRequested, ref=refs, run_id=st.uuids(), scanner=st.sampled_from(["semgrep", "secrets"])),
    st.builds(ReviewRequested, ref=refs, run_id=st.uuids()),
    st.builds(StepFinished, ref=refs, run_id=st.uuids(), step=st.sampled_from(["review", "scan:semgrep"])),
    st.builds(DeadlineReached, ref=refs, run_id=st.uuids(), step=st.sampled_from(["grace", "total"])),
    st.builds(VerifyRequested, ref=refs, run_id=st.uuids(), round=st.integers(1, 9)),
    st.builds(PublishRequested, ref=refs, run_id=st.uuids(), round=st.integers(1, 9)),
)


@given(events, st.uuids())
def test_an_event_survives_the_log(event: Event, identity: uuid.UUID) -> None:
    """An event comes back from its record, and its record from JSON, unchanged."""
    record = Record.of(event, id=identity, trace={"traceparent": "00-1-2-01"}, due_at=datetime.now(UTC))
    stored = Record.model_validate_json(record.model_dump_json())
    assert stored == record
    assert stored.event() == event
    assert stored.key == event.key


@given(events, st.uuids())
def test_ids_follow_from_the_parent(event: Event, parent: uuid.UUID) -> None:
    """The same handling emits the same ids, so that repeats collapse."""
    assert event_id(parent, event) == event_id(parent, event.model_copy())


def test_siblings_have_ids_of_their_own() -> None:
    """Events of one parent that differ in what they ask for do not collapse."""
    ref, run_id, parent = MergeRequestRef(instance="g", project_id=1, iid=1), uuid.uuid4(), uuid.uuid4()
    siblings = [
        ScanRequested(ref=ref, run_id=run_id, scanner="semgrep"),
        ScanRequested(ref=ref, run_id=run_id, scanner="secrets"),
        ReviewRequested(ref=ref, run_id=run_id),
        DeadlineReached(ref=ref, run_id=run_id, step="grace"),
        DeadlineReached(ref=ref, run_id=run_id, step="total"),
        PublishRequested(ref=ref, run_id=run_id, round=1),
        PublishRequested(ref=ref, run_id=run_id, round=2),
    ]
    assert len({event_id(parent, sibling) for sibling in siblings}) == len(siblings)


def test_delivery_ids_depend_on_the_sender() -> None:
    """Two instances may use the same delivery key."""
    assert delivery_id("a", "1") == delivery_id("a", "1")
    assert len({delivery_id("a", "1"), delivery_id("b", "1"), delivery_id("a", "2")}) == 3


def record(**changes: object) -> Record:
    """Return a valid record with *changes*."""
    event = FetchRequested(ref=MergeRequestRef(instance="g", project_id=1, iid=1), run_id=uuid.uuid4())
    return Record.of(event, id=uuid.uuid4()).model_copy(update=changes)


def test_a_schema_from_the_future_is_refused_with_the_remedy() -> None:
    """An older consumer does not guess what a newer sender meant."""
    with pytest.raises(UnknownEvent, match="upgrade the consumers first"):
        record(version=2).event()
    with pytest.raises(UnknownEvent, match="upgrade"):
        record(kind="nobody.knows").event()


def test_unknown_fields_are_tolerated_wrong_types_are_not() -> None:
    """A newer sender may add fields; it may not change what is there."""
    good = record()
    assert record(body={**good.body, "added_later": 1}).event()
    with pytest.raises(ValidationError):
        record(body={**good.body, "run_id": 7}).event()
    with pytest.raises(ValidationError):
        record(body={**good.body, "ref": {"instance": "g", "project_id": "1", "iid": 1}}).event()


def test_every_kind_is_listed_once_under_its_name() -> None:
    """The list that documents the events has all of them."""
    assert {kind: event.kind for kind, event in EVENTS.items()} == {kind: kind for kind in EVENTS}
    kinds = {*Event.__subclasses__(), *MergeRequestEvent.__subclasses__()} - {MergeRequestEvent}
    assert set(EVENTS.values()) == kinds
