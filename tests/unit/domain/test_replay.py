"""What is handed out again: copies that are new work, each event once, no head that has gone by."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.events import Action, FetchRequested, MergeRequestChanged, Record, Stage
from bot.domain.merge_request import MergeRequestRef, ref_of
from bot.domain.replay import Selection, copied, original_of

START = datetime(2026, 1, 1, tzinfo=UTC)
TRACE = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}


def ref(iid: int = 1, project_id: int = 7) -> MergeRequestRef:
    """Return a merge request of an instance whose port looks like a project."""
    return MergeRequestRef(instance="gitlab.example:7", project_id=project_id, iid=iid)


def change(number: int, *, at_s: int | None = 0, action: Action = Action.changed, **of: Any) -> Record:
    """Return what happened to a merge request *at_s* seconds after the start, None for nobody knows when."""
    return Record.of(
        MergeRequestChanged(
            ref=ref(**of),
            action=action,
            head_sha=f"{number:040x}",
            updated_at=None if at_s is None else START + timedelta(seconds=at_s),
            again=True,
            source="hook",
        ),
        id=uuid.UUID(int=number),
        trace=TRACE,
    )


def fetch(number: int, **of: Any) -> Record:
    """Return an event of another stage."""
    return Record.of(FetchRequested(ref=ref(**of), run_id=uuid.UUID(int=number)), id=uuid.UUID(int=number))


def replayed(
    records: list[Record], stage: Stage = Stage.intake, nonce: str = "n", **options: Any
) -> list[Record]:
    """Return what a replay of *records* appends."""
    selection = Selection(stage, nonce, **options)
    for record in records:
        selection.consider(record)
    return [copy for record in records if (copy := selection.take(record)) is not None]


def changes(records: list[Record]) -> list[MergeRequestChanged]:
    """Return the events in *records*."""
    found = [record.event() for record in records]
    assert all(isinstance(event, MergeRequestChanged) for event in found)
    return found  # type: ignore[return-value]


def test_a_copy_is_new_work_in_the_same_trace():
    """It has an id of its own and no attempts; all else is as it was."""
    old = fetch(1).model_copy(update={"attempt": 3, "trace": TRACE})
    copy = copied(old, "n")
    assert copy.id != old.id
    assert (0, old.key, old.body, TRACE["traceparent"]) == (
        copy.attempt,
        copy.key,
        copy.body,
        copy.trace["traceparent"],
    )
    assert copied(old, "m").id != copy.id == copied(old, "n").id


def test_a_copy_of_a_copy_goes_back_to_the_original():
    """An event, a copy of it and a copy of that give the same copy; a mark that is none is no mark."""
    old = fetch(1)
    later = copied(copied(old, "n"), "m")
    assert old.id == original_of(later)
    assert copied(old, "o").id == copied(later, "o").id
    assert old.id == original_of(old.model_copy(update={"trace": {"original": "x"}}))


@given(st.lists(st.integers(1, 6), max_size=20))
def test_an_event_is_handed_out_once_in_its_place(numbers: list[int]):
    """However many retries and copies of it there are."""
    records = [
        (fetch(n) if place % 2 else copied(fetch(n), str(place))).model_copy(update={"attempt": place % 3})
        for place, n in enumerate(numbers)
    ]
    found = [original_of(copy).int for copy in replayed(records, Stage.fetch)]
    assert list(dict.fromkeys(numbers)) == found


def test_only_the_newest_change_of_a_merge_request_is_handed_out():
    """By the forge's time where both have one, as deliveries overtake each other; else in the order of the log."""
    records = [
        change(1, at_s=10, iid=1),
        change(2, at_s=30, iid=1),
        change(3, at_s=20, iid=1),
        change(4, at_s=10, iid=2),
        change(5, at_s=None, iid=2),
        change(6, at_s=10, iid=3),
        change(7, at_s=10, iid=3),
    ]
    assert [2, 5, 7] == [original_of(copy).int for copy in replayed(records)]


def test_again_is_asked_for_by_the_operator_alone():
    """Without the option a head that was reviewed is not reviewed again, whatever the event said."""
    assert [False] == [event.again for event in changes(replayed([change(1)]))]
    assert [True] == [event.again for event in changes(replayed([change(1)], again=True))]


def test_a_head_that_may_have_gone_by_is_left_open():
    """A change without a time is never overtaken, so GitLab is asked what the head is now."""
    timed, untimed = changes(replayed([change(1, iid=1), change(2, at_s=None, iid=2)]))
    assert (f"{1:040x}", None) == (timed.head_sha, untimed.head_sha)


def test_what_was_closed_is_not_reviewed_again():
    """A close is handed out as it was, and does not count as a review."""
    records = [change(1, iid=1), change(2, at_s=5, action=Action.closed, iid=1), change(3, iid=2)]
    selection = Selection(Stage.intake, "n", again=True)
    for record in records:
        selection.consider(record)
    assert (2, 2, 1) == (selection.events, selection.merge_requests, selection.reviews)
    closed, _ = replayed(records, again=True)
    assert records[1].body == closed.body


def test_one_project_can_be_picked():
    """By its id, and nothing else in the key."""
    records = [fetch(1, project_id=7), fetch(2, project_id=8), fetch(3, project_id=8, iid=7)]
    assert [1] == [original_of(copy).int for copy in replayed(records, Stage.fetch, project_id=7)]


def test_what_intake_cannot_read_is_counted_and_left_out():
    """It would end among the dead letters once more."""
    selection = Selection(Stage.intake, "n")
    selection.consider(change(1).model_copy(update={"version": 99}))
    assert (1, 0) == (selection.unreadable, selection.events)


def test_a_key_names_its_merge_request():
    """Also where the instance has a port; what is no key names none."""
    assert ref(3) == ref_of(ref(3).key)
    assert [None] * 4 == [ref_of(text) for text in ("", "a:b:c", "1:2", "gitlab:0:1")]
