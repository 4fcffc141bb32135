"""Diffs, files and comparisons."""

from __future__ import annotations

import base64
import hashlib

from bot.demo.gitlab import entities
from bot.demo.gitlab.accounts import Level
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.diffs import raw_diff
from bot.demo.gitlab.errors import ApiError, not_found
from bot.demo.gitlab.repository import GitFailed
from bot.demo.gitlab.served_diffs import ServedDiff, ServedFile
from bot.demo.gitlab.state import MergeRequest, Project, Refs

routes = Routes()


def _served(call: Call, merge_request: MergeRequest) -> ServedDiff:
    if merge_request.refs is None:
        return ServedDiff((), overflow=False)
    return call.instance.served_diffs(merge_request.project, merge_request.refs)


@routes("GET", "projects/:id/merge_requests/:iid/diffs")
def _diffs(call: Call) -> Reply:
    merge_request = call.merge_request()
    version = call.instance.state.version
    unidiff = bool(call.flag("unidiff")) and version >= (16, 5)
    return call.page(_served(call, merge_request).shown, lambda file: file.entity(version, unidiff=unidiff))


@routes("GET", "projects/:id/merge_requests/:iid/changes")
def _changes(call: Call) -> Reply:
    merge_request = call.merge_request()
    version = call.instance.state.version
    served = _served(call, merge_request)
    if call.flag("access_raw_diffs") and merge_request.refs is not None:
        refs = merge_request.refs
        diff = call.instance.core.diffs.between(
            merge_request.project.repository, refs.base_sha, refs.head_sha
        )
        served = ServedDiff(tuple(map(ServedFile, diff.files)), overflow=False)
    unidiff = bool(call.flag("unidiff")) and version >= (16, 5)
    return Reply(
        body=entities.merge_request_details(call.instance, merge_request)
        | {
            "changes": [file.entity(version, unidiff=unidiff) for file in served.shown],
            "overflow": served.overflow,
        }
    )


@routes("GET", "projects/:id/merge_requests/:iid/raw_diffs")
def _raw_diffs(call: Call) -> Reply:
    merge_request = call.merge_request()
    if call.instance.state.version < (17, 9):
        raise ApiError(404, {"error": "404 Not Found"})
    refs = merge_request.refs
    if refs is None:
        return Reply(body=b"", headers={"Content-Type": "text/plain"})
    text = raw_diff(merge_request.project.repository, refs.base_sha, refs.head_sha, "-p")
    return Reply(body=text, headers={"Content-Type": "text/plain"})


@routes("GET", "projects/:id/repository/files/:path")
def _file(call: Call) -> Reply:
    commit, sha, content = _blob(call)
    path = call.segments["path"]
    shown = {
        "file_name": path.rpartition("/")[2],
        "file_path": path,
        "size": len(content),
        "encoding": "base64",
        "content": base64.b64encode(content).decode(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": call.required("ref"),
        "blob_id": sha,
        "commit_id": commit,
        "execute_filemode": call.project().repository.mode(commit, path) == "100755",
    }
    return Reply(body=shown)


@routes("GET", "projects/:id/repository/files/:path/raw")
def _raw_file(call: Call) -> Reply:
    commit, sha, content = _blob(call)
    headers = {
        "Content-Type": "text/plain",
        "X-Gitlab-Blob-Id": sha,
        "X-Gitlab-Commit-Id": commit,
        "X-Gitlab-Ref": call.text("ref") or "HEAD",
        "X-Gitlab-Size": str(len(content)),
    }
    return Reply(body=content, headers=headers)


def _blob(call: Call) -> tuple[str, str, bytes]:
    """Return commit, blob and content of the file of the path."""
    repository = call.project().repository
    commit = repository.resolve(call.text("ref") or "HEAD")
    if commit is None:
        raise not_found("Commit")
    path = call.segments["path"]
    found = repository.read(f"{commit}:{path}")
    if found is None or found[1] != "blob" or path.startswith(("/", "./")):
        raise not_found("File")
    return commit, found[0], found[2]


@routes("GET", "projects/:id/repository/commits/:sha")
def _commit(call: Call) -> Reply:
    project, commit = call.project(), _found_commit(call)
    shown = entities.commit(call.instance, project, commit)
    if call.flag("stats") is not False:
        counted = project.repository.git("diff", "--numstat", _before(project, commit), commit["id"], "--")
        numbers = [line.split(b"\t")[:2] for line in counted.splitlines()]
        added, removed = (sum(int(pair[at]) for pair in numbers if pair[at] != b"-") for at in (0, 1))
        shown["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
    return Reply(body=shown)


@routes("GET", "projects/:id/repository/commits/:sha/diff")
def _commit_diff(call: Call) -> Reply:
    project, commit = call.project(), _found_commit(call)
    version = call.instance.state.version
    before = _before(project, commit)
    served = call.instance.served_diffs(project, Refs(before, before, commit["id"]))
    unidiff = bool(call.flag("unidiff")) and version >= (16, 5)
    return call.page(served.shown, lambda file: file.entity(version, unidiff=unidiff))


def _found_commit(call: Call) -> dict[str, str]:
    repository = call.project().repository
    sha = repository.resolve(call.segments["sha"])
    commit = repository.commit_info(sha) if sha else None
    if commit is None:
        raise not_found("Commit")
    return commit


def _before(project: Project, commit: dict[str, str]) -> str:
    """Return the first parent, or the empty tree: that is what GitLab compares any commit with."""
    parents = commit["parents"].split()
    return (
        parents[0]
        if parents
        else project.repository.git("hash-object", "-t", "tree", "/dev/null").decode().strip()
    )


@routes("GET", "projects/:id/repository/branches/:branch")
def _branch(call: Call) -> Reply:
    project = call.project()
    name = call.segments["branch"]
    sha = project.repository.branches().get(name)
    commit = project.repository.commit_info(sha) if sha else None
    if commit is None:
        raise not_found("Branch")
    least = project.protected.get(name)
    return Reply(
        body={
            "name": name,
            "commit": entities.commit(call.instance, project, commit),
            "protected": least is not None,
            "developers_can_push": least is not None and least <= Level.developer,
            "developers_can_merge": least is not None and least <= Level.developer,
            "can_push": project.level(call.user) >= (least or Level.developer),
            "default": name == project.default_branch,
        }
    )


@routes("GET", "projects/:id/repository/compare")
def _compare(call: Call) -> Reply:
    project = call.project()
    repository = project.repository
    start, end = (repository.resolve(call.required(name)) for name in ("from", "to"))
    if start is None or end is None:
        raise not_found("Ref")
    try:
        base = start if call.flag("straight") else repository.merge_base(start, end)
        commits = repository.log(end, base)
    except GitFailed:
        raise not_found("Ref") from None
    version = call.instance.state.version
    served = call.instance.served_diffs(project, Refs(base, start, end))
    shown = [entities.commit(call.instance, project, each) for each in reversed(commits)]
    return Reply(
        body={
            "commit": shown[-1] if shown else None,
            "commits": shown,
            "diffs": [file.entity(version, unidiff=bool(call.flag("unidiff"))) for file in served.shown],
            "compare_timeout": False,
            "compare_same_ref": start == end,
            "web_url": f"{call.instance.state.url}/{project.path}/-/compare/{start}...{end}",
        }
    )
