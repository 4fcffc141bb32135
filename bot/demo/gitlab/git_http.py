"""Git over smart HTTP, served by ``git http-backend``."""

from __future__ import annotations

import base64
import binascii
import os
import re
import subprocess
from collections.abc import Mapping

from bot.demo.gitlab.accounts import Level, Token
from bot.demo.gitlab.calls import Reply
from bot.demo.gitlab.instance import Instance
from bot.demo.gitlab.state import Project

_PATH = re.compile(r"^/(?P<project>[^?]+?)\.git/(?P<rest>info/refs|git-upload-pack|git-receive-pack)$")
#: A push that touches more branches than this fires no push hooks at all.
_PUSH_HOOKS_LIMIT = 3

_TEXT = {"Content-Type": "text/plain"}
_DENIED = Reply(
    401,
    b"HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect"
    b" or you're required to use a token instead of a password.",
    _TEXT | {"WWW-Authenticate": 'Basic realm="GitLab"'},
)


def is_git(path: str) -> bool:
    """Say whether a path belongs to a repository."""
    return _PATH.match(path) is not None


def serve(
    instance: Instance, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Reply:
    """Answer one request of a git client; a push moves merge requests and fires webhooks."""
    match = _PATH.match(path)
    assert match is not None
    pushing = "receive-pack" in path + query
    token = instance.tokens.find(_secret(headers))
    if token is None:
        return _DENIED
    with instance.state.lock:
        project = instance.state.find_project(match["project"])
        refusal = _refuse(project, token, pushing)
        if refusal is not None or project is None:
            return refusal or _missing()
        before = project.repository.branches() if pushing and method == "POST" else None
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_PROJECT_ROOT": str(project.repository.path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{project.repository.path.name}/{match['rest']}",
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": token.user.username,
        "REMOTE_ADDR": "127.0.0.1",
    }
    run = subprocess.run(
        ["git", "http-backend"], input=body, capture_output=True, env=environment, check=False
    )
    if before is not None:
        _announce(instance, project, token, before)
    return _reply(run.stdout)


def _secret(headers: Mapping[str, str]) -> str:
    if "private-token" in headers:
        return headers["private-token"]
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[2] if kind.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _missing() -> Reply:
    return Reply(
        404, b"The project you were looking for could not be found or you don't have permission.", _TEXT
    )


def _refuse(project: Project | None, token: Token, pushing: bool) -> Reply | None:
    if project is None or project.deleted:
        return _missing()
    if project.git_status != 200:
        text = (
            b"You are not allowed to download code from this project."
            if project.git_status == 403
            else b"Not found"
        )
        return Reply(project.git_status, text, _TEXT)
    if project.archived and pushing:
        return Reply(403, b"You are not allowed to push code to an archived project.", _TEXT)
    level = project.level(token.user)
    if level == 0 and project.visibility == "private":
        return _missing()
    wanted = {"api", "write_repository"} if pushing else {"api", "read_repository", "write_repository"}
    needed = Level.developer if pushing else Level.reporter
    if not wanted & set(token.scopes) or (level < needed and (pushing or project.visibility == "private")):
        return Reply(403, b"You are not allowed to access this repository with this token.", _TEXT)
    return None


def _announce(instance: Instance, project: Project, token: Token, before: Mapping[str, str]) -> None:
    with instance.state.lock:
        after = project.repository.branches()
        moved = [branch for branch in sorted({*before, *after}) if before.get(branch) != after.get(branch)]
        for branch in moved:
            instance.merge_requests.branch_moved(
                project,
                token.user,
                branch,
                before.get(branch),
                after.get(branch),
                quiet=len(moved) > _PUSH_HOOKS_LIMIT,
            )


def _reply(output: bytes) -> Reply:
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split(" ", 1)[0])
    return Reply(status, body, headers)
