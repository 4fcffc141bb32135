"""Merge requests: lists, details, versions, commits, reactions."""

from __future__ import annotations

from collections.abc import Callable

from bot.demo.gitlab import entities, review_entities
from bot.demo.gitlab.accounts import Level
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import invalid, not_found
from bot.demo.gitlab.state import MergeRequest

routes = Routes()


@routes("GET", "merge_requests")
def _everywhere(call: Call) -> Reply:
    visible = [
        merge_request
        for project in call.instance.state.projects.values()
        if not project.deleted and project.level(call.user) >= Level.reporter
        for merge_request in project.merge_requests.values()
    ]
    # Without a scope this list holds only what the caller wrote.
    return _page(call, visible, call.text("scope", "created_by_me"))


@routes("GET", "projects/:id/merge_requests")
def _of_project(call: Call) -> Reply:
    return _page(call, list(call.project().merge_requests.values()), call.text("scope", "all"))


def _page(call: Call, rows: list[MergeRequest], scope: str | None) -> Reply:
    order = call.text("order_by", "created_at")
    direction = call.text("sort", "desc")
    for name, value, allowed in (
        ("scope", scope, ("all", "created_by_me", "assigned_to_me", "reviews_for_me")),
        ("order_by", order, ("created_at", "updated_at", "title")),
        ("sort", direction, ("asc", "desc")),
        ("state", call.text("state", "all"), ("all", "opened", "closed", "merged", "locked")),
    ):
        if value not in allowed:
            raise invalid(name, "does not have a valid value")
    filters = _filters(call, scope)
    kept = [row for row in rows if all(fits(row) for fits in filters)]
    kept.sort(key=lambda row: (getattr(row, str(order)), row.id), reverse=direction == "desc")
    return call.page(kept, lambda row: entities.merge_request(call.instance, row))


def _filters(call: Call, scope: str | None) -> list[Callable[[MergeRequest], bool]]:
    filters: list[Callable[[MergeRequest], bool]] = []
    state, after, before = (
        call.text("state", "all"),
        call.moment("updated_after"),
        call.moment("updated_before"),
    )
    if state != "all":
        filters.append(lambda row: row.state == state)
    if after is not None:
        filters.append(lambda row: row.updated_at >= after)
    if before is not None:
        filters.append(lambda row: row.updated_at <= before)
    if scope == "created_by_me":
        filters.append(lambda row: row.author is call.user)
    elif scope == "reviews_for_me":
        filters.append(lambda row: call.user in row.reviewers)
    elif scope == "assigned_to_me":
        filters.append(lambda _: False)
    for name in ("source_branch", "target_branch"):
        wanted = call.text(name)
        if wanted is not None:
            filters.append(lambda row, name=name, wanted=wanted: getattr(row, name) == wanted)  # type: ignore[misc]
    if "iids" in call.params:
        iids = {str(iid) for iid in call.params["iids"]}
        filters.append(lambda row: str(row.iid) in iids)
    return filters


@routes("GET", "projects/:id/merge_requests/:iid")
def _show(call: Call) -> Reply:
    merge_request = call.merge_request()
    level = merge_request.project.level(call.user)
    return Reply(
        body=entities.merge_request_details(call.instance, merge_request)
        | {"user": {"can_merge": level >= Level.developer}}
    )


@routes("GET", "projects/:id/merge_requests/:iid/versions")
def _versions(call: Call) -> Reply:
    merge_request = call.merge_request()
    newest_first = merge_request.versions[::-1]
    return call.page(newest_first, lambda version: entities.version(call.instance, merge_request, version))


@routes("GET", "projects/:id/merge_requests/:iid/versions/:version_id")
def _version(call: Call) -> Reply:
    merge_request = call.merge_request()
    wanted = call.segment_number("version_id")
    for version in merge_request.versions:
        if version.id == wanted:
            shown = entities.version(call.instance, merge_request, version)
            commits = merge_request.project.repository.log(version.refs.head_sha, version.refs.base_sha)
            files = call.instance.served_diffs(merge_request.project, version.refs)
            return Reply(
                body=shown
                | {
                    "commits": [
                        entities.commit(call.instance, merge_request.project, each) for each in commits
                    ],
                    "diffs": [file.entity(call.instance.state.version) for file in files.shown],
                }
            )
    raise not_found()


@routes("GET", "projects/:id/merge_requests/:iid/commits")
def _commits(call: Call) -> Reply:
    merge_request = call.merge_request()
    refs = merge_request.refs
    commits = merge_request.project.repository.log(refs.head_sha, refs.base_sha) if refs else []
    # They come out of a table that does not know the parents (gitlab-org/gitlab#496665).
    return call.page(
        commits, lambda each: entities.commit(call.instance, merge_request.project, each) | {"parent_ids": []}
    )


@routes("GET", "projects/:id/merge_requests/:iid/award_emoji")
def _awards(call: Call) -> Reply:
    merge_request = call.merge_request()
    return call.page(
        merge_request.awards,
        lambda award: review_entities.award(call.instance, award, merge_request.id, "MergeRequest"),
    )


@routes("POST", "projects/:id/merge_requests/:iid/award_emoji")
def _award(call: Call) -> Reply:
    merge_request = call.merge_request()
    award = call.instance.notes.award(merge_request, None, call.user, call.required("name"))
    return Reply(201, review_entities.award(call.instance, award, merge_request.id, "MergeRequest"))
