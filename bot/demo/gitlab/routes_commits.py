"""Commits made through the API, and merge requests opened through it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from bot.demo.gitlab import entities
from bot.demo.gitlab.accounts import Level
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import invalid, message, missing
from bot.demo.gitlab.repository import Change, Signature
from bot.demo.gitlab.state import MergeRequest, Project

routes = Routes()

_ACTIONS = ("create", "delete", "move", "update", "chmod")
_BRANCH = re.compile(r"(?!/)(?!.*(?:\.\.|//|@\{|\.lock$|\.$|/$))[^\x00-\x20\x7f~^:?*\[\\]+")


@routes("POST", "projects/:id/repository/commits")
def _commit(call: Call) -> Reply:
    project = call.project(Level.developer)
    absent = [name for name in ("branch", "commit_message", "actions") if not call.params.get(name)]
    if absent:
        raise missing(*absent)
    branch = call.required("branch")
    if not _BRANCH.fullmatch(branch):
        raise message(400, "Invalid branch name")
    _pushable(call, project, branch)
    repository = project.repository
    before = repository.branch(branch)
    start = call.text("start_sha") or (
        repository.branch(name) if (name := call.text("start_branch")) else None
    )
    if before is not None and start is not None and not call.flag("force"):
        raise message(
            400, f"A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        )
    parent = repository.resolve(start) if start else before
    if parent is None:
        raise message(
            400,
            f"Cannot find start_sha '{start}'"
            if start
            else "You can only create or edit files when you are on a branch",
        )
    changes = dict(_change(project, parent, action) for action in call.params["actions"])
    who = Signature(call.user.name, call.user.email)
    sha = repository.commit([parent], changes, call.required("commit_message"), who)
    repository.set_ref(f"refs/heads/{branch}", sha)
    call.instance.merge_requests.branch_moved(project, call.user, branch, before, sha)
    made = repository.commit_info(sha)
    assert made is not None
    return Reply(201, entities.commit(call.instance, project, made))


def _pushable(call: Call, project: Project, branch: str) -> None:
    if project.level(call.user) < project.protected.get(branch, Level.developer):
        raise message(403, "403 Forbidden - You are not allowed to push into this branch")


def _change(project: Project, parent: str, action: Any) -> tuple[str, Change]:
    if not isinstance(action, dict) or action.get("action") not in _ACTIONS:
        raise invalid("actions[action]", "does not have a valid value")
    path = action.get("file_path")
    if not isinstance(path, str) or not path:
        raise missing("actions[file_path]")
    if {"", ".", "..", ".git"} & set(path.split("/")):
        raise message(400, "Path cannot include directory traversal")
    there = project.repository.read(f"{parent}:{path}") is not None
    if action["action"] == "create" and there:
        raise message(400, "A file with this name already exists")
    if action["action"] in ("update", "delete") and not there:
        raise message(400, "A file with this name doesn't exist")
    if action["action"] in ("move", "chmod"):
        raise NotImplementedError("only creating, updating and deleting files is served here")
    return path, None if action["action"] == "delete" else _content(action)


def _content(action: dict[str, Any]) -> bytes:
    content = action.get("content", "")
    if action.get("encoding", "text") != "base64":
        return str(content).encode()
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("actions[content]") from None


@routes("POST", "projects/:id/merge_requests")
def _open(call: Call) -> Reply:
    project = call.project(Level.reporter)
    absent = [name for name in ("source_branch", "target_branch", "title") if not call.text(name)]
    if absent:
        raise missing(*absent)
    if project.level(call.user) < Level.developer:
        raise message(403, "403 Forbidden")
    source, target = call.required("source_branch"), call.required("target_branch")
    if source == target:
        raise message(409, ["You can't use same project/branch for source and target"])
    for branch, role in ((source, "Source"), (target, "Target")):
        if project.repository.branch(branch) is None:
            raise message(422, [f'{role} branch "{branch}" does not exist'])
    _unique(project, source, target)
    opened: MergeRequest = call.instance.merge_requests.open(
        project,
        project,
        call.user,
        source_branch=source,
        target_branch=target,
        title=call.required("title"),
        description=call.text("description") or "",
        prepared=True,
    )
    return Reply(201, entities.merge_request_details(call.instance, opened))


def _unique(project: Project, source: str, target: str) -> None:
    for other in project.merge_requests.values():
        same = other.source_project is project and (other.source_branch, other.target_branch) == (
            source,
            target,
        )
        if same and other.state == "opened":
            raise message(
                409, [f"Another open merge request already exists for this source branch: !{other.iid}"]
            )
