"""Note hooks become events only where a comment may address us, and carry nothing of what it says."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.events import CommentPosted, FeedbackExpected
from bot.hooks import Ignored, Malformed, translate


def body(**changes: Any) -> dict[str, Any]:
    """Return a note hook; *changes* replace fields of the note."""
    note = {
        "id": 7,
        "note": "@cloister explain",
        "noteable_type": "MergeRequest",
        "author_id": 5,
        "discussion_id": "6a9c1750b37d513a43987b574953fceb50b03ce7",
        "project_id": 3,
        "system": False,
        "action": "create",
    }
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": {"id": 5, "username": "dev"},
        "project": {"id": 3},
        "object_attributes": {**note, **changes},
        "merge_request": {"id": 99, "iid": 2, "target_project_id": 3},
    }


def test_a_comment_is_announced_by_its_ids() -> None:
    """Its text stays behind."""
    event = translate(body(), instance="gitlab.example")
    assert isinstance(event, CommentPosted)
    assert (3, 2, 7, 5) == (event.ref.project_id, event.ref.iid, event.note_id, event.author_id)
    assert "explain" not in event.model_dump_json()


@pytest.mark.parametrize("changes", [{"action": None}, {"note": None}])
def test_what_old_releases_and_templates_leave_out_is_no_reason_to_miss_one(changes: dict[str, Any]) -> None:
    """The forge is asked instead."""
    assert isinstance(translate(body(**changes), instance="gitlab.example"), CommentPosted)


@pytest.mark.parametrize(
    "changes",
    [
        {"noteable_type": "Issue"},
        {"noteable_type": None},
        {"action": "update"},
        {"system": True},
        {"internal": True},
        {"note": "Looks good."},
        {"note": "thanks @cloister"},
    ],
)
def test_other_comments_are_ignored(changes: dict[str, Any]) -> None:
    """Those on issues, edits, GitLab's own, internal ones, and those that address nobody."""
    assert isinstance(translate(body(**changes), instance="gitlab.example"), Ignored)


@pytest.mark.parametrize("said", ["I was wrong.", "@cloister explain", None])
def test_an_edited_reply_is_looked_at_and_not_acted_on(said: str | None) -> None:
    """It may say something else about our comment now; our own are no replies."""
    edited = body(action="update", type="DiffNote", note=said)
    assert isinstance(translate(edited, instance="gitlab.example"), FeedbackExpected)
    mac = "0" * 64
    ours = body(action="update", type="DiffNote", note=f"A finding.\n\n<!-- cloister:v1:ab:{mac} -->")
    assert isinstance(translate(ours, instance="gitlab.example"), Ignored)


def test_confidential_notes_are_ignored() -> None:
    """Older releases mark them by the kind of the event only."""
    assert isinstance(translate(body() | {"event_type": "confidential_note"}, instance="x"), Ignored)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "7"},
        {"id": 2**64},
        {"author_id": None},
        {"discussion_id": None},
        {"discussion_id": "../1"},
    ],
)
def test_a_comment_without_usable_ids_is_refused(changes: dict[str, Any]) -> None:
    """The message names the field."""
    with pytest.raises(Malformed, match="id"):
        translate(body(**changes), instance="gitlab.example")
