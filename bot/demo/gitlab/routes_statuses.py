"""Commit statuses."""

from __future__ import annotations

from bot.demo.gitlab import entities
from bot.demo.gitlab.accounts import Level
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import invalid, message, missing
from bot.demo.gitlab.pipelines import Status
from bot.demo.gitlab.statuses import STATES, Wanted

routes = Routes()


@routes("POST", "projects/:id/statuses/:sha")
def _post(call: Call) -> Reply:
    project = call.project(Level.developer)
    state = call.text("state")
    if state is None:
        raise missing("state")
    if state not in STATES:
        raise invalid("state", "does not have a valid value")
    description = call.text("description")
    if description is not None and len(description) > 255:
        raise message(400, {"description": ["is too long (maximum is 255 characters)"]})
    coverage = call.params.get("coverage")
    wanted = Wanted(
        sha=call.segments["sha"],
        state=state,
        name=call.text("name") or call.text("context") or "default",
        ref=call.text("ref"),
        description=description,
        target_url=call.text("target_url"),
        pipeline_id=call.number("pipeline_id"),
        coverage=None if coverage is None else float(coverage),
    )
    status = call.instance.statuses.post(project, call.user, wanted)
    call.instance.auto_merge.look()
    return Reply(201, entities.status(call.instance, status))


@routes("GET", "projects/:id/repository/commits/:sha/statuses")
def _list(call: Call) -> Reply:
    project = call.project()
    wanted = {name: call.text(name) for name in ("ref", "name")}
    every = call.flag("all")

    def fits(status: Status) -> bool:
        return (
            status.pipeline.sha == call.segments["sha"]
            and (every or not status.retried)
            and wanted["ref"] in (None, status.pipeline.ref)
            and wanted["name"] in (None, status.name)
        )

    rows = [status for status in reversed(project.statuses) if fits(status)]
    return call.page(rows, lambda status: entities.status(call.instance, status))
