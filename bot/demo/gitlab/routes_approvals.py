"""Approvals of merge requests, and answers to external status checks."""

from __future__ import annotations

from typing import Any

from bot.demo.gitlab import entities
from bot.demo.gitlab.accounts import Level
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import forbidden, invalid, message, missing, not_found
from bot.demo.gitlab.pipelines import StatusCheck
from bot.demo.gitlab.state import MergeRequest

routes = Routes()

#: The answers that a check may be given; ``pending`` is known since 16.5.
_ANSWERS = ("passed", "failed", "pending")
_PENDING_SINCE = (16, 5)


@routes("GET", "projects/:id/merge_requests/:iid/approvals")
def _show(call: Call) -> Reply:
    return Reply(body=_approvals(call, call.merge_request()))


def _approvals(call: Call, merge_request: MergeRequest) -> dict[str, Any]:
    by = merge_request.approved_by
    return {
        "id": merge_request.id,
        "iid": merge_request.iid,
        "project_id": merge_request.project.id,
        "state": merge_request.state,
        "approved": True,
        "approved_by": [{"user": entities.user(call.instance, user)} for user in by],
        "user_has_approved": call.user in by,
        "user_can_approve": _may_approve(call, merge_request),
    }


def _may_approve(call: Call, merge_request: MergeRequest) -> bool:
    """Say whether the user may approve: who has done so already may not, nor whoever wrote a commit of it."""
    project = merge_request.project
    if merge_request.state != "opened" or call.user in merge_request.approved_by:
        return False
    return project.authors_may_approve or call.user.email not in _writers(merge_request)


def _writers(merge_request: MergeRequest) -> set[str]:
    home, refs = merge_request.source_project or merge_request.project, merge_request.refs
    if refs is None:
        return set()
    listed = home.repository.git("log", "--format=%ae%n%ce", f"{refs.base_sha}..{merge_request.head_sha}")
    return set(listed.decode(errors="replace").split("\n"))


@routes("POST", "projects/:id/merge_requests/:iid/approve")
def _approve(call: Call) -> Reply:
    merge_request = call.merge_request(Level.developer)
    if not _may_approve(call, merge_request):
        raise message(401, "401 Unauthorized")
    sha = call.text("sha")
    if sha and sha != merge_request.head_sha:
        raise message(409, f"SHA does not match HEAD of source branch: {merge_request.head_sha}")
    merge_request.approved_by.append(call.user)
    return Reply(201, _approvals(call, merge_request))


@routes("POST", "projects/:id/merge_requests/:iid/unapprove")
def _unapprove(call: Call) -> Reply:
    merge_request = call.merge_request(Level.developer)
    if call.user not in merge_request.approved_by:
        raise not_found()
    merge_request.approved_by.remove(call.user)
    return Reply(201, _approvals(call, merge_request))


@routes("GET", "projects/:id/merge_requests/:iid/status_checks")
def _checks(call: Call) -> Reply:
    merge_request = call.merge_request()

    def shown(check: StatusCheck) -> dict[str, Any]:
        answer = check.answers.get((merge_request.id, merge_request.head_sha), "pending")
        return {"id": check.id, "name": check.name, "external_url": check.url, "status": answer}

    return call.page(merge_request.project.status_checks, shown)


@routes("POST", "projects/:id/merge_requests/:iid/status_check_responses")
def _answer(call: Call) -> Reply:
    merge_request = call.merge_request(Level.reporter)
    if call.merge_request().project.level(call.user) < Level.developer:
        raise forbidden()
    sha, number, status = (
        call.required("sha"),
        call.number("external_status_check_id"),
        call.required("status"),
    )
    if number is None:
        raise missing("external_status_check_id")
    known = _ANSWERS if call.instance.state.version >= _PENDING_SINCE else _ANSWERS[:2]
    if status not in known:
        raise invalid("status", "does not have a valid value")
    check = next((one for one in merge_request.project.status_checks if one.id == number), None)
    if check is None:
        raise not_found()
    if sha != merge_request.head_sha:
        raise message(409, "External status check response SHA does not match current HEAD")
    check.answers[merge_request.id, sha] = status
    return Reply(201, {"id": call.instance.state.next_id(), "status": status})
