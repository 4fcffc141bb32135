"""What jobs of a merge request's pipeline have kept, through GitLab's REST API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.domain.errors import Refused
from bot.domain.forge import ForgeReports
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.shapes import Commit, Job, PipelineOf, read

#: States of jobs and pipelines in which nothing goes on by itself any more.
_OVER = frozenset({"success", "failed", "canceled", "skipped"})
#: The head's pipelines are among the newest, unless somebody starts one after the other.
_PIPELINES = 20


class GitLabPipelines:
    """Read on one connection; see `bot.ports.Pipelines` for the contract.

    Single files of an archive are served by GitLab itself, so nothing leads to its object storage. See
    https://docs.gitlab.com/api/job_artifacts/#download-a-single-artifact-file-by-job-id
    """

    def __init__(self, api: GitLabApi) -> None:
        self._api = api

    async def reports(
        self, ref: MergeRequestRef, head_sha: str, *, job: str, paths: Sequence[str], max_bytes: int
    ) -> ForgeReports:
        """Return the files that the newest pipeline of the head has; see the port."""
        pipeline = await self._pipeline(ref, head_sha)
        if pipeline is None:
            return ForgeReports(over=False, problem="there is no pipeline for this head yet")
        project_id = pipeline.project_id or ref.project_id
        try:
            jobs = await self._jobs(project_id, pipeline.id, job)
        except Refused:
            return ForgeReports(problem=f"its pipeline runs in project {project_id}, which we may not read")
        if not jobs:
            return ForgeReports(
                over=pipeline.status in _OVER, problem=f"the pipeline of this head has no job {job}"
            )
        if waiting := [one for one in jobs if one.status not in _OVER]:
            return ForgeReports(over=False, problem=f"the job {waiting[0].name} is {waiting[0].status}")
        return await self._files(project_id, jobs, paths, max_bytes)

    async def _pipeline(self, ref: MergeRequestRef, head_sha: str) -> PipelineOf | None:
        path = f"projects/{ref.project_id}/merge_requests/{ref.iid}/pipelines"
        items, _ = await self._api.some(path)
        merged = f"refs/merge-requests/{ref.iid}/merge"
        for item in items[:_PIPELINES]:
            pipeline = read(PipelineOf, item, f"GET {path}")
            if pipeline.sha == head_sha or (
                pipeline.ref == merged
                and await self._merges(pipeline.project_id or ref.project_id, pipeline.sha, head_sha)
            ):
                return pipeline
        return None

    async def _merges(self, project_id: int, sha: str, head_sha: str) -> bool:
        """Say whether *sha* is what a pipeline of merged results made of the head."""
        try:
            commit = await self._api.one(
                Commit, f"projects/{project_id}/repository/commits/{quote(sha, safe='')}"
            )
        except Refused:
            return False
        return head_sha in commit.parent_ids

    async def _jobs(self, project_id: int, pipeline_id: int, name: str) -> list[Job]:
        """Return the jobs of that name, each of a parallel one: ``name 1/3`` or ``name: [a, b]``."""
        wanted = re.compile(rf"{re.escape(name)}(?: \d+/\d+|: \[.*\])?", re.DOTALL)
        pages = self._api.every(Job, f"projects/{project_id}/pipelines/{pipeline_id}/jobs")
        return [job async for job in pages if wanted.fullmatch(job.name)]

    async def _files(
        self, project_id: int, jobs: Sequence[Job], paths: Sequence[str], max_bytes: int
    ) -> ForgeReports:
        files, problems = [], []
        for job in jobs:
            for path in paths:
                where = f"projects/{project_id}/jobs/{job.id}/artifacts/{quote(path)}"
                try:
                    content = await self._api.raw(where, max_bytes=max_bytes)
                except Refused:
                    problems.append(f"the job {job.name} ({job.status}) has kept no {path}")
                    continue
                if content is None:
                    problems.append(
                        f"{path} of the job {job.name} is larger than {max_bytes // 1_000_000} MB"
                    )
                else:
                    files.append(content)
        return ForgeReports(tuple(files), problem="; ".join(problems), project=self._project(jobs[0].web_url))

    def _project(self, page: str) -> str:
        """Return the path, with namespace, of the project that a job's *page* belongs to."""
        root = urlsplit(self._api.api_url).path.removesuffix("api/v4/")
        project, known, _ = urlsplit(page).path.removeprefix(root).partition("/-/jobs/")
        return project.strip("/") if known else ""
