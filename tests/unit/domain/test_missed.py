"""Which event is missing follows from what is listed and what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.events import Action, MergeRequestChanged
from bot.domain.facts import Facts
from bot.domain.forge import UpdatedMergeRequest
from bot.domain.merge_request import MergeRequestRef
from bot.domain.missed import Known, missed, missed_id, unusable

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
AT = datetime(2026, 1, 1, 12, 0, 5, 700_000, tzinfo=UTC)
A, B = "a" * 40, "b" * 40

HEADS = st.sampled_from([A, B, None])
TIMES = st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=1)).map(lambda away: AT + away)
KNOWN = st.none() | st.builds(Known, HEADS, st.booleans(), TIMES)
STATES = st.sampled_from(["opened", "closed", "merged", "locked", "", "reopened"])
LISTED = st.builds(UpdatedMergeRequest, st.just(REF), STATES, HEADS, st.just(AT), st.booleans())


def listed(
    state: str = "opened", head: str | None = A, at: datetime = AT, target: str | None = None
) -> UpdatedMergeRequest:
    """Return an entry of the list."""
    return UpdatedMergeRequest(REF, state, head, at, target_branch=target)


def judged(**facts: Any) -> Known:
    """Return what we know of an open merge request whose gate has decided by *facts*."""
    return Known(A, False, None, facts=Facts(**facts))


@pytest.mark.parametrize(
    ("expected", "state", "known"),
    [
        (Action.changed, "opened", None),
        (Action.changed, "opened", Known(B, False, None)),
        (Action.changed, "opened", Known(None, False, None)),
        (Action.changed, "opened", Known(A, True, None)),
        (None, "opened", Known(A, False, None)),
        (Action.closed, "closed", Known(A, False, None)),
        (Action.closed, "merged", Known(B, False, None)),
        (None, "closed", Known(A, True, None)),
        (None, "closed", Known(A, True, None, unmerged=True)),
        (None, "merged", Known(A, True, None)),
        (Action.closed, "merged", Known(A, True, None, unmerged=True)),
        (None, "merged", None),
        (None, "locked", None),
        (None, "locked", Known(B, False, None)),
        (None, "opened", Known(B, True, AT + timedelta(milliseconds=1))),
        (None, "closed", Known(A, False, AT + timedelta(seconds=1))),
    ],
)
def test_only_what_differs_is_missing(expected: Action | None, state: str, known: Known | None):
    """A new head, a close or a reopening that we do not know; nothing where we know the same, or newer."""
    event = missed(listed(state), known)
    assert expected == (event and event.action)
    assert event is None or (REF, A, "reconciler") == (event.ref, event.head_sha, event.source)


@pytest.mark.parametrize(
    ("expected", "state", "target", "known"),
    [
        (True, "opened", "main", "dev"),
        (False, "opened", "main", "main"),
        (False, "opened", "main", None),
        (False, "opened", None, "dev"),
        (False, "merged", "main", "dev"),
    ],
)
def test_a_target_branch_whose_policy_nobody_read_is_missing(
    expected: bool, state: str, target: str | None, known: str | None
):
    """The review begins again at the same head; where no review has read a policy, one will."""
    facts = Facts(target_branch=known)
    event = missed(listed(state, target=target), Known(A, state != "opened", None, facts=facts))
    assert expected == (event is not None and event.again and event.action is Action.changed)


def test_every_new_target_branch_is_an_event_of_its_own():
    """Whoever changes it back and forth, with all hooks lost, is followed each time."""
    known = [judged(target_branch=name) for name in ("dev", "main")]
    events = [missed(listed(target="next"), one) for one in known]
    ids = {missed_id(event, one) for event, one in zip(events, known, strict=True) if event}
    assert len(ids) == len(known)


@pytest.mark.parametrize(
    ("expected", "labels", "draft", "known"),
    [
        (True, ("a", "b"), False, judged(labels=("a",), draft=False)),
        (True, (), False, judged(labels=("a",), draft=False)),
        (True, ("a",), False, judged(labels=("a",), draft=True)),
        (True, ("a",), True, judged(labels=("a",), draft=False)),
        (False, ("b", "a"), False, judged(labels=("a", "b"), draft=False)),
        (False, None, False, judged(labels=("a",), draft=False)),
        (False, ("a",), True, judged()),
    ],
)
def test_labels_and_drafts_by_which_nobody_decided_are_missing(
    expected: bool, labels: tuple[str, ...] | None, draft: bool, known: Known
):
    """The gate decides anew about the same head; where no review has begun, one will ask for itself."""
    event = missed(replace(listed(), labels=labels, draft=draft), known)
    assert expected == (event is not None and event.redecide and not event.again and event.draft is draft)
    assert expected == (event is not None)


def test_every_new_label_is_an_event_of_its_own():
    """Also of one second, which is as exact as hooks are."""
    known = [judged(labels=labels, draft=False) for labels in ((), ("a",), ("a", "b"))]
    events = [missed(replace(listed(), labels=("c",)), one) for one in known]
    ids = {missed_id(event, one) for event, one in zip(events, known, strict=True) if event}
    assert len(ids) == len(known)


@pytest.mark.parametrize(
    ("expected", "known_at"),
    [
        (AT.replace(microsecond=0), None),
        (AT.replace(microsecond=0), AT.replace(microsecond=0)),
        (AT.replace(microsecond=0), AT - timedelta(hours=1)),
        (AT.replace(microsecond=500_000), AT.replace(microsecond=500_000)),
    ],
)
def test_times_compare_with_those_of_hooks(expected: datetime, known_at: datetime | None):
    """Hooks count whole seconds: what they tell of the same second must not look older, nor we older than it."""
    event = missed(listed(), Known(B, False, known_at))
    assert event is not None
    assert expected == event.updated_at


@pytest.mark.parametrize(
    ("expected", "state", "head"),
    [
        ("", "opened", A),
        ("", "closed", None),
        ("", "merged", A),
        ("", "locked", None),
        ("it has no head", "opened", None),
        ("its state is not known", "reopened", A),
        ("its state is not known", "", None),
    ],
)
def test_odd_entries_say_what_is_odd(expected: str, state: str, head: str | None):
    """Nothing is raised for them."""
    assert expected == unusable(listed(state, head))
    assert not expected or missed(listed(state, head), None) is None


@given(LISTED, KNOWN)
def test_what_is_raised_ends_the_difference(entry: UpdatedMergeRequest, known: Known | None):
    """Once the event is handled nothing is missing, and it is not older than what was known before."""
    event = missed(entry, known)
    if event is not None:
        assert missed(entry, handled(event, known)) is None
        assert event.updated_at is not None
        assert known is None or known.updated_at is None or event.updated_at >= known.updated_at


def handled(event: MergeRequestChanged, known: Known | None) -> Known:
    """Return what is known when intake has handled *event*."""
    if event.action is Action.closed:
        return Known(known.head_sha if known else None, True, event.updated_at)
    return Known(event.head_sha, False, event.updated_at)


@given(LISTED, KNOWN, st.timedeltas(timedelta(0), timedelta(days=1)))
def test_an_update_of_no_interest_does_not_make_another_event(
    entry: UpdatedMergeRequest, known: Known | None, later: timedelta
):
    """A comment moves the time that is listed; as long as no more is known, it is the same event."""
    once = missed(entry, known)
    again = missed(UpdatedMergeRequest(REF, entry.state, entry.head_sha, entry.updated_at + later), known)
    if once is not None:
        assert again is not None
        assert missed_id(once, known) == missed_id(again, known)


def test_every_reopening_is_an_event_of_its_own():
    """Whatever was lost, the ids of a life at one head differ."""
    known: Known | None = None
    ids = []
    for minute, state in enumerate(["opened", "closed", "opened", "merged", "opened"]):
        event = missed(listed(state, at=AT + timedelta(minutes=minute)), known)
        assert event is not None
        ids.append(missed_id(event, known))
        known = handled(event, known)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("timed", [True, False])
def test_a_reopening_after_a_close_that_was_told_is_new(timed: bool):
    """The close came as a hook, with or without a time; both openings were lost."""
    opened = missed(listed(), None)
    assert opened is not None
    before = handled(opened, None)
    told = Known(A, True, AT + timedelta(minutes=1) if timed else before.updated_at)
    reopened = missed(listed(at=AT + timedelta(minutes=2)), told)
    assert reopened is not None
    assert missed_id(opened, None) != missed_id(reopened, told)


@given(st.lists(KNOWN, min_size=2, max_size=5, unique=True))
def test_ids_tell_what_was_known(known: list[Known | None]):
    """Two comparisons that start from different knowledge are two events."""
    event = MergeRequestChanged(ref=REF, action=Action.changed, head_sha=A, source="reconciler")
    assert all(missed_id(event, one) != missed_id(event, other) for one, other in pairwise(known))
