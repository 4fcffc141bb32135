"""The merge request hook, reduced to what a review cares about."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.events import Action, MergeRequestChanged
from bot.domain.merge_request import MergeRequestRef
from bot.hooks.payload import Hook, Ignored, Malformed, flag, identifier, section, shown, text, time

_ACTIONS = {
    "open": Action.changed,
    "reopen": Action.changed,
    "close": Action.closed,
    "merge": Action.closed,
}
_IRRELEVANT = frozenset({"approval", "approved", "unapproval", "unapproved"})
_CLOSED_STATES = frozenset({"closed", "merged"})


def _translate(body: Mapping[str, object], instance: str) -> MergeRequestChanged | Ignored:
    """Return the change, or why there is none.

    GitLab sends ``update`` for edits, labels, resolved threads and more; ``oldrev`` tells new commits from
    all of them. ``last_commit`` is null when the head cannot be read, ``source`` when the fork is gone.
    """
    attributes = section(body, "object_attributes")
    changes = section(body, "changes")
    # An external status check asks anew, as when somebody has it tried again.
    asked = bool(section(body, "external_approval_rule"))
    action = _action(attributes, changes)
    if isinstance(action, Ignored) and asked and text(attributes, "action") not in _IRRELEVANT:
        action = _from_state(attributes, text(attributes, "action"))
    if isinstance(action, Ignored):
        return action
    return MergeRequestChanged(
        ref=_ref(body, attributes, instance),
        action=action,
        head_sha=text(section(attributes, "last_commit"), "id"),
        updated_at=time(attributes, "updated_at"),
        pushed_by=_pusher(body, attributes),
        pushed_over=text(attributes, "oldrev"),
        draft=flag(attributes, "draft") or flag(attributes, "work_in_progress") or False,
        again="target_branch" in changes,
        redecide=_asked_for_by_gates(changes) or asked,
        source="hook",
    )


def _pusher(body: Mapping[str, object], attributes: Mapping[str, object]) -> int | None:
    """Return who pushed the head: whoever the hook of new commits names, and whoever opens a merge request stands for it."""
    pushed = text(attributes, "oldrev") is not None or text(attributes, "action") == "open"
    return identifier(section(body, "user"), "id") if pushed else None


def _action(attributes: Mapping[str, object], changes: Mapping[str, object]) -> Action | Ignored:
    name = text(attributes, "action")
    if name in _ACTIONS:
        return _ACTIONS[name]
    if name in _IRRELEVANT:
        return Ignored(f"{name} does not change the code")
    if name == "update":
        return _update(attributes, changes)
    return _from_state(attributes, name)


def _update(attributes: Mapping[str, object], changes: Mapping[str, object]) -> Action | Ignored:
    new_commits = text(attributes, "oldrev") is not None
    if new_commits or "target_branch" in changes or _asked_for_by_gates(changes):
        return Action.changed
    return Ignored("the update brings no new commits")


def _asked_for_by_gates(changes: Mapping[str, object]) -> bool:
    """Say whether something changed that rules of a gate may ask for, besides branches."""
    draft = section(changes, "draft")
    flipped = flag(draft, "previous") is not flag(draft, "current")
    return flipped or "labels" in changes


def _from_state(attributes: Mapping[str, object], action: str | None) -> Action | Ignored:
    # Some deliveries come without an action, and newer releases may know actions that we do not.
    state = text(attributes, "state")
    if state in _CLOSED_STATES:
        return Action.closed
    if state == "opened" and section(attributes, "last_commit"):
        return Action.changed
    return Ignored(f"nothing to review: action {shown(action or '')}, state {shown(state or '')}")


def _ref(body: Mapping[str, object], attributes: Mapping[str, object], instance: str) -> MergeRequestRef:
    project = identifier(attributes, "target_project_id") or identifier(section(body, "project"), "id")
    iid = identifier(attributes, "iid")
    if project is None or iid is None:
        msg = "object_attributes.iid or target_project_id is missing; a custom template must keep both"
        raise Malformed(msg)
    return MergeRequestRef(instance=instance, project_id=project, iid=iid)


hook = Hook(kind="merge_request", translate=_translate)
