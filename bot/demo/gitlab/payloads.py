"""What webhooks say: merge request, note, emoji and push payloads by version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.pipelines import Pipeline
from bot.demo.gitlab.state import Award, MergeRequest, Note, Project, State

ZERO_SHA = "0" * 40
_STATE_IDS = {"opened": 1, "closed": 2, "merged": 3, "locked": 4}

#: GitLab lists at most this many commits of a push.
PUSH_COMMITS = 20


class Payloads:
    """Build payloads from the current state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def merge_request(
        self,
        merge_request: MergeRequest,
        user: User,
        action: str | None,
        changes: Mapping[str, Any],
        oldrev: str | None = None,
    ) -> dict[str, Any]:
        """Return the payload of a Merge Request Hook; *action* None leaves the field out."""
        attributes = self._attributes(merge_request)
        if action is not None:
            attributes["action"] = action
        if oldrev is not None:
            attributes["oldrev"] = oldrev
        return {
            "object_kind": "merge_request",
            "event_type": "merge_request",
            **self._common(merge_request.project, user),
            "object_attributes": attributes,
            "labels": _labels(merge_request.labels),
            "changes": dict(changes),
            "reviewers": [self._user(reviewer) for reviewer in merge_request.reviewers],
        }

    def note(self, merge_request: MergeRequest, note: Note, action: str | None) -> dict[str, Any]:
        """Return the payload of a Note Hook; its user is the note's author, whoever edited it."""
        attributes = {
            "id": note.id,
            "note": note.body,
            "description": note.body,
            "noteable_type": "MergeRequest",
            "noteable_id": merge_request.id,
            "author_id": note.author.id,
            "project_id": merge_request.project.id,
            "discussion_id": note.discussion_id,
            "type": note.kind,
            "position": note.position,
            "original_position": note.original_position,
            "change_position": note.change_position,
            "line_code": note.line_code,
            "commit_id": None,
            "st_diff": None,
            "system": note.system,
            "resolved_at": self._optional_time(note.resolved_at),
            "resolved_by_id": note.resolved_by.id if note.resolved_by else None,
            "created_at": self._time(note.created_at),
            "updated_at": self._time(note.updated_at),
            "url": f"{self._url(merge_request)}#note_{note.id}",
        }
        if action is not None and self._state.version >= (16, 11):
            attributes["action"] = action
        return {
            "object_kind": "note",
            "event_type": "confidential_note" if note.internal else "note",
            **self._common(merge_request.project, note.author),
            "project_id": merge_request.project.id,
            "object_attributes": attributes,
            "merge_request": self._attributes(merge_request),
        }

    def emoji(
        self, merge_request: MergeRequest, note: Note | None, award: Award, action: str
    ) -> dict[str, Any]:
        """Return the payload of an Emoji Hook."""
        anchor = f"#note_{note.id}" if note else ""
        payload = {
            "object_kind": "emoji",
            "event_type": action,
            **self._common(merge_request.project, award.user),
            "project_id": merge_request.project.id,
            "object_attributes": {
                "id": award.id,
                "user_id": award.user.id,
                "created_at": self._time(award.created_at),
                "name": award.name,
                "awardable_type": "Note" if note else "MergeRequest",
                "awardable_id": note.id if note else merge_request.id,
                "updated_at": self._time(award.created_at),
                "action": action,
                "awarded_on_url": self._url(merge_request) + anchor,
            },
            "merge_request": self._attributes(merge_request),
        }
        if note is not None:
            payload["note"] = self.note(merge_request, note, None)["object_attributes"]
        return payload

    def pipeline(
        self,
        project: Project,
        pipeline: Pipeline,
        status: str,
        merge_request: MergeRequest | None,
        user: User,
    ) -> dict[str, Any]:
        """Return the payload of a Pipeline Hook; only a pipeline of a merge request names one."""
        shown = self._attributes(merge_request) if merge_request else None
        kept = (
            "id",
            "iid",
            "title",
            "source_branch",
            "source_project_id",
            "target_branch",
            "target_project_id",
        )
        return {
            "object_kind": "pipeline",
            "object_attributes": {
                "id": pipeline.id,
                "iid": pipeline.id,
                "ref": merge_request.source_branch if merge_request else pipeline.ref,
                "tag": False,
                "sha": pipeline.sha,
                "before_sha": ZERO_SHA,
                "source": pipeline.source,
                "status": status,
                "detailed_status": status,
                "stages": [],
                "created_at": self._time(pipeline.created_at),
                "finished_at": None,
                "url": f"{self._state.url}/{project.path}/-/pipelines/{pipeline.id}",
            },
            "merge_request": {name: shown[name] for name in kept} | {"url": shown["url"]} if shown else None,
            "user": self._user(user),
            "project": self._project(project),
            "builds": [],
        }

    def push(
        self,
        project: Project,
        user: User,
        branch: str,
        before: str,
        after: str,
        commits: list[dict[str, str]],
    ) -> dict[str, Any]:
        """Return the payload of a Push Hook; *commits* come newest first and go out oldest first."""
        shown = commits[:PUSH_COMMITS]
        return {
            "object_kind": "push",
            "event_name": "push",
            "before": before,
            "after": after,
            "ref": f"refs/heads/{branch}",
            "checkout_sha": None if after == ZERO_SHA else after,
            "user_id": user.id,
            "user_name": user.name,
            "user_username": user.username,
            "user_email": "",
            "project_id": project.id,
            "project": self._project(project),
            "commits": [self._commit(project, commit) for commit in reversed(shown)],
            "total_commits_count": len(commits),
            "repository": self._repository(project),
        }

    def _common(self, project: Project, user: User) -> dict[str, Any]:
        return {
            "user": self._user(user),
            "project": self._project(project),
            "repository": self._repository(project),
        }

    def _attributes(self, merge_request: MergeRequest) -> dict[str, Any]:
        prepared = merge_request.refs is not None
        merge_status = "can_be_merged" if prepared else "preparing"
        source = merge_request.source_project
        attributes: dict[str, Any] = {
            "id": merge_request.id,
            "iid": merge_request.iid,
            "title": merge_request.title,
            "description": merge_request.description,
            "state": merge_request.state,
            "state_id": _STATE_IDS[merge_request.state],
            "draft": merge_request.draft,
            "work_in_progress": merge_request.draft,
            "source_branch": merge_request.source_branch,
            "target_branch": merge_request.target_branch,
            "source_project_id": source.id if source else None,
            "target_project_id": merge_request.project.id,
            "source": self._project(source) if source else None,
            "target": self._project(merge_request.project),
            "last_commit": self._last_commit(merge_request),
            "merge_status": merge_status,
            "detailed_merge_status": "mergeable" if prepared else "preparing",
            "merge_commit_sha": merge_request.merge_commit_sha,
            "head_pipeline_id": None,
            "blocking_discussions_resolved": not merge_request.unresolved,
            "author_id": merge_request.author.id,
            "assignee_ids": [assignee.id for assignee in merge_request.assignees],
            "reviewer_ids": [reviewer.id for reviewer in merge_request.reviewers],
            "labels": _labels(merge_request.labels),
            "first_contribution": False,
            "url": self._url(merge_request),
            "created_at": self._time(merge_request.created_at),
            "updated_at": self._time(merge_request.updated_at),
            "prepared_at": self._optional_time(merge_request.prepared_at),
        }
        if self._state.version >= (18, 0):
            attributes["merged_at"] = self._optional_time(merge_request.merged_at)
            attributes["target_branch_protected"] = False
        return attributes

    def _last_commit(self, merge_request: MergeRequest) -> dict[str, Any] | None:
        repository = merge_request.project.repository
        commit = repository.commit_info(merge_request.head_sha)
        return self._commit(merge_request.project, commit) if commit else None

    def _commit(self, project: Project, commit: Mapping[str, str]) -> dict[str, Any]:
        return {
            "id": commit["id"],
            "message": commit["message"],
            "title": commit["message"].split("\n", 1)[0],
            "timestamp": commit["authored_date"],
            "url": f"{self._state.url}/{project.path}/-/commit/{commit['id']}",
            "author": {"name": commit["author_name"], "email": commit["author_email"]},
        }

    def _project(self, project: Project) -> dict[str, Any]:
        return {
            "id": project.id,
            "name": project.path.rsplit("/", 1)[-1],
            "description": None,
            "web_url": f"{self._state.url}/{project.path}",
            "avatar_url": None,
            "git_ssh_url": f"git@127.0.0.1:{project.path}.git",
            "git_http_url": f"{self._state.url}/{project.path}.git",
            "namespace": project.group.path,
            "visibility_level": 20 if project.visibility == "public" else 0,
            "path_with_namespace": project.path,
            "default_branch": project.default_branch,
            "ci_config_path": None,
        }

    def _repository(self, project: Project) -> dict[str, Any]:
        url = f"{self._state.url}/{project.path}"
        return {
            "name": project.path.rsplit("/", 1)[-1],
            "url": f"{url}.git",
            "description": None,
            "homepage": url,
        }

    def _user(self, user: User) -> dict[str, Any]:
        return {
            "id": user.id,
            "name": user.name,
            "username": user.username,
            "avatar_url": None,
            "email": "[REDACTED]",
        }

    def _url(self, merge_request: MergeRequest) -> str:
        return f"{self._state.url}/{merge_request.project.path}/-/merge_requests/{merge_request.iid}"

    def _time(self, moment: datetime) -> str:
        if self._state.version >= (18, 0):
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")

    def _optional_time(self, moment: datetime | None) -> str | None:
        return self._time(moment) if moment else None


def _labels(titles: list[str]) -> list[dict[str, Any]]:
    return [{"id": number, "title": title} for number, title in enumerate(titles, start=1)]
