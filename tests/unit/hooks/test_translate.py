"""Merge request hooks become changes; everything else is ignored or refused with a reason."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.events import Action, MergeRequestChanged
from bot.domain.merge_request import MergeRequestRef
from bot.hooks import Ignored, Malformed, kinds, translate
from bot.hooks.delivery import derived_key

SHA = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
BODY: dict[str, Any] = {
    "object_kind": "merge_request",
    "event_type": "merge_request",
    "user": {"id": 1, "username": "dev"},
    "project": {"id": 5, "path_with_namespace": "team/app"},
    "object_attributes": {
        "id": 90,
        "iid": 1,
        "target_project_id": 5,
        "source_project_id": 5,
        "state": "opened",
        "draft": False,
        "action": "open",
        "updated_at": "2013-12-03T17:23:34Z",
        "last_commit": {"id": SHA, "message": "fix"},
        "source": {"id": 5},
    },
    "changes": {},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELDS = [
    ("object_kind",),
    ("event_name",),
    ("project",),
    ("project", "id"),
    ("changes",),
    ("changes", "draft"),
    ("changes", "target_branch"),
    ("object_attributes",),
    *(("object_attributes", name) for name in BODY["object_attributes"]),
    ("object_attributes", "oldrev"),
    ("object_attributes", "last_commit", "id"),
]


def hook(changes: dict[str, Any] | None = None, /, **attributes: Any) -> dict[str, Any]:
    body = copy.deepcopy(BODY)
    body["object_attributes"] |= attributes
    body["changes"] = changes or {}
    return body


def seen(body: dict[str, Any]) -> Action | None:
    event = translate(body, instance="gitlab.example")
    return event.action if isinstance(event, MergeRequestChanged) else None


def test_who_pushed_is_told_by_the_hook_of_new_commits() -> None:
    """And whoever opens a merge request stands for what was pushed before; of edits nobody is told."""
    told = [
        translate(hook(**changes), instance="gitlab.example")
        for changes in ({"action": "open"}, {"action": "update", "oldrev": "e" * 40}, {"action": "reopen"})
    ]
    events = [one for one in told if isinstance(one, MergeRequestChanged)]
    assert [(True, None), (True, "e" * 40), (False, None)] == [
        (one.pushed_by is not None, one.pushed_over) for one in events
    ]


def test_an_opened_merge_request_is_a_change():
    """Every field that a review needs is taken over, the instance from our side."""
    expected = MergeRequestChanged(
        ref=MergeRequestRef(instance="gitlab.example", project_id=5, iid=1),
        action=Action.changed,
        head_sha=SHA,
        updated_at=datetime(2013, 12, 3, 17, 23, 34, tzinfo=UTC),
        draft=False,
        pushed_by=1,
        source="hook",
    )
    assert expected == translate(BODY, instance="gitlab.example")


@pytest.mark.parametrize(
    ("expected", "changes", "attributes"),
    [
        (Action.changed, {}, {"action": "reopen"}),
        (Action.changed, {}, {"action": "update", "oldrev": "e" * 40}),
        (Action.changed, {"draft": {"previous": True, "current": False}}, {"action": "update"}),
        (Action.changed, {"target_branch": {"previous": "a", "current": "b"}}, {"action": "update"}),
        (Action.changed, {"draft": {"previous": False, "current": True}}, {"action": "update"}),
        (None, {"draft": {"previous": True, "current": True}}, {"action": "update"}),
        (Action.changed, {"labels": {"previous": [], "current": [{"title": "x"}]}}, {"action": "update"}),
        (None, {"title": {"previous": "a", "current": "b"}}, {"action": "update"}),
        (None, {"reviewers": [[], [{"id": 1}]]}, {"action": "update"}),
        (None, {}, {"action": "update"}),
        (None, {}, {"action": "update", "oldrev": None}),
        (Action.closed, {}, {"action": "close"}),
        (Action.closed, {}, {"action": "merge"}),
        (None, {}, {"action": "approved"}),
        (None, {}, {"action": "approval"}),
        (None, {}, {"action": "unapproved"}),
        (None, {}, {"action": "unapproval"}),
        (Action.changed, {}, {"action": None}),
        (Action.changed, {}, {"action": "teleported"}),
        (None, {}, {"action": None, "last_commit": None}),
        (Action.closed, {}, {"action": None, "state": "closed"}),
        (Action.closed, {}, {"action": None, "state": "merged"}),
        (None, {}, {"action": None, "state": "locked"}),
        (None, {}, {"action": None, "state": None}),
    ],
)
def test_action_decides_and_state_stands_in(
    expected: Action | None, changes: dict[str, Any], attributes: dict[str, Any]
):
    """Only new code, a new target, what gates ask for or an end counts; without an action the state decides."""
    assert expected == seen(hook(changes, **attributes))


def test_a_new_target_branch_asks_for_another_review():
    """The head is known already, so the event says that it must be looked at again."""
    event = translate(hook({"target_branch": {"current": "b"}}, action="update"), instance="gitlab.example")
    assert isinstance(event, MergeRequestChanged)
    assert event.again
    assert not event.redecide


@pytest.mark.parametrize("changes", [{"draft": {"previous": True, "current": False}}, {"labels": {}}])
def test_what_gates_ask_for_asks_for_another_verdict(changes: dict[str, Any]):
    """The code is the same, so there is nothing to look at again."""
    event = translate(hook(changes, action="update"), instance="gitlab.example")
    assert isinstance(event, MergeRequestChanged)
    assert (event.again, event.redecide) == (False, True)


def test_missing_head_and_source_are_tolerated():
    """An unreachable head and a deleted fork come as null."""
    event = translate(hook(last_commit=None, source=None, updated_at=None), instance="gitlab.example")
    assert isinstance(event, MergeRequestChanged)
    assert (event.head_sha, event.updated_at) == (None, None)


def test_project_stands_in_for_a_missing_target():
    """A template without target_project_id still names the project."""
    event = translate(hook(target_project_id=None), instance="gitlab.example")
    assert isinstance(event, MergeRequestChanged)
    assert event.ref.project_id == 5


@pytest.mark.parametrize(
    "written",
    [
        "2013-12-03T17:15:43Z",
        "2013-12-03 17:15:43 UTC",
        "2013-12-03T18:15:43.000+01:00",
        "2013-12-03 17:15:43 +0000",
    ],
)
def test_times_are_read_in_every_form_that_gitlab_writes(written: str):
    """Both formats give the same moment in UTC."""
    event = translate(hook(updated_at=written), instance="gitlab.example")
    assert isinstance(event, MergeRequestChanged)
    assert event.updated_at == datetime(2013, 12, 3, 17, 15, 43, tzinfo=UTC)


@pytest.mark.parametrize("body", [{"object_kind": "push"}, {"event_name": "project_create"}])
def test_other_kinds_are_ignored(body: dict[str, Any]):
    """Kinds without a file are no error, whatever header they came with."""
    assert isinstance(translate(body, instance="gitlab.example"), Ignored)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "object_kind is missing"),
        ({"object_kind": 1}, "object_kind is not a string"),
        ({"object_kind": "merge_request"}, "nothing to review"),
        (hook(iid=None), "iid"),
        (hook(iid="1"), "iid is not a positive number"),
        (hook(iid=True), "iid is not a positive number"),
        (hook(iid=2**63), "iid is not a positive number"),
        (hook(updated_at="yesterday"), "updated_at is not a time"),
        (hook(updated_at="2013-12-03 17:15:43"), "updated_at is not a time"),
        (hook(updated_at="0001-01-01T00:00:00+01:00"), "updated_at is not a time"),
        (hook(last_commit={"id": "HEAD"}), "head_sha"),
        (hook(last_commit=[]), "last_commit is not an object"),
        (hook(draft="no"), "draft is not true or false"),
    ],
)
def test_unusable_bodies_are_named(body: dict[str, Any], reason: str):
    """Whoever configured the hook reads which field is wrong."""
    assert reason in said(body)


@given(body=st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_any_object_is_answered(body: dict[str, Any]):
    """Nothing but the one error comes out, and reasons are plain ASCII."""
    assert said(body).isascii()


@given(data=st.data())
def test_any_field_may_be_anything(data: st.DataObject):
    """A real hook with some fields replaced is a change, ignored or refused, never a crash."""
    body = copy.deepcopy(BODY)
    for path in data.draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True)):
        place: Any = body
        for step in path[:-1]:
            place = place.get(step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[path[-1]] = data.draw(JSON)
    assert said(body).isascii()


def said(body: dict[str, Any]) -> str:
    """Return the reason for not taking *body*, the event's key if it is taken."""
    try:
        outcome = translate(body, instance="gitlab.example")
        derived_key(body)
    except Malformed as problem:
        return f"refused: {problem}"
    return outcome.reason if isinstance(outcome, Ignored) else outcome.key


def test_each_kind_is_registered_under_its_own_name():
    """The registry finds the files by themselves."""
    assert "merge_request" in kinds()
    assert [name for name, found in kinds().items() if name != found.kind] == []


def test_a_resend_has_the_same_derived_key():
    """The body of a resend is the same, whatever the order of its fields."""
    shuffled = json.loads(json.dumps(BODY, sort_keys=True))
    assert derived_key(BODY) == derived_key(shuffled)


@pytest.mark.parametrize(
    "other",
    [
        hook(action="update"),
        hook(id=91),
        hook(updated_at="2013-12-03T17:23:35Z"),
        hook(last_commit={"id": "f" * 40}),
        hook(oldrev="f" * 40),
        hook({"target_branch": {"current": "b"}}),
        BODY | {"object_kind": "note"},
        hook(id=None),
    ],
)
def test_different_happenings_have_different_derived_keys(other: dict[str, Any]):
    """What changes between two events changes the key."""
    assert derived_key(BODY) != derived_key(other)


def test_the_senders_view_of_the_project_is_not_part_of_the_key():
    """A group hook and a project hook for one event share the key."""
    assert derived_key(BODY) == derived_key(BODY | {"user": {"id": 2}})


@pytest.mark.parametrize("iid", [2**31, 2**63 - 1])
def test_a_number_beyond_gitlabs_is_refused(iid: int) -> None:
    """It would not fit into the column that it is kept in."""
    with pytest.raises(Malformed, match="no usable iid"):
        translate(hook(iid=iid), instance="gitlab.example")
