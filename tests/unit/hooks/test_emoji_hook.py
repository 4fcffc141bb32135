"""Emoji hooks become events where somebody reacts to a comment on a merge request."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.events import CommentPosted, FeedbackExpected, ReactionChanged
from bot.domain.watching import Why
from bot.hooks import Ignored, Malformed, translate
from bot.hooks.delivery import derived_key

DISCUSSION = "6a9c1750b37d513a43987b574953fceb50b03ce7"


def body(**changes: Any) -> dict[str, Any]:
    """Return an emoji hook; *changes* replace fields of the reaction."""
    award = {
        "id": 11,
        "user_id": 5,
        "created_at": "2026-01-02 03:04:05 UTC",
        "name": "thumbsdown",
        "awardable_type": "Note",
        "awardable_id": 7,
        "updated_at": "2026-01-02 03:04:05 UTC",
        "action": "award",
    }
    return {
        "object_kind": "emoji",
        "event_type": "award",
        "user": {"id": 5, "username": "dev"},
        "project_id": 3,
        "project": {"id": 3},
        "object_attributes": {**award, **changes},
        "note": {
            "id": 7,
            "noteable_type": "MergeRequest",
            "discussion_id": DISCUSSION,
            "note": "secret words",
        },
        "merge_request": {"id": 99, "iid": 2, "target_project_id": 3},
    }


def heard(payload: dict[str, Any]) -> Any:
    """Return what a hook comes to."""
    return translate(payload, instance="gitlab.example")


@pytest.mark.parametrize(("action", "added"), [("award", True), ("revoke", False)])
def test_a_reaction_is_announced_by_its_ids(action: str, added: bool) -> None:
    """With its emoji and its time; what the comment says stays behind."""
    event = heard(body(action=action))
    assert isinstance(event, ReactionChanged)
    assert (3, 2) == (event.ref.project_id, event.ref.iid)
    assert (11, 7, 5, "thumbsdown", added) == (
        event.award_id,
        event.note_id,
        event.actor_id,
        event.emoji,
        event.added,
    )
    assert (DISCUSSION, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == (event.discussion_id, event.at)
    assert "secret" not in event.model_dump_json()


@pytest.mark.parametrize(("name", "bot"), [("dev", False), ("project_3_bot_a1b2", True), (None, False)])
def test_bots_are_known_by_their_names(name: str | None, bot: bool) -> None:
    """The hook tells no other way."""
    event = heard(body() | {"user": {"id": 5, "username": name}})
    assert isinstance(event, ReactionChanged)
    assert bot is event.actor_is_bot


def test_what_templates_leave_out_is_made_up_for() -> None:
    """The user, the time and the action stand in more than one place, or can be missing."""
    payload = body(action=None, user_id=None, created_at=None) | {"note": None, "project_id": None}
    event = heard(payload)
    assert isinstance(event, ReactionChanged)
    assert (True, 5, None, "") == (event.added, event.actor_id, event.at, event.discussion_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"awardable_type": "MergeRequest"},
        {"awardable_type": "Issue"},
        {"awardable_type": None},
        {"action": "spin"},
        {"name": None},
        {"name": "<script>alert(1)</script>"},
        {"name": "a" * 101},
        {"name": "thumbsup\n"},
        {"name": "👍"},
    ],
)
def test_other_reactions_are_ignored(changes: dict[str, Any]) -> None:
    """Those to anything but a comment, and those that no GitLab sends."""
    assert isinstance(heard(body(**changes)), Ignored)


@pytest.mark.parametrize("note", [{"noteable_type": "Issue"}, {"noteable_type": "Commit", "id": 7}])
def test_reactions_to_comments_elsewhere_are_ignored(note: dict[str, Any]) -> None:
    """An issue has comments too."""
    assert isinstance(heard(body() | {"note": note}), Ignored)
    assert isinstance(heard(body() | {"merge_request": None}), Ignored)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "11"},
        {"awardable_id": 2**64},
        {"created_at": "yesterday"},
        {"user_id": -1},
        {"name": 5},
    ],
)
def test_what_cannot_be_right_is_refused(changes: dict[str, Any]) -> None:
    """The sender is told which field it is."""
    with pytest.raises(Malformed):
        heard(body(**changes))


def test_the_reaction_of_a_strange_place_is_refused() -> None:
    """An id that leads elsewhere in an address."""
    with pytest.raises(Malformed):
        heard(body() | {"note": {"discussion_id": "../../1"}})
    with pytest.raises(Malformed):
        heard(body() | {"merge_request": {"iid": None, "id": 9}})


def test_giving_and_taking_back_are_two_deliveries() -> None:
    """Where GitLab sends no key, they differ in the action only."""
    assert derived_key(body()) == derived_key(body())
    assert derived_key(body()) != derived_key(body(action="revoke"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(["object_attributes", "note", "merge_request", "project_id", "user"]),
)
def test_any_field_may_hold_anything(value: Any, field: str) -> None:
    """It is an event, ignored or refused, and never a fault of ours."""
    with suppress(Malformed):
        assert isinstance(heard(body() | {field: value}), ReactionChanged | Ignored)


def note(text: str | None, kind: str | None) -> dict[str, Any]:
    """Return a note hook."""
    return {
        "object_kind": "note",
        "event_type": "note",
        "object_attributes": {
            "id": 7,
            "note": text,
            "noteable_type": "MergeRequest",
            "author_id": 5,
            "discussion_id": DISCUSSION,
            "project_id": 3,
            "system": False,
            "action": "create",
            "type": kind,
        },
        "merge_request": {"id": 99, "iid": 2, "target_project_id": 3},
    }


@pytest.mark.parametrize("kind", ["DiffNote", "DiscussionNote"])
def test_a_reply_in_a_thread_makes_a_look_worth_while(kind: str) -> None:
    """It may be a thread of ours."""
    event = heard(note("That is wrong.", kind))
    assert isinstance(event, FeedbackExpected)
    assert Why.replied is event.why
    assert isinstance(heard(note("@cloister ignore", kind)), CommentPosted)


def test_our_own_notes_and_plain_comments_make_no_work() -> None:
    """Each thread that we open comes back as a hook."""
    mark = f"<!-- cloister:v1:{'a' * 32}:{'b' * 64} -->"
    assert isinstance(heard(note(f"A finding.\n\n{mark}\n", "DiffNote")), Ignored)
    assert isinstance(heard(note("Looks good.", None)), Ignored)
