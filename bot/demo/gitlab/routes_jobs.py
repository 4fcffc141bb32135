"""Pipelines of a merge request, their jobs, and what the jobs kept."""

from __future__ import annotations

import mimetypes

from bot.demo.gitlab import entities
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import message, not_found
from bot.demo.gitlab.instance import Instance
from bot.demo.gitlab.statuses import home_of, pipelines_of

routes = Routes()


@routes("GET", "job")
def _job_of_token(call: Call) -> Reply:  # noqa: ARG001 - it is known by its token, not by a user's
    raise message(401, "401 Unauthorized")


def job_of_token(instance: Instance, method: str, path: str, token: str) -> Reply:
    """Return the job that a ``JOB-TOKEN`` belongs to, all that such a token is good for here.

    Raises:
        ApiError: it is no token of a running job, or opens nothing at that address.
    """
    if (method, path) != ("GET", "/api/v4/job"):
        raise message(401, "401 Unauthorized")
    for project in instance.state.projects.values():
        for job in project.jobs:
            if job.token == token and job.state == "running" and not project.deleted:
                return Reply(body=entities.job(instance, project, job))
    raise message(401, "401 Unauthorized")


@routes("GET", "projects/:id/merge_requests/:iid/pipelines")
def _pipelines(call: Call) -> Reply:
    merge_request = call.merge_request()
    return call.page(
        pipelines_of(merge_request),
        lambda pipeline: entities.pipeline(call.instance, home_of(merge_request, pipeline), pipeline),
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
