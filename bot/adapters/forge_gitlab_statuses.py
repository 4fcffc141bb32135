"""Commit statuses on GitLab: where the merge request shows them, whatever kind of pipeline it has.

See https://docs.gitlab.com/api/commits/#set-commit-pipeline-status and ``Ci::CreateCommitStatusService`` in GitLab.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Refused
from bot.domain.forge import ForgeMergeRequest, ForgePipeline, StatusPlace
from bot.domain.merge_request import MergeRequestRef
from bot.gitlab.errors import is_same_state, is_taken_name
from bot.gitlab.shapes import Commit, PipelineOf, WrittenStatus, read, read_written

#: Name of our commit status; people see it among the jobs of the pipeline.
STATUS_NAME = "cloister"
#: Digits of the commit that stand behind it where a job has that name. A merge request can bring such a job, and would
#: be rid of the gate; what its own commit will be called, it cannot write into its pipeline.
_NAME_DIGITS = 16
#: GitLab stores no longer description of a commit status, and no longer address.
MAX_DESCRIPTION_CHARS = MAX_TARGET_CHARS = 255
#: Of the pipelines of a merge request the head's are among the newest.
_PIPELINES = 20
#: Pipelines of a merge request on what the merge would be: of its own, or on a merge train.
_MERGED = re.compile(r"refs/merge-requests/\d+/(?:merge|train)")
#: What may be different in another project.
_NOT_HERE = frozenset({httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND})


class GitLabStatuses:
    """Set commit statuses on the requests of *api*."""

    def __init__(self, api: GitLabApi) -> None:
        self._api = api

    async def set(
        self,
        merge_request: ForgeMergeRequest,
        sha: str,
        state: str,
        description: str,
        target_url: str,
        pipeline_id: int | None,
    ) -> StatusPlace:
        """Set the status at the first place that is open to us; see `bot.ports.Forge`.

        Without a pipeline id GitLab picks the newest pipeline of the commit, or creates one for the first branch that
        contains it; a branch name next to a merge request pipeline creates a second, invisible one. So the
        pipeline is named where one is known, and the source branch where none is.
        """
        refusal: AnswerProblem | None = None
        async for place, branch in self._places(merge_request, sha, pipeline_id):
            try:
                return await self._post(place, state, description, target_url, branch)
            except AnswerProblem as trouble:
                if trouble.answer.status not in _NOT_HERE:
                    raise explained(trouble) from None
                refusal = refusal or trouble
        if refusal is None:
            raise Refused(f"pipeline {pipeline_id} is not one of the head of {merge_request.ref}")
        raise explained(refusal) from None

    async def repeat(self, place: StatusPlace, state: str, description: str, target_url: str) -> None:
        """Set the status at a place where it stood before; see `bot.ports.Forge`."""
        try:
            await self._post(place, state, description, target_url)
        except AnswerProblem as trouble:
            raise explained(trouble) from None

    async def _places(
        self, found: ForgeMergeRequest, sha: str, pipeline_id: int | None
    ) -> AsyncIterator[tuple[StatusPlace, str]]:
        """Yield where the status may go, each with the branch to name, the best place first."""
        ref, source = found.ref, found.source_project_id
        if pipeline_id is not None:
            async for pipeline in self._pipelines(ref):
                if pipeline.id == pipeline_id and await self._is_of(pipeline, sha):
                    yield StatusPlace(pipeline.project_id, pipeline.sha, pipeline.id), ""
            return
        shown = found.pipeline if found.head_sha == sha else None
        if shown is not None and await self._is_of(shown, sha):
            yield StatusPlace(shown.project_id, shown.sha, shown.id), ""
        else:
            shown = None
            yield StatusPlace(source or ref.project_id, sha), found.source_branch if source else ""
        if source in {None, ref.project_id}:
            return
        # A fork may be closed to us; a pipeline of its merge request can run in the target project as well.
        async for pipeline in self._pipelines(ref):
            here = pipeline.project_id == ref.project_id and (shown is None or pipeline.id != shown.id)
            if here and await self._is_of(pipeline, sha):
                yield StatusPlace(pipeline.project_id, pipeline.sha, pipeline.id), ""

    async def _pipelines(self, ref: MergeRequestRef) -> AsyncIterator[ForgePipeline]:
        path = f"projects/{ref.project_id}/merge_requests/{ref.iid}/pipelines"
        items, _ = await self._api.some(path)
        for item in items[:_PIPELINES]:
            one = read(PipelineOf, item, f"GET {path}")
            yield ForgePipeline(one.id, one.project_id or ref.project_id, one.sha, one.ref)

    async def _is_of(self, pipeline: ForgePipeline, sha: str) -> bool:
        """Say whether *pipeline* runs on *sha*, or on what GitLab made of it and the target branch."""
        if pipeline.sha == sha:
            return True
        if not _MERGED.fullmatch(pipeline.ref):
            return False
        path = f"projects/{pipeline.project_id}/repository/commits/{quote(pipeline.sha, safe='')}"
        try:
            return sha in (await self._api.one(Commit, path)).parent_ids
        except Refused:
            return False

    async def _post(
        self, place: StatusPlace, state: str, description: str, target_url: str, branch: str = ""
    ) -> StatusPlace:
        """Set the status there, under another name where a job has ours."""
        data: dict[str, object] = {
            "state": state,
            "description": _shortened(description, MAX_DESCRIPTION_CHARS),
        }
        if place.pipeline_id is not None:
            data["pipeline_id"] = place.pipeline_id
        elif branch:
            data["ref"] = branch
        if target_url and len(target_url) <= MAX_TARGET_CHARS:
            data["target_url"] = target_url
        try:
            return await self._write(place, STATUS_NAME, data)
        except AnswerProblem as trouble:
            if not is_taken_name(trouble.answer):
                raise
        return await self._write(place, f"{STATUS_NAME} {place.sha[:_NAME_DIGITS]}", data)

    async def _write(self, place: StatusPlace, name: str, data: Mapping[str, object]) -> StatusPlace:
        path = f"projects/{place.project_id}/statuses/{quote(place.sha, safe='')}"
        try:
            written = await self._api.ask_once("POST", path, data={**data, "name": name})
        except AnswerProblem as trouble:
            if is_same_state(trouble.answer, str(data["state"])):
                return await self._standing(place, name, data)
            raise
        pipeline_id = read_written(WrittenStatus, written, f"POST {path}").pipeline_id
        return StatusPlace(place.project_id, place.sha, pipeline_id or place.pipeline_id)

    async def _standing(self, place: StatusPlace, name: str, data: Mapping[str, object]) -> StatusPlace:
        """Return where our status stands that GitLab did not write once more: in the newest pipeline, as it would be.

        Merge requests of one head are known by that to share it.
        """
        if place.pipeline_id is not None:
            return place
        path = f"projects/{place.project_id}/repository/commits/{quote(place.sha, safe='')}/statuses"
        branch = {"ref": str(data["ref"])} if "ref" in data else {}
        try:
            items, _ = await self._api.some(path, name=name, **branch)
        except Refused:
            return place
        pipelines = [read(WrittenStatus, item, f"GET {path}").pipeline_id for item in items]
        newest = max((one for one in pipelines if one is not None), default=None)
        return StatusPlace(place.project_id, place.sha, newest)


def _shortened(text: str, limit_chars: int) -> str:
    return text if len(text) <= limit_chars else f"{text[: limit_chars - 1]}…"
