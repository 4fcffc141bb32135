"""The pipeline hook: a pipeline is there, into which our commit status belongs if it runs on the head of a merge request."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.events import BranchPipelineSeen, PipelineSeen
from bot.domain.merge_request import MergeRequestRef
from bot.hooks.payload import Hook, Ignored, Malformed, flag, identifier, section, text

#: Pipelines that consist of nothing but statuses from outside, as ours, and parts of others, which merge requests do not
#: show.
_NOT_SHOWN = frozenset({"external", "parent_pipeline"})
#: The only states in which a pipeline is news; our own status is what changes it later.
_YOUNG = frozenset({"created", "waiting_for_resource", "preparing", "pending", "running"})


def _translate(body: Mapping[str, object], instance: str) -> PipelineSeen | BranchPipelineSeen | Ignored:
    """Return the pipeline; one of a branch does not say which merge requests it is shown on."""
    attributes, merge_request = section(body, "object_attributes"), section(body, "merge_request")
    if text(attributes, "source") in _NOT_SHOWN or (not merge_request and flag(attributes, "tag")):
        return Ignored("no merge request shows the pipeline")
    if text(attributes, "status") not in _YOUNG:
        return Ignored("the pipeline is known already")
    home, pipeline = identifier(section(body, "project"), "id"), identifier(attributes, "id")
    if not merge_request:
        sha = text(attributes, "sha")
        if home is None or pipeline is None or sha is None:
            raise Malformed(
                "object_attributes.id, sha or project.id is missing; a custom template must keep them"
            )
        return BranchPipelineSeen(instance=instance, project_id=home, sha=sha, pipeline_id=pipeline)
    project, iid = identifier(merge_request, "target_project_id") or home, identifier(merge_request, "iid")
    if project is None or iid is None or pipeline is None:
        msg = "object_attributes.id, merge_request.iid or project.id is missing; a custom template must keep them"
        raise Malformed(msg)
    ref = MergeRequestRef(instance=instance, project_id=project, iid=iid)
    return PipelineSeen(ref=ref, pipeline_id=pipeline)


hook = Hook(kind="pipeline", translate=_translate)
