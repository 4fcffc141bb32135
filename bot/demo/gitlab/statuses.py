"""Commit statuses and the pipelines that they attach to or make."""

from __future__ import annotations

from dataclasses import dataclass

from bot.demo.gitlab.accounts import Level, User
from bot.demo.gitlab.core import Core
from bot.demo.gitlab.errors import forbidden, message, not_found
from bot.demo.gitlab.pipelines import Job, Pipeline, Status
from bot.demo.gitlab.state import MergeRequest, Project

#: State -> the event of GitLab's state machine that leads there.
_EVENTS = {
    "pending": "enqueue",
    "running": "run",
    "success": "success",
    "failed": "drop",
    "canceled": "cancel",
    "skipped": "skip",
}
STATES = tuple(_EVENTS)

#: States from which an unfinished status may go on; everything else starts a new one.
_FROM = {"run": {"pending"}, "enqueue": set[str]()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A status as posted."""

    sha: str
    state: str
    name: str = "default"
    ref: str | None = None
    description: str | None = None
    target_url: str | None = None
    pipeline_id: int | None = None
    coverage: float | None = None


class Statuses:
    """Accept statuses as GitLab's service does."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def post(self, project: Project, user: User, wanted: Wanted) -> Status:
        """Store a status: update the unfinished one of same name, ref and user, or make a new one.

        Raises:
            ApiError: no such commit or ref, no right, a held lock, or a transition that does not exist.
        """
        if project.repository.resolve(wanted.sha) != wanted.sha:
            raise not_found("Commit")
        if wanted.sha in project.locked_shas:
            raise message(409, "Another process is already updating this commit's status. Try again later.")
        pipeline = self._pipeline(project, user, wanted)
        if any(job.pipeline is pipeline and job.name == wanted.name for job in project.jobs):
            raise message(400, {"name": ["has already been taken"]})
        current = self._unfinished(project, user, pipeline, wanted)
        if current is None:
            _check_room(project, pipeline, wanted)
            current = self._new(project, user, pipeline, wanted)
        else:
            _check_transition(current.state, wanted.state)
        current.state = wanted.state
        current.description = wanted.description if wanted.description is not None else current.description
        current.target_url = wanted.target_url if wanted.target_url is not None else current.target_url
        current.coverage = wanted.coverage if wanted.coverage is not None else current.coverage
        return current

    def _pipeline(self, project: Project, user: User, wanted: Wanted) -> Pipeline:
        ref = wanted.ref.removeprefix("refs/heads/") if wanted.ref else None
        fitting = [
            pipeline
            for pipeline in project.pipelines
            if pipeline.sha == wanted.sha
            and ref in (None, pipeline.ref)
            and wanted.pipeline_id in (None, pipeline.id)
        ]
        if not fitting and wanted.pipeline_id is not None:
            raise not_found("Pipeline")
        pipeline = fitting[-1] if fitting else None
        ref = ref or (pipeline.ref if pipeline else self._branch_with(project, wanted.sha))
        if project.level(user) < project.protected.get(ref, Level.developer):
            raise forbidden()
        if pipeline is None:
            pipeline = self.add_pipeline(project, wanted.sha, ref, "external")
        return pipeline

    def _branch_with(self, project: Project, sha: str) -> str:
        listed = project.repository.git(
            "for-each-ref", "--contains", sha, "--format=%(refname:lstrip=2)", "refs/heads"
        )
        branches = listed.decode().split()
        if not branches:
            raise not_found("References for commit")
        return branches[0]

    def add_pipeline(self, project: Project, sha: str, ref: str, source: str) -> Pipeline:
        """Make a pipeline; *source* is ``external``, ``push`` or ``merge_request_event``."""
        state = self._core.state
        pipeline = Pipeline(state.next_id(), sha, ref, source, state.now())
        project.pipelines.append(pipeline)
        return pipeline

    def tell(
        self, project: Project, pipeline: Pipeline, merge_request: MergeRequest | None, user: User
    ) -> None:
        """Send the webhook of a pipeline that has begun."""
        core = self._core
        core.hooks.fire(
            project,
            "pipeline_events",
            "Pipeline Hook",
            lambda: core.payloads.pipeline(project, pipeline, "pending", merge_request, user),
        )

    def _unfinished(self, project: Project, user: User, pipeline: Pipeline, wanted: Wanted) -> Status | None:
        return next(
            (
                status
                for status in reversed(project.statuses)
                if status.pipeline is pipeline
                and status.name == wanted.name
                and status.user is user
                and status.state in ("pending", "running")
            ),
            None,
        )

    def _new(self, project: Project, user: User, pipeline: Pipeline, wanted: Wanted) -> Status:
        for status in project.statuses:
            if status.pipeline is pipeline and status.name == wanted.name:
                status.retried = True
        state = self._core.state
        status = Status(
            id=state.next_id(),
            pipeline=pipeline,
            name=wanted.name,
            user=user,
            state="created",
            description=None,
            target_url=None,
            created_at=state.now(),
        )
        project.statuses.append(status)
        return status


def _check_room(project: Project, pipeline: Pipeline, wanted: Wanted) -> None:
    """Refuse one job more than a pipeline may have; that is looked at only where the pipeline is named."""
    parts: list[Status | Job] = [*project.statuses, *project.jobs]
    jobs = [one for one in parts if one.pipeline is pipeline]
    if wanted.pipeline_id is not None and project.most_jobs is not None and len(jobs) >= project.most_jobs:
        raise message(422, "The number of jobs has exceeded the limit")


def _check_transition(current: str, wanted: str) -> None:
    event = _EVENTS[wanted]
    if current not in _FROM.get(event, {current}):
        reason = f'Reason(s): Status cannot transition via "{event}"'
        raise message(400, f"Cannot transition status via :{event} from :{current} ({reason})")


def pipeline_status(project: Project, pipeline: Pipeline) -> str:
    """Return the state of a pipeline, from its current jobs."""
    parts: list[Status | Job] = [*project.statuses, *project.jobs]
    states = {each.state for each in parts if each.pipeline is pipeline and not each.retried}
    order = ("running", "pending", "created", "manual", "failed", "canceled", "success", "skipped")
    return next((state for state in order if state in states), "pending")


def head_pipeline(merge_request: MergeRequest) -> Pipeline | None:
    """Return the pipeline that the merge request shows: its own kinds win over one of the branch.

    Those of merged results and of trains run on a merge of the head.
    """
    own = f"refs/merge-requests/{merge_request.iid}/"
    candidates = [
        pipeline for pipeline in pipelines_of(merge_request) if _is_of_head(merge_request, pipeline)
    ]
    return max(candidates, key=lambda pipeline: (pipeline.ref.startswith(own), pipeline.id), default=None)


def _is_of_head(merge_request: MergeRequest, pipeline: Pipeline) -> bool:
    if pipeline.sha == merge_request.head_sha:
        return True
    if not pipeline.ref.endswith(("/merge", "/train")):
        return False
    merge = merge_request.project.repository.commit_info(pipeline.sha)
    return merge is not None and merge_request.head_sha in merge["parents"].split()


def home_of(merge_request: MergeRequest, pipeline: Pipeline) -> Project:
    """Return the project in which one of its pipelines runs."""
    source = merge_request.source_project
    return source if source is not None and pipeline in source.pipelines else merge_request.project


def pipelines_of(merge_request: MergeRequest) -> list[Pipeline]:
    """Return all pipelines of a merge request, newest first: its own ones, and those of its branch's commits."""
    own = f"refs/merge-requests/{merge_request.iid}/"
    source = merge_request.source_project
    projects = {id(p): p for p in (merge_request.project, source) if p is not None}
    heads = {version.refs.head_sha for version in merge_request.versions} | {merge_request.head_sha}
    found = [
        pipeline
        for project in projects.values()
        for pipeline in project.pipelines
        if pipeline.ref.startswith(own)
        or (project is source and pipeline.ref == merge_request.source_branch and pipeline.sha in heads)
    ]
    return sorted(found, key=lambda pipeline: -pipeline.id)
