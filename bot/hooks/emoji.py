"""The emoji hook, reduced to reactions to comments on merge requests."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.events import ReactionChanged
from bot.domain.forge import named_as_bot
from bot.domain.merge_request import MergeRequestRef
from bot.hooks.payload import Hook, Ignored, Malformed, identifier, section, shown, text, time

_ADDED = {"award": True, "revoke": False}
#: Names of GitLab's own emoji and of those that groups add.
_NAME = re.compile(r"[0-9A-Za-z_+-]{1,100}")


def _translate(body: Mapping[str, object], instance: str) -> ReactionChanged | Ignored:
    """Return the reaction, or why nobody needs to know of it.

    Whether the note is ours is looked up later. See
    https://docs.gitlab.com/user/project/integrations/webhook_events/#emoji-events
    """
    attributes, note = section(body, "object_attributes"), section(body, "note")
    kind = text(attributes, "awardable_type")
    if kind != "Note" or text(note, "noteable_type") not in {None, "MergeRequest"}:
        return Ignored(f"reactions to {shown(kind or '')} that is no comment on a merge request are not used")
    action, name = text(attributes, "action") or text(body, "event_type"), text(attributes, "name") or ""
    if action not in _ADDED:
        return Ignored(f"what {shown(action or '')} does to a reaction is not known")
    if not _NAME.fullmatch(name):
        return Ignored(f"no emoji is named {shown(name)}")
    merge_request = section(body, "merge_request")
    if not merge_request:
        return Ignored("the comment is on no merge request")
    award, about = identifier(attributes, "id"), identifier(attributes, "awardable_id")
    actor = identifier(attributes, "user_id") or identifier(section(body, "user"), "id")
    if award is None or about is None or actor is None:
        msg = "object_attributes.id, awardable_id or user_id is missing; a custom template must keep them"
        raise Malformed(msg)
    return ReactionChanged(
        ref=_ref(body, merge_request, instance),
        award_id=award,
        note_id=about,
        discussion_id=text(note, "discussion_id") or "",
        actor_id=actor,
        actor_is_bot=named_as_bot(text(section(body, "user"), "username") or ""),
        emoji=name,
        added=_ADDED[action],
        at=time(attributes, "created_at"),
    )


def _ref(body: Mapping[str, object], merge_request: Mapping[str, object], instance: str) -> MergeRequestRef:
    project = (
        identifier(merge_request, "target_project_id")
        or identifier(body, "project_id")
        or identifier(section(body, "project"), "id")
    )
    iid = identifier(merge_request, "iid")
    if project is None or iid is None:
        msg = "merge_request.iid or the project's id is missing; a custom template must keep both"
        raise Malformed(msg)
    return MergeRequestRef(instance=instance, project_id=project, iid=iid)


hook = Hook(kind="emoji", translate=_translate)
