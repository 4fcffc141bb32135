"""Code of merge requests through GitLab's REST API, for where git over HTTP is closed."""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.adapters.git_errors import GitFailed
from bot.adapters.git_process import Git
from bot.adapters.recent import Recent
from bot.adapters.workspace_api_history import ApiHistory
from bot.domain.diff import Change, Diff, FileDiff, Hunk
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.history import History
from bot.domain.merge_request import Revision
from bot.domain.patch import MalformedDiff, parse_hunks
from bot.gitlab.diff_shapes import FileChange, FileContent, TreeEntry
from bot.gitlab.shapes import Version, read
from bot.ports import Blob, Occurrences

_SUBMODULE = "160000"
_LINK = "120000"
#: Files that GitLab does not show are compared here up to this size.
_COMPARED_BYTES = 2_000_000
_REMEMBERED_DIFFS = 8


class ApiWorkspaces:
    """Read merge requests through GitLab's API.

    It costs a request for every file and knows only the newest revision, so it stands in where the mirror
    cannot work. Whether an unchanged file is a link is not known here: links come as their target's path.

    Args:
        api: requests to the configured GitLab.
        git: compares files that GitLab does not show.
    """

    def __init__(self, api: GitLabApi, *, git: Git) -> None:
        self._api = api
        self._git = git
        self._diffs: Recent[Revision, Diff] = Recent(_REMEMBERED_DIFFS)

    async def fetch(self, revision: Revision) -> None:
        """Check that *revision* is the one that GitLab shows.

        Raises:
            Transient: GitLab has no diff for this head yet.
            Obsolete: GitLab shows a newer head.
        """
        path = f"{_merge_request(revision)}/versions"
        heads = [version.head_commit_sha async for version in self._api.every(Version, path)]
        if revision.head_sha not in heads:
            raise Transient(f"{revision.ref}: GitLab has no diff of {revision.head_sha[:12]} yet")
        if heads[0] != revision.head_sha:
            raise Obsolete(f"{revision.ref}: {revision.head_sha[:12]} is no longer the newest head")

    async def diff(self, revision: Revision) -> Diff:
        """Return the diff; files that GitLab withholds are compared here, or else ``truncated``."""
        known = self._diffs.get(revision)
        if known is not None:
            return known
        path = f"{_merge_request(revision)}/diffs"
        changes = [change async for change in self._api.every(FileChange, path)]
        files = [
            await self._file(revision, change, revision.base_sha, revision.head_sha) for change in changes
        ]
        # The list always shows the newest revision; a push meanwhile would have changed it.
        await self.fetch(revision)
        return self._diffs.put(revision, Diff(files=tuple(files)))

    async def commits(self, revision: Revision) -> History:
        """Return what each commit adds."""

        async def file(change: FileChange, before: str, after: str) -> FileDiff:
            return await self._file(revision, change, before, after)

        return await ApiHistory(self._api, file).commits(revision, await self.diff(revision))

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 1_000_000
    ) -> Mapping[str, Blob]:
        """Return the files at *side*; one over *max_bytes* comes without its content."""
        commit = revision.at(side)
        special = await self._special(revision, side)
        blobs = {}
        for path in dict.fromkeys(paths):
            if path not in special and (blob := await self._blob(revision, path, commit, max_bytes)):
                blobs[path] = blob
        return blobs

    async def search(
        self, revision: Revision, names: Sequence[str], *, limit_s: float = 5.0, max_bytes: int = 500_000
    ) -> Occurrences:
        """Return nothing: GitLab's search knows only the default branch."""
        del revision, names, limit_s, max_bytes
        return Occurrences(missing="names cannot be looked up through GitLab's API; open git over HTTP")

    async def paths(self, revision: Revision, *, side: str = "head") -> frozenset[str]:
        """Return the paths of all regular files at *side*, a hundred with each request."""
        commit = revision.at(side)
        tree = self._api.every(
            TreeEntry, f"projects/{revision.ref.project_id}/repository/tree", ref=commit, recursive="true"
        )
        return frozenset([entry.path async for entry in tree if entry.is_file])

    async def _special(self, revision: Revision, side: str) -> set[str]:
        files = (await self.diff(revision)).files
        ends = [
            (file.new_path, file.new_mode)
            if side not in ("base", "start")
            else (file.old_path, file.old_mode)
            for file in files
        ]
        return {path for path, mode in ends if mode in (_LINK, _SUBMODULE)}

    async def _blob(self, revision: Revision, path: str, commit: str, max_bytes: int) -> Blob | None:
        if not path or {"", ".", ".."} & set(path.split("/")):
            return None
        url = f"projects/{revision.ref.project_id}/repository/files/{quote(path, safe='')}"
        try:
            answer = await self._api.ask_once("GET", url, params={"ref": commit})
        except AnswerProblem as trouble:
            if trouble.answer.status == 404:
                return None
            raise explained(trouble) from None
        file = read(FileContent, answer, f"GET {url}")
        if file.size > max_bytes:
            return Blob(file.size, None)
        try:
            return Blob(file.size, base64.b64decode(file.content, validate=True))
        except binascii.Error as error:
            raise Permanent(f"GET {url}: the content is not base64") from error

    async def _file(self, revision: Revision, change: FileChange, before: str, after: str) -> FileDiff:
        text = change.diff or ""
        binary = text.startswith("Binary files ")
        hunks: tuple[Hunk, ...] = ()
        truncated = False
        if change.withheld:
            compared = await self._compare(revision, change, before, after)
            truncated = compared is None
            hunks, binary = compared or ((), False)
        elif not binary and not change.submodule:
            hunks = _hunks(text, change.new_path)
        return FileDiff(
            old_path=change.old_path,
            new_path=change.new_path,
            change=_kind(change),
            old_mode=(change.a_mode or "0").zfill(6),
            new_mode=(change.b_mode or "0").zfill(6),
            binary=binary,
            truncated=truncated,
            hunks=hunks,
        )

    async def _compare(
        self, revision: Revision, change: FileChange, before: str, after: str
    ) -> tuple[tuple[Hunk, ...], bool] | None:
        absent = Blob(0, b"")
        old = new = absent
        if not change.new_file:
            found = await self._blob(revision, change.old_path, before, _COMPARED_BYTES)
            old = found or Blob(0, None)
        if not change.deleted_file:
            found = await self._blob(revision, change.new_path, after, _COMPARED_BYTES)
            new = found or Blob(0, None)
        if old.content is None or new.content is None:
            return None
        return await self._no_index(old.content, new.content, change.new_path)

    async def _no_index(self, old: bytes, new: bytes, path: str) -> tuple[tuple[Hunk, ...], bool]:
        with tempfile.TemporaryDirectory(prefix="cloister-") as name:
            at = Path(name)
            (at / "old").write_bytes(old)
            (at / "new").write_bytes(new)
            options = ("--no-index", "-U3", "--no-color", "--no-ext-diff", "--no-textconv")
            try:
                output = await self._git.run(
                    "diff", *options, "--", "old", "new", at=at, max_bytes=4 * _COMPARED_BYTES, accept=(0, 1)
                )
            except GitFailed as failure:
                raise Permanent(f"{path!r} cannot be compared: {failure.stderr}") from failure
        head, _, body = output.stdout.partition(b"\n@@ ")
        binary = b"\nBinary files " in head
        return (_hunks(f"@@ {body.decode(errors='replace')}", path) if body else ()), binary


def _merge_request(revision: Revision) -> str:
    return f"projects/{revision.ref.project_id}/merge_requests/{revision.ref.iid}"


def _kind(change: FileChange) -> Change:
    if change.new_file:
        return Change.added
    if change.deleted_file:
        return Change.deleted
    return Change.renamed if change.renamed_file else Change.modified


def _hunks(text: str, path: str) -> tuple[Hunk, ...]:
    try:
        return parse_hunks(text)
    except MalformedDiff as error:
        raise Permanent(f"GitLab's diff of {path!r} cannot be read: {error}") from error
