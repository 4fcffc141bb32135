"""Discussions, notes, reactions to notes, and suggestions."""

from __future__ import annotations

import time
from typing import Any

from bot.demo.gitlab import review_entities
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import ApiError, message, missing, not_found
from bot.demo.gitlab.notes import CommandsOnly
from bot.demo.gitlab.positions import read_position
from bot.demo.gitlab.state import Award, MergeRequest, Note

routes = Routes()

_MR = "projects/:id/merge_requests/:iid"


def _commands_only(error: CommandsOnly) -> Reply:
    return Reply(202, {"commands_changes": error.changes, "summary": ["Applied commands."]})


def _position(call: Call) -> dict[str, Any] | None:
    value = call.params.get("position")
    return None if value is None else read_position(value, call.instance.state.version)


def _note(call: Call, merge_request: MergeRequest, note: Note) -> dict[str, Any]:
    return review_entities.note(call.instance, merge_request, note)


@routes("GET", f"{_MR}/discussions")
def _discussions(call: Call) -> Reply:
    merge_request = call.merge_request()
    threads = list(merge_request.discussions.values())
    return call.page(threads, lambda notes: review_entities.discussion(call.instance, merge_request, notes))


@routes("GET", f"{_MR}/discussions/:discussion_id")
def _discussion(call: Call) -> Reply:
    merge_request = call.merge_request()
    return Reply(body=review_entities.discussion(call.instance, merge_request, call.thread(merge_request)))


@routes("POST", f"{_MR}/discussions")
def _start(call: Call) -> Reply:
    merge_request = call.merge_request()
    body, position = call.required("body"), _position(call)
    try:
        note = call.instance.notes.create(
            merge_request, call.user, body, kind="DiscussionNote", position=position
        )
    except CommandsOnly as error:
        return _commands_only(error)
    thread = merge_request.discussions[note.discussion_id]
    return Reply(201, review_entities.discussion(call.instance, merge_request, thread))


@routes("PUT", f"{_MR}/discussions/:discussion_id")
def _resolve(call: Call) -> Reply:
    merge_request = call.merge_request()
    resolved = call.flag("resolved")
    if resolved is None:
        raise missing("resolved")
    thread = call.thread(merge_request)
    call.instance.notes.resolve(merge_request, thread, call.user, resolved)
    return Reply(body=review_entities.discussion(call.instance, merge_request, thread))


@routes("POST", f"{_MR}/discussions/:discussion_id/notes")
def _reply(call: Call) -> Reply:
    merge_request = call.merge_request()
    thread = call.thread(merge_request)
    body = call.required("body")
    try:
        note = call.instance.notes.create(
            merge_request, call.user, body, discussion_id=thread[0].discussion_id
        )
    except CommandsOnly as error:
        return _commands_only(error)
    return Reply(201, _note(call, merge_request, note))


@routes("PUT", f"{_MR}/discussions/:discussion_id/notes/:note_id")
def _change(call: Call) -> Reply:
    merge_request = call.merge_request()
    note = call.note(merge_request)
    if note not in call.thread(merge_request):
        raise not_found("Note")
    body, resolved = call.text("body"), call.flag("resolved")
    if body is not None and resolved is not None:
        raise ApiError(400, {"error": "body, resolved are mutually exclusive"})
    if body is None and resolved is None:
        raise ApiError(400, {"error": "body, resolved are missing, exactly one parameter must be provided"})
    if resolved is not None:
        call.instance.notes.resolve(merge_request, [note], call.user, resolved)
        return Reply(body=_note(call, merge_request, note))
    return _edit(call, merge_request, note, body or "")


def _edit(call: Call, merge_request: MergeRequest, note: Note, body: str) -> Reply:
    try:
        call.instance.notes.edit(merge_request, note, call.user, body)
    except CommandsOnly as error:
        return _commands_only(error)
    return Reply(body=_note(call, merge_request, note))


@routes("DELETE", f"{_MR}/discussions/:discussion_id/notes/:note_id")
@routes("DELETE", f"{_MR}/notes/:note_id")
def _delete(call: Call) -> Reply:
    merge_request = call.merge_request()
    call.instance.notes.delete(merge_request, call.note(merge_request), call.user)
    return Reply(204)


@routes("GET", f"{_MR}/notes")
def _notes(call: Call) -> Reply:
    merge_request = call.merge_request()
    newest_first = call.text("sort", "desc") == "desc"
    rows = sorted(merge_request.notes, key=lambda note: note.id, reverse=newest_first)
    return call.page(rows, lambda note: _note(call, merge_request, note))


@routes("GET", f"{_MR}/notes/:note_id")
def _show(call: Call) -> Reply:
    merge_request = call.merge_request()
    return Reply(body=_note(call, merge_request, call.note(merge_request)))


@routes("POST", f"{_MR}/notes")
def _create(call: Call) -> Reply:
    merge_request = call.merge_request()
    body = call.required("body")
    _limit(call)
    try:
        note = call.instance.notes.create(merge_request, call.user, body)
    except CommandsOnly as error:
        return _commands_only(error)
    return Reply(201, _note(call, merge_request, note))


def _limit(call: Call) -> None:
    limit = call.instance.notes_per_minute
    if limit is None:
        return
    now = time.monotonic()
    recent = [moment for moment in call.instance.note_times.get(call.user.id, []) if now - moment < 60]
    if len(recent) >= limit:
        text = "This endpoint has been requested too many times. Try again later."
        raise ApiError(429, {"message": {"error": text}})
    call.instance.note_times[call.user.id] = [*recent, now]


@routes("PUT", f"{_MR}/notes/:note_id")
def _edit_note(call: Call) -> Reply:
    merge_request = call.merge_request()
    return _edit(call, merge_request, call.note(merge_request), call.required("body"))


@routes("GET", f"{_MR}/notes/:note_id/award_emoji")
def _awards(call: Call) -> Reply:
    note = call.note(call.merge_request())
    return call.page(note.awards, lambda award: review_entities.award(call.instance, award, note.id, "Note"))


@routes("POST", f"{_MR}/notes/:note_id/award_emoji")
def _award(call: Call) -> Reply:
    merge_request = call.merge_request()
    note = call.note(merge_request)
    award = call.instance.notes.award(merge_request, note, call.user, call.required("name"))
    return Reply(201, review_entities.award(call.instance, award, note.id, "Note"))


@routes("DELETE", f"{_MR}/notes/:note_id/award_emoji/:award_id")
def _revoke(call: Call) -> Reply:
    merge_request = call.merge_request()
    note = call.note(merge_request)
    award: Award | None = next((a for a in note.awards if a.id == call.segment_number("award_id")), None)
    if award is None or award.user is not call.user:
        raise not_found("Award")
    call.instance.notes.revoke_award(merge_request, note, award)
    return Reply(204)


@routes("PUT", "suggestions/:suggestion_id/apply")
def _apply(call: Call) -> Reply:
    return _apply_all(call, [call.segment_number("suggestion_id")], single=True)


@routes("PUT", "suggestions/batch_apply")
def _batch_apply(call: Call) -> Reply:
    ids = call.params.get("ids")
    if not isinstance(ids, list) or not all(str(each).isdecimal() for each in ids):
        raise missing("ids")
    return _apply_all(call, [int(each) for each in ids], single=False)


def _apply_all(call: Call, ids: list[int], *, single: bool) -> Reply:
    found = [where for each in ids if (where := call.instance.suggestions.find(each)) is not None]
    if len(found) != len(ids) or not found:
        raise not_found("Suggestion")
    if len({where[0].id for where in found}) > 1:
        raise message(400, "Suggestions must all be on the same branch.")
    call.instance.suggestions.apply(call.user, found, call.text("commit_message"))
    shown = [review_entities.suggestion(call.instance, *where) for where in found]
    return Reply(200, shown[0] if single else shown)
