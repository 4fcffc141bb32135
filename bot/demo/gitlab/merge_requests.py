"""The life of a merge request: opened, prepared, pushed to, edited, closed, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.core import Core
from bot.demo.gitlab.payloads import ZERO_SHA
from bot.demo.gitlab.repository import Change, Signature
from bot.demo.gitlab.state import MergeRequest, Project, Refs, Version

#: The API gives this many changed files as a number; above it says "1000+".
COUNTED_FILES = 1000


class MergeRequests:
    """Change merge requests and tell the webhooks."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def open(
        self,
        project: Project,
        source: Project,
        author: User,
        *,
        source_branch: str,
        target_branch: str,
        title: str,
        description: str,
        prepared: bool,
    ) -> MergeRequest:
        """Open a merge request for a branch that exists."""
        head = source.repository.branch(source_branch)
        if head is None:
            raise LookupError(f"{source.path} has no branch {source_branch!r}")
        state = self._core.state
        now = state.now()
        iid = max(project.merge_requests, default=0) + 1
        merge_request = MergeRequest(
            id=state.next_id(),
            iid=iid,
            project=project,
            source_project=source,
            source_branch=source_branch,
            target_branch=target_branch,
            title=title,
            description=description,
            author=author,
            head_sha=head,
            created_at=now,
            updated_at=now,
        )
        project.merge_requests[iid] = merge_request
        self._update_head_ref(merge_request)
        if state.version < (17, 0):
            self.announce(merge_request, author, "open")
        if prepared:
            self.prepare(merge_request)
        return merge_request

    def prepare(self, merge_request: MergeRequest) -> None:
        """Make the first diff; only now is ``open`` announced, except by old releases."""
        if merge_request.prepared_at is not None:
            return
        self._add_version(merge_request)
        merge_request.prepared_at = merge_request.updated_at = self._core.state.now()
        if self._core.state.version >= (17, 0):
            self.announce(merge_request, merge_request.author, "open")

    def announce(
        self,
        merge_request: MergeRequest,
        user: User,
        action: str | None,
        changes: Mapping[str, Any] | None = None,
        oldrev: str | None = None,
    ) -> None:
        """Fire the Merge Request Hook."""
        self._core.hooks.fire(
            merge_request.project,
            "merge_requests_events",
            "Merge Request Hook",
            lambda: self._core.payloads.merge_request(merge_request, user, action, changes or {}, oldrev),
        )

    def branch_moved(
        self,
        project: Project,
        user: User,
        branch: str,
        before: str | None,
        after: str | None,
        *,
        quiet: bool = False,
    ) -> None:
        """Tell about a push, unless *quiet*, and bring every merge request of the branch up to date."""
        if not quiet:
            self._core.hooks.fire(
                project, "push_events", "Push Hook", lambda: self._push(project, user, branch, before, after)
            )
        if after is None:
            return
        for target in self._core.state.projects.values():
            for merge_request in target.merge_requests.values():
                if self._follows(merge_request, project, branch):
                    self._new_head(merge_request, user, after)

    def _push(
        self, project: Project, user: User, branch: str, before: str | None, after: str | None
    ) -> dict[str, Any]:
        commits = []
        if after is not None:
            commits = project.repository.log(after, before or f"{after}^@")
        return self._core.payloads.push(project, user, branch, before or ZERO_SHA, after or ZERO_SHA, commits)

    def refresh(self, merge_request: MergeRequest) -> None:
        """Make a new diff version, as after a push or a change of the target branch, and move its notes."""
        self._add_version(merge_request)
        merge_request.updated_at = self._core.state.now()
        refs = merge_request.refs
        assert refs is not None
        for note in merge_request.notes:
            if note.position is None or note.change_position is not None:
                continue
            moved = self._core.positions.trace(merge_request.project.repository, refs, note.position)
            if moved is None:
                old_head = note.position["head_sha"]
                note.change_position = dict(note.position, base_sha=old_head, head_sha=refs.head_sha)
            else:
                note.position = moved

    def edit(self, merge_request: MergeRequest, user: User, **fields: str) -> None:
        """Change title, description or target branch."""
        draft = merge_request.draft
        changes: dict[str, Any] = {}
        for name, value in fields.items():
            changes[name] = {"previous": getattr(merge_request, name), "current": value}
            setattr(merge_request, name, value)
        if merge_request.draft != draft:
            changes["draft"] = {"previous": draft, "current": merge_request.draft}
        merge_request.updated_at = self._core.state.now()
        if "target_branch" in fields and merge_request.prepared_at is not None:
            self.refresh(merge_request)
        self.announce(merge_request, user, "update", changes)

    def label(self, merge_request: MergeRequest, user: User, labels: Sequence[str]) -> None:
        """Give it these labels instead of those that it has."""
        changes = {"labels": {"previous": _titles(merge_request.labels), "current": _titles(labels)}}
        merge_request.labels = list(labels)
        merge_request.updated_at = self._core.state.now()
        self.announce(merge_request, user, "update", changes)

    def close(self, merge_request: MergeRequest, user: User) -> None:
        """Close without merging."""
        self._set_state(merge_request, user, "closed", "close")

    def reopen(self, merge_request: MergeRequest, user: User) -> None:
        """Open again."""
        self._set_state(merge_request, user, "opened", "reopen")
        source = merge_request.source_project
        tip = source.repository.branch(merge_request.source_branch) if source else None
        if merge_request.state == "opened" and tip not in (None, merge_request.head_sha):
            assert tip is not None
            self._new_head(merge_request, user, tip)

    def merge(self, merge_request: MergeRequest, user: User) -> str:
        """Merge with a merge commit and return its sha; conflicts are settled for the source branch."""
        project = merge_request.project
        target = project.repository.branch(merge_request.target_branch)
        assert target is not None
        sha = self._merge_commit(merge_request, user, target)
        project.repository.set_ref(f"refs/heads/{merge_request.target_branch}", sha)
        merge_request.merge_commit_sha = sha
        merge_request.merged_at = self._core.state.now()
        self._set_state(merge_request, user, "merged", "merge")
        self.branch_moved(project, user, merge_request.target_branch, target, sha)
        return sha

    def can_merge(self, merge_request: MergeRequest, user: User) -> bool:
        """Say whether *user* may merge now."""
        project = merge_request.project
        needed = project.protected.get(merge_request.target_branch, 30)
        open_and_ready = merge_request.state == "opened" and not merge_request.draft
        return open_and_ready and project.level(user) >= needed

    def _merge_commit(self, merge_request: MergeRequest, user: User, target: str) -> str:
        message = f"Merge branch '{merge_request.source_branch}' into '{merge_request.target_branch}'"
        return merge_request.project.repository.commit(
            [target, merge_request.head_sha],
            self.changes_of(merge_request),
            message,
            Signature(user.name, user.email),
        )

    def changes_of(self, merge_request: MergeRequest) -> dict[str, Change]:
        """Return what the whole merge request does to files."""
        repository = merge_request.project.repository
        refs = merge_request.refs
        assert refs is not None
        changed = self._core.diffs.between(repository, refs.base_sha, refs.head_sha)
        changes: dict[str, Change] = {file.old_path: None for file in changed.files}
        for file in changed.files:
            content = repository.blob(merge_request.head_sha, file.new_path)
            if not file.deleted_file and content is not None:
                changes[file.new_path] = (file.new_mode, content)
        return changes

    def _set_state(self, merge_request: MergeRequest, user: User, state: str, action: str) -> None:
        if merge_request.state in (state, "merged"):
            return
        changes = {"state_id": {"previous": merge_request.state, "current": state}}
        merge_request.state = state
        now = merge_request.updated_at = self._core.state.now()
        merge_request.closed_at = now if state == "closed" else None
        merge_request.ended_by = user if state != "opened" else None
        self.announce(merge_request, user, action, changes)

    def _follows(self, merge_request: MergeRequest, project: Project, branch: str) -> bool:
        same = merge_request.source_project is project and merge_request.source_branch == branch
        return same and merge_request.state == "opened"

    def _new_head(self, merge_request: MergeRequest, user: User, head: str) -> None:
        oldrev, merge_request.head_sha = merge_request.head_sha, head
        self._update_head_ref(merge_request)
        if merge_request.prepared_at is not None:
            self.refresh(merge_request)
        self.announce(merge_request, user, "update", {}, oldrev)

    def _update_head_ref(self, merge_request: MergeRequest) -> None:
        source, project = merge_request.source_project, merge_request.project
        if source is not None and source is not project:
            project.repository.fetch_from(source.repository, merge_request.head_sha)
        project.repository.set_ref(f"refs/merge-requests/{merge_request.iid}/head", merge_request.head_sha)

    def _add_version(self, merge_request: MergeRequest) -> None:
        repository = merge_request.project.repository
        start = repository.branch(merge_request.target_branch)
        assert start is not None
        refs = Refs(repository.merge_base(start, merge_request.head_sha), start, merge_request.head_sha)
        state = self._core.state
        merge_request.versions.append(Version(state.next_id(), refs, state.now()))


def _titles(labels: Sequence[str]) -> list[dict[str, Any]]:
    return [{"title": title} for title in labels]
