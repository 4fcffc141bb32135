"""How comments, drafts, suggestions and reactions look in the REST API."""

from __future__ import annotations

from typing import Any

from bot.demo.gitlab import entities
from bot.demo.gitlab.instance import Instance
from bot.demo.gitlab.state import Award, Draft, MergeRequest, Note, Suggestion


def suggestion(instance: Instance, mr: MergeRequest, note: Note, suggestion: Suggestion) -> dict[str, Any]:
    """Return a suggestion; the key really is ``appliable``."""
    return {
        "id": suggestion.id,
        "from_line": suggestion.from_line,
        "to_line": suggestion.to_line,
        "appliable": instance.suggestions.why_not(mr, note, suggestion) is None,
        "applied": suggestion.applied,
        "from_content": suggestion.from_content,
        "to_content": suggestion.to_content,
    }


def note(instance: Instance, mr: MergeRequest, note: Note) -> dict[str, Any]:
    """Return a note."""
    shown: dict[str, Any] = {
        "id": note.id,
        "type": note.kind,
        "body": note.body,
        "author": entities.user(instance, note.author),
        "created_at": entities.time(note.created_at),
        "updated_at": entities.time(note.updated_at),
        "system": note.system,
        "noteable_id": mr.id,
        "noteable_type": "MergeRequest",
        "project_id": mr.project.id,
        "noteable_iid": mr.iid,
        "resolvable": note.resolvable,
        "confidential": note.internal,
        "internal": note.internal,
        "commands_changes": {},
    }
    if note.kind == "DiffNote":
        shown |= {"commit_id": None, "position": note.position}
        shown["suggestions"] = [suggestion(instance, mr, note, each) for each in note.suggestions]
    if note.resolvable:
        resolver = entities.user(instance, note.resolved_by) if note.resolved_by else None
        shown |= {"resolved": note.resolved_at is not None, "resolved_by": resolver}
        shown["resolved_at"] = entities.time(note.resolved_at)
    return shown


def discussion(instance: Instance, mr: MergeRequest, notes: list[Note]) -> dict[str, Any]:
    """Return a discussion."""
    return {
        "id": notes[0].discussion_id,
        "individual_note": notes[0].kind is None,
        "notes": [note(instance, mr, each) for each in notes],
    }


def draft(mr: MergeRequest, draft: Draft) -> dict[str, Any]:
    """Return a draft note."""
    return {
        "id": draft.id,
        "author_id": draft.author.id,
        "merge_request_id": mr.id,
        "resolve_discussion": draft.resolve_discussion,
        "discussion_id": draft.discussion_id,
        "note": draft.note,
        "commit_id": None,
        "line_code": draft.line_code,
        "position": draft.position,
    }


def award(instance: Instance, award: Award, awardable_id: int, awardable_type: str) -> dict[str, Any]:
    """Return a reaction."""
    return {
        "id": award.id,
        "name": award.name,
        "user": entities.user(instance, award.user),
        "created_at": entities.time(award.created_at),
        "updated_at": entities.time(award.created_at),
        "awardable_id": awardable_id,
        "awardable_type": awardable_type,
        "url": None,
    }
