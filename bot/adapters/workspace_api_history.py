"""What each commit of a branch adds, through GitLab's REST API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.domain.diff import Diff, FileDiff
from bot.domain.errors import Obsolete
from bot.domain.history import CommitDiff, History, only_own
from bot.domain.merge_request import Revision
from bot.gitlab.diff_shapes import Commit, Comparison, FileChange
from bot.gitlab.shapes import read

#: Each costs two requests at least.
MOST_COMMITS = 50
#: Beyond so many files or lines GitLab may stop without a word, in any release and with any limits of its own.
_SUSPECT_FILES = 100
_SUSPECT_LINES = 5_000

#: Makes a file's diff out of GitLab's: the change, and the commits before and after it.
ReadFile = Callable[[FileChange, str, str], Awaitable[FileDiff]]


@dataclass(frozen=True)
class ApiHistory:
    """Read the commits of a merge request.

    Args:
        api: requests to the configured GitLab.
        read_file: makes a file's diff out of GitLab's.
    """

    api: GitLabApi
    read_file: ReadFile

    async def commits(self, revision: Revision, whole: Diff) -> History:
        """Return what each commit adds; the only one of a branch adds the *whole* diff.

        Raises:
            Obsolete: GitLab shows a newer head.
        """
        project = f"projects/{revision.ref.project_id}"
        path = f"{project}/merge_requests/{revision.ref.iid}/commits"
        listed = [commit.id async for commit in self.api.every(Commit, path)]
        if listed[:1] != [revision.head_sha]:
            raise Obsolete(f"{revision.ref}: {revision.head_sha[:12]} is no longer the newest head")
        if len(listed) == 1:
            return History((CommitDiff(listed[0], whole),))
        wanted = listed[:MOST_COMMITS][::-1]
        found, cut = [], []
        for sha in wanted:
            answer = await self.api.ask("GET", f"{project}/repository/commits/{sha}")
            commit = read(Commit, answer, "a commit")
            diffs = await self._diffs(project, commit)
            found.append(CommitDiff(sha, only_own(diffs)))
            if _incomplete(diffs, commit):
                cut.append(sha)
        return History(tuple(found), _missing(listed, wanted, cut))

    async def _diffs(self, project: str, commit: Commit) -> list[Diff]:
        """Return the diffs of *commit* to each of its parents."""
        path = f"{project}/repository/commits/{commit.id}/diff"
        changes = [change async for change in self.api.every(FileChange, path)]
        first, *others = commit.parent_ids or ("",)
        diffs = [await self._files(changes, first, commit.id)]
        for parent in others:
            params = {"from": parent, "to": commit.id, "straight": "true"}
            answer = await self.api.ask("GET", f"{project}/repository/compare", params=params)
            diffs.append(await self._files(read(Comparison, answer, "a comparison").diffs, parent, commit.id))
        return diffs

    async def _files(self, changes: Sequence[FileChange], old: str, new: str) -> Diff:
        return Diff(tuple([await self.read_file(change, old, new) for change in changes]))


def _incomplete(diffs: Sequence[Diff], commit: Commit) -> bool:
    """Say whether GitLab may have left out files of *commit*, which it does without saying so."""
    large = any(
        len(diff.files) >= _SUSPECT_FILES or diff.added_line_count >= _SUSPECT_LINES for diff in diffs
    )
    if len(diffs) > 1:
        return large
    if commit.stats is None or diffs[0].added_line_count >= commit.stats.additions:
        return False
    explained = any(
        file.old_path != file.new_path or file.truncated or file.submodule for file in diffs[0].files
    )
    return large or not explained


def _missing(listed: Sequence[str], wanted: Sequence[str], cut: Sequence[str]) -> str:
    reasons = []
    if len(listed) > len(wanted):
        reasons.append(f"only its newest {len(wanted)} of {len(listed)} commits were looked at")
    if cut:
        reasons.append(f"GitLab does not show all of {', '.join(sha[:8] for sha in cut[:5])}")
    return "; ".join(reasons)
