"""The pipeline hook: a pipeline of a merge request is there, into which our commit status belongs."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.events import PipelineSeen
from bot.domain.merge_request import MergeRequestRef
from bot.hooks.payload import Hook, Ignored, Malformed, identifier, section, text

#: Pipelines that consist of nothing but statuses from outside, as ours.
_EXTERNAL = "external"
#: The only states in which a pipeline is news; our own status is what changes it later.
_YOUNG = frozenset({"created", "waiting_for_resource", "preparing", "pending", "running"})


def _translate(body: Mapping[str, object], instance: str) -> PipelineSeen | Ignored:
    """Return the pipeline; those of branches do not say which merge requests they are shown on."""
    attributes, merge_request = section(body, "object_attributes"), section(body, "merge_request")
    if not merge_request or text(attributes, "source") == _EXTERNAL:
        return Ignored("the pipeline is not one of a merge request")
    if text(attributes, "status") not in _YOUNG:
        return Ignored("the pipeline is known already")
    project = identifier(merge_request, "target_project_id") or identifier(section(body, "project"), "id")
    iid, pipeline = identifier(merge_request, "iid"), identifier(attributes, "id")
    if project is None or iid is None or pipeline is None:
        msg = "object_attributes.id, merge_request.iid or project.id is missing; a custom template must keep them"
        raise Malformed(msg)
    ref = MergeRequestRef(instance=instance, project_id=project, iid=iid)
    return PipelineSeen(ref=ref, pipeline_id=pipeline)


hook = Hook(kind="pipeline", translate=_translate)
