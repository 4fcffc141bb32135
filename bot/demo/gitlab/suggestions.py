"""Suggestions: read from diff notes, judged against the live branch, applied as commits."""

from __future__ import annotations

import re

from bot.demo.gitlab.accounts import Level, User
from bot.demo.gitlab.bodies import suggestions
from bot.demo.gitlab.core import Core
from bot.demo.gitlab.errors import forbidden, message
from bot.demo.gitlab.merge_requests import MergeRequests
from bot.demo.gitlab.repository import Change, Repository, Signature
from bot.demo.gitlab.state import MergeRequest, Note, Suggestion

#: A suggestion with where it stands.
Where = tuple[MergeRequest, Note, Suggestion]


class Suggestions:
    """Make and apply suggestions."""

    def __init__(self, core: Core, merge_requests: MergeRequests) -> None:
        self._core = core
        self._merge_requests = merge_requests

    def recreate(self, merge_request: MergeRequest, note: Note) -> None:
        """Read the suggestions of a note; earlier ones are forgotten."""
        note.suggestions = []
        position = note.position
        if position is None or position["position_type"] != "text" or position["new_line"] is None:
            return
        content = merge_request.project.repository.blob(position["head_sha"], position["new_path"])
        if content is None:
            return
        lines = _lines(content.decode("utf-8", "replace"))
        for block in suggestions(note.body):
            first = max(1, position["new_line"] - block.above)
            last = position["new_line"] + block.below
            old = "".join(lines[first - 1 : last])
            new = block.content + _line_end(old) if block.content else ""
            note.suggestions.append(Suggestion(self._core.state.next_id(), first, last, old, new))

    def find(self, suggestion_id: int) -> Where | None:
        """Return a suggestion with where it stands."""
        for project in self._core.state.projects.values():
            for merge_request in project.merge_requests.values():
                for note in merge_request.notes:
                    for suggestion in note.suggestions:
                        if suggestion.id == suggestion_id:
                            return merge_request, note, suggestion
        return None

    def why_not(self, merge_request: MergeRequest, note: Note, suggestion: Suggestion) -> str | None:
        """Return why a suggestion cannot be applied, None when it can."""
        assert note.position is not None
        source = merge_request.source_project
        reasons = {
            "Can't apply this suggestion.": suggestion.applied,
            "This merge request was merged. To apply this suggestion, edit this file directly.": (
                merge_request.state == "merged"
            ),
            "This merge request is closed. To apply this suggestion, edit this file directly.": (
                merge_request.state == "closed"
            ),
            "Can't apply as the source branch was deleted.": (
                source is None or source.repository.branch(merge_request.source_branch) is None
            ),
            "Can't apply as these lines were changed in a more recent version.": self._outdated(
                merge_request, note, suggestion
            ),
            "This suggestion already matches its content.": suggestion.from_content == suggestion.to_content,
            "Can't apply suggestions to notebooks.": note.position["new_path"].endswith(".ipynb"),
        }
        return next((reason for reason, applies in reasons.items() if applies), None)

    def _outdated(self, merge_request: MergeRequest, note: Note, suggestion: Suggestion) -> bool:
        if note.change_position is not None or note.position is None:
            return True
        return suggestion.from_content != self._now(merge_request, note, suggestion)

    def _now(self, merge_request: MergeRequest, note: Note, suggestion: Suggestion) -> str:
        assert note.position is not None
        content = (
            merge_request.project.repository.blob(note.position["head_sha"], note.position["new_path"]) or b""
        )
        lines = _lines(content.decode("utf-8", "replace"))
        return "".join(lines[suggestion.from_line - 1 : suggestion.to_line])

    def apply(
        self,
        user: User,
        batch: list[Where],
        commit_message: str | None = None,
    ) -> None:
        """Commit suggestions of one merge request to its source branch, written by their author, made by *user*.

        Raises:
            ApiError: one of them cannot be applied; nothing was.
        """
        merge_request = batch[0][0]
        source = merge_request.source_project
        if source is None or source.level(user) < Level.developer:
            raise forbidden()
        for where in batch:
            reason = self.why_not(*where)
            if reason:
                raise message(400, reason)
        tip = source.repository.branch(merge_request.source_branch)
        if tip is None or any(
            note.position is None or note.position["head_sha"] != tip for _, note, _ in batch
        ):
            raise message(400, "A file has been changed.")
        files = _patched(source.repository, tip, batch)
        counted = f"Apply {len(batch)} suggestion(s) to {len(files)} file(s)"
        authors = {note.author.id: note.author for _, note, _ in batch}
        author = next(iter(authors.values())) if len(authors) == 1 else user
        sha = source.repository.commit(
            [tip],
            files,
            commit_message or counted,
            Signature(author.name, author.email),
            Signature(user.name, user.email),
        )
        source.repository.set_ref(f"refs/heads/{merge_request.source_branch}", sha)
        for _, _, suggestion in batch:
            suggestion.applied = True
        self._merge_requests.branch_moved(source, user, merge_request.source_branch, tip, sha)


def _patched(repository: Repository, tip: str, batch: list[Where]) -> dict[str, Change]:
    files: dict[str, list[str]] = {}
    taken: set[tuple[str, int]] = set()
    # From the bottom up, so that earlier line numbers stay true.
    for _, note, suggestion in sorted(batch, key=lambda where: -where[2].from_line):
        assert note.position is not None
        path = note.position["new_path"]
        lines = {(path, line) for line in range(suggestion.from_line, suggestion.to_line + 1)}
        if lines & taken:
            raise message(400, "Suggestions are not applicable as their lines cannot overlap.")
        taken |= lines
        content = (repository.blob(tip, path) or b"").decode("utf-8", "surrogateescape")
        whole = files.setdefault(path, _lines(content))
        whole[suggestion.from_line - 1 : suggestion.to_line] = [suggestion.to_content]
    return {
        path: (repository.mode(tip, path), "".join(lines).encode("utf-8", "surrogateescape"))
        for path, lines in files.items()
    }


def _lines(text: str) -> list[str]:
    # Not splitlines: git and GitLab know one kind of line end.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _line_end(text: str) -> str:
    for end in ("\r\n", "\n"):
        if text.endswith(end):
            return end
    return ""
