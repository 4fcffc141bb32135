"""How records look in the REST API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.hooks import FLAGS
from bot.demo.gitlab.instance import Instance
from bot.demo.gitlab.merge_requests import COUNTED_FILES
from bot.demo.gitlab.merging import detailed_merge_status
from bot.demo.gitlab.pipelines import Job, Pipeline, Status
from bot.demo.gitlab.state import Group, Hook, MergeRequest, Project, Refs, Version
from bot.demo.gitlab.statuses import head_pipeline, home_of, pipeline_status


def time(moment: datetime | None) -> str | None:
    """Return a time with milliseconds, as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z" if moment else None


def user(instance: Instance, user: User) -> dict[str, Any]:
    """Return a user as everybody sees one."""
    return {
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "state": user.state,
        "locked": False,
        "avatar_url": None,
        "web_url": f"{instance.state.url}/{user.username}",
    }


def project(instance: Instance, project: Project) -> dict[str, Any]:
    """Return a project."""
    url = f"{instance.state.url}/{project.path}"
    parent = project.forked_from
    name = project.path.rsplit("/", 1)[-1]
    return {
        "id": project.id,
        "name": name,
        "path": name,
        "path_with_namespace": project.path,
        "default_branch": project.default_branch,
        "visibility": project.visibility,
        "web_url": url,
        "http_url_to_repo": f"{url}.git",
        "namespace": {"id": project.group.id, "full_path": project.group.path, "kind": "group"},
        "archived": project.archived,
        "forked_from_project": {"id": parent.id, "path_with_namespace": parent.path} if parent else None,
        "only_allow_merge_if_pipeline_succeeds": project.only_allow_merge_if_pipeline_succeeds,
        "only_allow_merge_if_all_discussions_are_resolved": (
            project.only_allow_merge_if_all_discussions_are_resolved
        ),
    }


def group(instance: Instance, group: Group) -> dict[str, Any]:
    """Return a group."""
    return {
        "id": group.id,
        "name": group.path.rsplit("/", 1)[-1],
        "path": group.path.rsplit("/", 1)[-1],
        "full_path": group.path,
        "web_url": f"{instance.state.url}/groups/{group.path}",
        "visibility": "private",
    }


def hook(instance: Instance, hook: Hook) -> dict[str, Any]:
    """Return a webhook; secrets stay write-only, releases with signing say whether they are set."""
    shown: dict[str, Any] = {
        "id": hook.id,
        "url": hook.url,
        "created_at": time(hook.created_at),
        "enable_ssl_verification": hook.enable_ssl_verification,
        "alert_status": "executable",
        "disabled_until": None,
        **{flag: flag in hook.events for flag in FLAGS},
    }
    if instance.state.version >= (19, 0):
        shown["token_present"] = bool(hook.token)
        shown["signing_token_present"] = bool(hook.signing_token)
    return shown


def refs(refs: Refs | None) -> dict[str, str] | None:
    """Return diff_refs, null while they are not there."""
    if refs is None:
        return None
    return {"base_sha": refs.base_sha, "head_sha": refs.head_sha, "start_sha": refs.start_sha}


def merge_request(instance: Instance, mr: MergeRequest) -> dict[str, Any]:
    """Return a merge request as lists show it."""
    url = f"{instance.state.url}/{mr.project.path}/-/merge_requests/{mr.iid}"
    return {
        "id": mr.id,
        "iid": mr.iid,
        "project_id": mr.project.id,
        "title": mr.title,
        "description": mr.description,
        "state": mr.state,
        "created_at": time(mr.created_at),
        "updated_at": time(mr.updated_at),
        "merged_at": time(mr.merged_at),
        "closed_at": time(mr.closed_at),
        **_ended_by(instance, mr),
        "prepared_at": time(mr.prepared_at),
        "target_branch": mr.target_branch,
        "source_branch": mr.source_branch,
        "user_notes_count": sum(not note.system for note in mr.notes),
        "upvotes": sum(award.name == "thumbsup" for award in mr.awards),
        "downvotes": sum(award.name == "thumbsdown" for award in mr.awards),
        "author": user(instance, mr.author),
        "assignees": [user(instance, assignee) for assignee in mr.assignees],
        "reviewers": [user(instance, reviewer) for reviewer in mr.reviewers],
        "source_project_id": mr.source_project.id if mr.source_project else None,
        "target_project_id": mr.project.id,
        "labels": list(mr.labels),
        "draft": mr.draft,
        "work_in_progress": mr.draft,
        "merge_status": "can_be_merged" if mr.refs else "preparing",
        "detailed_merge_status": detailed_merge_status(mr),
        "sha": mr.head_sha,
        "merge_commit_sha": mr.merge_commit_sha,
        "squash_commit_sha": None,
        "discussion_locked": None,
        "reference": f"!{mr.iid}",
        "references": {
            "short": f"!{mr.iid}",
            "relative": f"!{mr.iid}",
            "full": f"{mr.project.path}!{mr.iid}",
        },
        "web_url": url,
        "has_conflicts": False,
        "blocking_discussions_resolved": not mr.unresolved,
    }


def _ended_by(instance: Instance, mr: MergeRequest) -> dict[str, Any]:
    """Return who merged or closed it; ``merged_by`` is the older name, which stays."""
    who = user(instance, mr.ended_by) if mr.ended_by else None
    merged, closed = (who if mr.state == state else None for state in ("merged", "closed"))
    return {"merged_by": merged, "merge_user": merged, "closed_by": closed}


def merge_request_details(instance: Instance, mr: MergeRequest) -> dict[str, Any]:
    """Return a merge request as its own address shows it."""
    shown = head_pipeline(mr)
    return merge_request(instance, mr) | {
        "diff_refs": refs(mr.refs),
        "changes_count": changes_count(instance, mr),
        "merge_error": None,
        "head_pipeline": pipeline(instance, home_of(mr, shown), shown) if shown else None,
        "first_contribution": False,
    }


def changes_count(instance: Instance, mr: MergeRequest) -> str | None:
    """Return how many files changed, as a string."""
    if mr.refs is None:
        return None
    diff = instance.core.diffs.between(mr.project.repository, mr.refs.base_sha, mr.refs.head_sha)
    limit = min(instance.state.limits.files, COUNTED_FILES)
    return f"{limit}+" if len(diff.files) > limit else str(len(diff.files))


def version(instance: Instance, mr: MergeRequest, version: Version) -> dict[str, Any]:
    """Return one version of the diff."""
    return {
        "id": version.id,
        "head_commit_sha": version.refs.head_sha,
        "base_commit_sha": version.refs.base_sha,
        "start_commit_sha": version.refs.start_sha,
        "created_at": time(version.created_at),
        "merge_request_id": mr.id,
        "state": "collected",
        "real_size": str(len(instance.served_diffs(mr.project, version.refs).shown)),
    }


def commit(instance: Instance, project: Project, commit: dict[str, str]) -> dict[str, Any]:
    """Return a commit."""
    return {
        "id": commit["id"],
        "short_id": commit["id"][:8],
        "created_at": commit["committed_date"],
        "parent_ids": commit["parents"].split(),
        "title": commit["message"].split("\n", 1)[0],
        "message": commit["message"],
        **{name: commit[name] for name in ("author_name", "author_email", "authored_date")},
        **{name: commit[name] for name in ("committer_name", "committer_email", "committed_date")},
        "web_url": f"{instance.state.url}/{project.path}/-/commit/{commit['id']}",
    }


def pipeline(instance: Instance, project: Project, pipeline: Pipeline) -> dict[str, Any]:
    """Return a pipeline."""
    return {
        "id": pipeline.id,
        "project_id": project.id,
        "sha": pipeline.sha,
        "ref": pipeline.ref,
        "status": pipeline_status(project, pipeline),
        "source": pipeline.source,
        "created_at": time(pipeline.created_at),
        "web_url": f"{instance.state.url}/{project.path}/-/pipelines/{pipeline.id}",
    }


def job(instance: Instance, project: Project, job: Job) -> dict[str, Any]:
    """Return a job."""
    files = job.artifacts or {}
    size = sum(map(len, files.values()))
    return {
        "id": job.id,
        "status": job.state,
        "stage": "test",
        "name": job.name,
        "ref": job.pipeline.ref,
        "tag": False,
        "allow_failure": False,
        "created_at": time(job.pipeline.created_at),
        "web_url": f"{instance.state.url}/{project.path}/-/jobs/{job.id}",
        "pipeline": pipeline(instance, project, job.pipeline),
        "artifacts": [{"file_type": "archive", "size": size, "filename": "artifacts.zip"}] if files else [],
        **({"artifacts_file": {"filename": "artifacts.zip", "size": size}} if files else {}),
    }


def status(instance: Instance, status: Status) -> dict[str, Any]:
    """Return a commit status."""
    return {
        "id": status.id,
        "sha": status.pipeline.sha,
        "ref": status.pipeline.ref,
        "status": status.state,
        "name": status.name,
        "target_url": status.target_url,
        "description": status.description,
        "created_at": time(status.created_at),
        "started_at": None,
        "finished_at": None,
        "allow_failure": False,
        "coverage": status.coverage,
        "pipeline_id": status.pipeline.id,
        "author": user(instance, status.user),
    }
