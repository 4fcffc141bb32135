"""Pipelines of a merge request, their jobs, and what the jobs kept."""

from __future__ import annotations

import mimetypes

from bot.demo.gitlab import entities
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import not_found
from bot.demo.gitlab.state import Pipeline, Project
from bot.demo.gitlab.statuses import pipelines_of

routes = Routes()


@routes("GET", "projects/:id/merge_requests/:iid/pipelines")
def _pipelines(call: Call) -> Reply:
    merge_request = call.merge_request()
    homes = [home for home in (merge_request.project, merge_request.source_project) if home is not None]

    def home_of(pipeline: Pipeline) -> Project:
        return next(home for home in homes if pipeline in home.pipelines)

    return call.page(
        pipelines_of(merge_request),
        lambda pipeline: entities.pipeline(call.instance, home_of(pipeline), pipeline),
    )


@routes("GET", "projects/:id/pipelines/:pipeline_id/jobs")
def _jobs(call: Call) -> Reply:
    project = call.project()
    wanted = call.segment_number("pipeline_id")
    if all(pipeline.id != wanted for pipeline in project.pipelines):
        raise not_found()
    every = bool(call.flag("include_retried"))
    rows = [job for job in reversed(project.jobs) if job.pipeline.id == wanted and (every or not job.retried)]
    return call.page(rows, lambda job: entities.job(call.instance, project, job))


@routes("GET", "projects/:id/jobs/:job_id/artifacts/*path")
def _artifact(call: Call) -> Reply:
    project = call.project()
    wanted = call.segment_number("job_id")
    job = next((job for job in project.jobs if job.id == wanted), None)
    content = (job.artifacts or {}).get(call.segments["path"]) if job else None
    if content is None:
        raise not_found()
    kind, _ = mimetypes.guess_type(call.segments["path"])
    return Reply(body=content, headers={"Content-Type": kind or "application/octet-stream"})


@routes("GET", "projects/:id/repository/commits/:sha")
def _commit(call: Call) -> Reply:
    project = call.project()
    found = project.repository.commit_info(call.segments["sha"])
    if found is None:
        raise not_found("Commit")
    return Reply(body=entities.commit(call.instance, project, found))
