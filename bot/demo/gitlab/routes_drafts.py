"""Draft notes: visible to their author only, published one by one or all at once."""

from __future__ import annotations

from bot.demo.gitlab import review_entities
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import bad_note, message, missing, not_found
from bot.demo.gitlab.positions import read_position
from bot.demo.gitlab.state import Draft, MergeRequest

routes = Routes()

_DRAFTS = "projects/:id/merge_requests/:iid/draft_notes"


def _own(call: Call, merge_request: MergeRequest) -> list[Draft]:
    return [draft for draft in merge_request.drafts if draft.author is call.user]


def _one(call: Call, merge_request: MergeRequest) -> Draft:
    wanted = call.segment_number("draft_id")
    for draft in _own(call, merge_request):
        if draft.id == wanted:
            return draft
    raise not_found("Draft Note")


@routes("GET", _DRAFTS)
def _list(call: Call) -> Reply:
    merge_request = call.merge_request()
    return call.page(_own(call, merge_request), lambda draft: review_entities.draft(merge_request, draft))


@routes("GET", f"{_DRAFTS}/:draft_id")
def _show(call: Call) -> Reply:
    merge_request = call.merge_request()
    return Reply(body=review_entities.draft(merge_request, _one(call, merge_request)))


@routes("POST", _DRAFTS)
def _create(call: Call) -> Reply:
    merge_request = call.merge_request()
    draft = Draft(
        0, call.user, call.required("note"), None, bool(call.flag("resolve_discussion")), None, None
    )
    if not draft.note.strip():
        raise bad_note("note", "can't be blank")
    draft.discussion_id = call.text("in_reply_to_discussion_id")
    if draft.discussion_id is not None:
        if draft.discussion_id not in merge_request.discussions:
            raise not_found("Discussion")
        if any(other.discussion_id == draft.discussion_id for other in _own(call, merge_request)):
            raise message(400, {"author_id": ["has already been taken"]})
    _set_position(call, merge_request, draft)
    draft.id = call.instance.state.next_id()
    merge_request.drafts.append(draft)
    return Reply(201, review_entities.draft(merge_request, draft))


def _set_position(call: Call, merge_request: MergeRequest, draft: Draft) -> None:
    value = call.params.get("position")
    draft.position = draft.line_code = None
    if value is None:
        return
    position = read_position(value, call.instance.state.version)
    draft.position = position
    if call.instance.drafts_check_positions:
        place = call.instance.core.positions.place
        _, _, draft.line_code = place(merge_request.project.repository, merge_request.refs, position)


@routes("PUT", f"{_DRAFTS}/:draft_id")
def _update(call: Call) -> Reply:
    merge_request = call.merge_request()
    draft = _one(call, merge_request)
    note = call.text("note")
    if note is None:
        raise missing("note")
    draft.note = note
    # A position that is left out is written as null.
    _set_position(call, merge_request, draft)
    return Reply(body=review_entities.draft(merge_request, draft))


@routes("DELETE", f"{_DRAFTS}/:draft_id")
def _delete(call: Call) -> Reply:
    merge_request = call.merge_request()
    merge_request.drafts.remove(_one(call, merge_request))
    return Reply(204)


@routes("PUT", f"{_DRAFTS}/:draft_id/publish")
def _publish(call: Call) -> Reply:
    merge_request = call.merge_request()
    call.instance.notes.publish(merge_request, [_one(call, merge_request)])
    return Reply(204)


@routes("POST", f"{_DRAFTS}/bulk_publish")
def _publish_all(call: Call) -> Reply:
    merge_request = call.merge_request()
    call.instance.notes.publish(merge_request, _own(call, merge_request))
    return Reply(204)
