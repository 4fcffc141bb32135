"""What people say on a GitLab, from Python: comments, threads, reactions, suggestions that they apply."""

from __future__ import annotations

from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.setup import Setup
from bot.demo.gitlab.state import Award, MergeRequest, Note
from bot.demo.gitlab.suggestions import Where


class Talk(Setup):
    """Speak as people; ``user`` is the merge request's author when left out."""

    def comment(self, merge_request: MergeRequest, body: str, *, user: User | None = None) -> Note:
        """Write a plain comment."""
        with self.instance.state.lock:
            return self.instance.notes.create(merge_request, user or merge_request.author, body)

    def reply(
        self, merge_request: MergeRequest, discussion_id: str, body: str, *, user: User | None = None
    ) -> Note:
        """Reply in a thread."""
        with self.instance.state.lock:
            who = user or merge_request.author
            return self.instance.notes.create(merge_request, who, body, discussion_id=discussion_id)

    def delete_note(self, merge_request: MergeRequest, note: Note, *, user: User | None = None) -> None:
        """Delete a note."""
        with self.instance.state.lock:
            self.instance.notes.delete(merge_request, note, user or note.author)

    def edit_note(
        self, merge_request: MergeRequest, note: Note, body: str, *, user: User | None = None
    ) -> None:
        """Replace the body of a note."""
        with self.instance.state.lock:
            self.instance.notes.edit(merge_request, note, user or note.author, body)

    def resolve(
        self,
        merge_request: MergeRequest,
        discussion_id: str,
        resolved: bool = True,
        *,
        user: User | None = None,
    ) -> None:
        """Resolve a thread, or open it again."""
        with self.instance.state.lock:
            notes = merge_request.discussions[discussion_id]
            self.instance.notes.resolve(merge_request, notes, user or merge_request.author, resolved)

    def react(
        self, merge_request: MergeRequest, note: Note | None, name: str, *, user: User | None = None
    ) -> Award:
        """React to a note, or with None to the merge request."""
        with self.instance.state.lock:
            return self.instance.notes.award(merge_request, note, user or merge_request.author, name)

    def revoke_reaction(self, merge_request: MergeRequest, note: Note | None, award: Award) -> None:
        """Take a reaction back."""
        with self.instance.state.lock:
            self.instance.notes.revoke_award(merge_request, note, award)

    def apply_suggestion(self, suggestion_id: int, *, user: User | None = None) -> None:
        """Apply a suggestion as the web interface does, which also resolves its thread."""
        with self.instance.state.lock:
            where = self.instance.suggestions.find(suggestion_id)
            if where is None:
                raise LookupError(f"there is no suggestion {suggestion_id}")
            self._apply(where, user or where[0].author)

    def _apply(self, where: Where, user: User) -> None:
        merge_request, note, _ = where
        self.instance.suggestions.apply(user, [where])
        thread = merge_request.discussions[note.discussion_id]
        self.instance.notes.resolve(merge_request, thread, user, resolved=True)
