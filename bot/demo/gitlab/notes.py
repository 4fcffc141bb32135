"""Notes, threads, drafts, reactions and suggestions, with everything that follows from writing them."""

from __future__ import annotations

import uuid
from typing import Any

from bot.demo.gitlab.accounts import Level, User
from bot.demo.gitlab.bodies import KNOWN, QuickAction, commands, side_effects
from bot.demo.gitlab.core import Core
from bot.demo.gitlab.errors import ApiError, bad_note, forbidden, message, not_found
from bot.demo.gitlab.merge_requests import MergeRequests
from bot.demo.gitlab.state import Award, Draft, MergeRequest, Note
from bot.demo.gitlab.suggestions import Suggestions

#: Longest body in characters, and most comments on one merge request.
BODY_LIMIT = 1_000_000
NOTES_LIMIT = 5000

_STATE_EVENTS = {"close": "close", "reopen": "reopen", "merge": "merge"}


class CommandsOnly(Exception):
    """Say that a body held quick actions and nothing else, so that no note came of it."""

    def __init__(self, changes: dict[str, Any]) -> None:
        super().__init__(str(changes))
        self.changes = changes


class Notes:
    """Write comments the way GitLab does."""

    def __init__(self, core: Core, merge_requests: MergeRequests, suggestions: Suggestions) -> None:
        self._core = core
        self._merge_requests = merge_requests
        self._suggestions = suggestions

    def create(
        self,
        merge_request: MergeRequest,
        author: User,
        body: str,
        *,
        kind: str | None = None,
        position: dict[str, Any] | None = None,
        discussion_id: str | None = None,
    ) -> Note:
        """Write a note: plain, opening a thread (*kind*), or into an existing one.

        Raises:
            CommandsOnly: the body held nothing but quick actions.
            ApiError: the position or the body is refused.
        """
        self._check_length(merge_request, body)
        placed = None
        if position is not None:
            placed = self._core.positions.place(
                merge_request.project.repository, merge_request.refs, position
            )
            kind = "DiffNote"
        kept, changes = self._act(merge_request, author, body)
        if changes and not kept.strip():
            raise CommandsOnly(changes)
        return self._add(merge_request, author, kept, kind, position, placed, discussion_id)

    def _check_length(self, merge_request: MergeRequest, body: str) -> None:
        if not body.strip():
            raise bad_note("note", "can't be blank")
        if len(body) > BODY_LIMIT:
            raise bad_note("note", f"is too long (maximum is {BODY_LIMIT} characters)")
        if sum(not note.system for note in merge_request.notes) >= NOTES_LIMIT:
            raise bad_note("base", f"Maximum number of comments ({NOTES_LIMIT}) exceeded")

    def _add(
        self,
        merge_request: MergeRequest,
        author: User,
        body: str,
        kind: str | None,
        original: dict[str, Any] | None,
        placed: tuple[dict[str, Any], dict[str, Any] | None, str | None] | None,
        discussion_id: str | None,
    ) -> Note:
        state = self._core.state
        now = state.now()
        thread = merge_request.discussions.get(discussion_id or "", [])
        note = Note(
            state.next_id(),
            discussion_id or uuid.uuid4().hex + uuid.uuid4().hex[:8],
            kind,
            body,
            author,
            now,
            now,
        )
        if placed:
            note.position, note.change_position, note.line_code = placed
            note.original_position = original
        elif thread:
            self._join(note, thread)
        merge_request.notes.append(note)
        merge_request.discussions.setdefault(note.discussion_id, []).append(note)
        merge_request.updated_at = now
        self._suggestions.recreate(merge_request, note)
        self._fire(merge_request, note, "create")
        return note

    def _join(self, note: Note, thread: list[Note]) -> None:
        first = thread[0]
        if first.kind is None:
            first.kind = "DiscussionNote"
            # GitLab saves it anew for that, though nobody has edited it.
            first.updated_at = note.updated_at
        note.kind = first.kind
        note.position, note.original_position = first.position, first.original_position
        note.change_position, note.line_code = first.change_position, first.line_code
        if first.resolved_at is not None:
            note.resolved_at, note.resolved_by = first.resolved_at, first.resolved_by

    def edit(self, merge_request: MergeRequest, note: Note, editor: User, body: str) -> None:
        """Replace the body; its suggestions are made anew, so their ids and ``applied`` are lost."""
        if editor is not note.author and merge_request.project.level(editor) < Level.maintainer:
            raise forbidden()
        self._check_length(merge_request, body)
        kept, changes = self._act(merge_request, editor, body)
        if changes and not kept.strip():
            merge_request.notes.remove(note)
            merge_request.discussions[note.discussion_id].remove(note)
            raise CommandsOnly(changes)
        if kept != note.body:
            note.body = kept
            note.updated_at = merge_request.updated_at = self._core.state.now()
            self._suggestions.recreate(merge_request, note)
            self._fire(merge_request, note, "update")

    def delete(self, merge_request: MergeRequest, note: Note, user: User) -> None:
        """Delete a note; nothing is announced."""
        if user is not note.author and merge_request.project.level(user) < Level.maintainer:
            raise forbidden()
        merge_request.notes.remove(note)
        thread = merge_request.discussions[note.discussion_id]
        thread.remove(note)
        if not thread:
            del merge_request.discussions[note.discussion_id]

    def resolve(self, merge_request: MergeRequest, notes: list[Note], user: User, resolved: bool) -> None:
        """Resolve or unresolve notes of one thread; only the last open thread makes a webhook."""
        level = merge_request.project.level(user)
        if level < Level.developer and user is not merge_request.author:
            raise forbidden()
        if not any(note.resolvable for note in notes):
            raise message(400, "400 Bad request - Discussion is not resolvable")
        self._set_resolved(merge_request, notes, user, resolved)

    def _set_resolved(
        self, merge_request: MergeRequest, notes: list[Note], user: User, resolved: bool
    ) -> None:
        had_open = merge_request.unresolved
        now = self._core.state.now()
        for note in notes:
            if note.resolvable and (note.resolved_at is not None) != resolved:
                note.resolved_at = now if resolved else None
                note.resolved_by = user if resolved else None
        if had_open and not merge_request.unresolved:
            self._all_resolved(merge_request, user)

    def _all_resolved(self, merge_request: MergeRequest, user: User) -> None:
        self.system_note(merge_request, user, "resolved all threads")
        if self._core.state.version >= (17, 0):
            self._merge_requests.announce(merge_request, user, "update")

    def system_note(self, merge_request: MergeRequest, user: User, body: str) -> None:
        """Add a system note; those never fire a webhook."""
        state = self._core.state
        now = merge_request.updated_at = state.now()
        note = Note(
            state.next_id(), uuid.uuid4().hex + uuid.uuid4().hex[:8], None, body, user, now, now, system=True
        )
        merge_request.notes.append(note)
        merge_request.discussions[note.discussion_id] = [note]

    def publish(self, merge_request: MergeRequest, drafts: list[Draft]) -> None:
        """Publish drafts in the order of their ids, all of them or none.

        Raises:
            ApiError: 500 and nothing published, when a draft's position names no line.
        """
        try:
            for draft in drafts:
                self._check_length(merge_request, draft.note)
                if draft.position is not None:
                    repository = merge_request.project.repository
                    self._core.positions.place(repository, merge_request.refs, draft.position)
        except ApiError as error:
            raise ApiError(500, {"message": "500 Internal Server Error"}) from error
        for draft in sorted(drafts, key=lambda draft: draft.id):
            merge_request.drafts.remove(draft)
            self._publish_one(merge_request, draft)

    def _publish_one(self, merge_request: MergeRequest, draft: Draft) -> None:
        thread = merge_request.discussions.get(draft.discussion_id or "")
        try:
            note = self.create(
                merge_request,
                draft.author,
                draft.note,
                kind="DiscussionNote" if draft.discussion_id is None else None,
                position=draft.position if not thread else None,
                discussion_id=draft.discussion_id if thread else None,
            )
        except CommandsOnly:
            return
        notes = merge_request.discussions[note.discussion_id]
        if thread and any(each.resolvable for each in notes):
            # A reply that does not ask to resolve opens the thread again.
            self._set_resolved(merge_request, notes, draft.author, draft.resolve_discussion)

    def award(self, merge_request: MergeRequest, note: Note | None, user: User, name: str) -> Award:
        """React to a note, or to the merge request itself."""
        awards = (note or merge_request).awards
        if any(award.name == name and award.user is user for award in awards):
            raise not_found("Award Emoji Name has already been taken")
        award = Award(self._core.state.next_id(), name, user, self._core.state.now())
        awards.append(award)
        self._fire_emoji(merge_request, note, award, "award")
        return award

    def revoke_award(self, merge_request: MergeRequest, note: Note | None, award: Award) -> None:
        """Take a reaction back."""
        (note or merge_request).awards.remove(award)
        self._fire_emoji(merge_request, note, award, "revoke")

    def _fire_emoji(self, merge_request: MergeRequest, note: Note | None, award: Award, action: str) -> None:
        if self._core.state.version >= (16, 4):
            self._core.hooks.fire(
                merge_request.project,
                "emoji_events",
                "Emoji Hook",
                lambda: self._core.payloads.emoji(merge_request, note, award, action),
            )

    def _fire(self, merge_request: MergeRequest, note: Note, action: str) -> None:
        flag = "confidential_note_events" if note.internal else "note_events"
        self._core.hooks.fire(
            merge_request.project,
            flag,
            "Note Hook",
            lambda: self._core.payloads.note(merge_request, note, action),
        )

    def _act(self, merge_request: MergeRequest, user: User, body: str) -> tuple[str, dict[str, Any]]:
        found, kept = commands(body)
        changes: dict[str, Any] = {}
        self._core.side_effects += side_effects(user.id, kept)
        for command in found:
            changes |= self._run(merge_request, user, *command)
        return kept, changes

    def _run(self, merge_request: MergeRequest, user: User, command: str, argument: str) -> dict[str, Any]:
        known = command in KNOWN
        self._core.quick_actions.append(QuickAction(user.id, merge_request.id, command, argument, known))
        if not known:
            return {}
        if command == "close":
            self._merge_requests.close(merge_request, user)
        elif command == "reopen":
            self._merge_requests.reopen(merge_request, user)
        elif command == "merge" and self._merge_requests.can_merge(merge_request, user):
            self._merge_requests.merge(merge_request, user)
        elif command == "title" and argument:
            self._merge_requests.edit(merge_request, user, title=argument)
        elif command == "draft" and not merge_request.draft:
            self._merge_requests.edit(merge_request, user, title=f"Draft: {merge_request.title}")
        return {"state_event": command} if command in _STATE_EVENTS else {command: argument}
