"""The note hook, reduced to comments on merge requests that may address us, or stand in a thread of ours."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.commands import addresses_somebody
from bot.domain.events import CommentPosted, FeedbackExpected
from bot.domain.marker import seems_ours
from bot.domain.merge_request import MergeRequestRef
from bot.domain.watching import Why
from bot.hooks.payload import Hook, Ignored, Malformed, flag, identifier, section, shown, text


def _translate(body: Mapping[str, object], instance: str) -> CommentPosted | FeedbackExpected | Ignored:
    """Return the comment, that there may be a reply to us, or why nobody needs to look at it.

    Only ids go on: who wrote it, what it says and whether it still stands are asked of GitLab later. ``action`` is
    absent before 16.11, where an edit cannot be told from a new comment; each comment is acted on once. An edit asks
    for nothing, but a reply to us may say something else now.
    """
    attributes = section(body, "object_attributes")
    if reason := _ignored(body, attributes):
        return Ignored(reason)
    merge_request = section(body, "merge_request")
    project = (
        identifier(merge_request, "target_project_id")
        or identifier(attributes, "project_id")
        or identifier(section(body, "project"), "id")
    )
    iid, note = identifier(merge_request, "iid"), identifier(attributes, "id")
    author, discussion = identifier(attributes, "author_id"), text(attributes, "discussion_id")
    if project is None or iid is None or note is None or author is None or discussion is None:
        msg = (
            "merge_request.iid, the project's id, or object_attributes.id, author_id or discussion_id is missing;"
            " a custom template must keep them"
        )
        raise Malformed(msg)
    ref = MergeRequestRef(instance=instance, project_id=project, iid=iid)
    said = text(attributes, "note")
    # A custom template may leave the text out; then GitLab is asked.
    if text(attributes, "action") == "update" or (said is not None and not addresses_somebody(said)):
        return FeedbackExpected(ref=ref, why=Why.replied)
    return CommentPosted(
        ref=ref,
        note_id=note,
        discussion_id=discussion,
        author_id=author,
    )


def _ignored(body: Mapping[str, object], attributes: Mapping[str, object]) -> str:
    kind, action = text(attributes, "noteable_type"), text(attributes, "action")
    if kind != "MergeRequest":
        return f"comments on {shown(kind or '')} are not used"
    if action not in {None, "create", "update"}:
        return "it is neither a new comment nor an edited one"
    if flag(attributes, "system"):
        return "GitLab wrote it"
    if flag(attributes, "internal") or text(body, "event_type") == "confidential_note":
        return "internal comments are not answered"
    note = text(attributes, "note")
    if note is not None and seems_ours(note):
        return "it looks like one of ours"
    if text(attributes, "type") is not None:
        return ""
    if action == "update":
        return "an edited comment is not acted on again"
    if note is None or addresses_somebody(note):
        return ""
    return "it is in no thread, and no line begins with a name"


hook = Hook(kind="note", translate=_translate)
