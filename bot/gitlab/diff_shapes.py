"""The parts of GitLab's answers about diffs, files and commits that are used."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from bot.domain.merge_request import Sha, Value

_SUBMODULE = "160000"
_Shas = Annotated[tuple[Sha, ...], BeforeValidator(lambda value: tuple(value or ()))]


class FileChange(Value):
    """One entry of ``/diffs``; ``collapsed`` and ``too_large`` are None on versions that lack them."""

    old_path: str
    new_path: str
    a_mode: str | None = None
    b_mode: str | None = None
    diff: str | None = None
    new_file: bool = False
    renamed_file: bool = False
    deleted_file: bool = False
    collapsed: bool | None = None
    too_large: bool | None = None

    @property
    def submodule(self) -> bool:
        """Say whether either side is a submodule link."""
        return _SUBMODULE in (self.a_mode, self.b_mode)

    @property
    def withheld(self) -> bool:
        """Say whether GitLab may have left the hunks out.

        Where it does not say, an empty diff is as likely one over a limit as a pure rename.
        """
        if self.collapsed or self.too_large:
            return True
        told = self.collapsed is not None or self.too_large is not None
        return not self.diff and not told and not self.submodule


class FileContent(Value):
    """One file of ``/repository/files``."""

    size: int
    encoding: str
    content: str


class CommitStats(Value):
    """How many lines a commit adds; renames may be counted in full."""

    additions: int


class Commit(Value):
    """One commit.

    In the list of a merge request ``parent_ids`` is empty on many releases
    (https://gitlab.com/gitlab-org/gitlab/-/issues/496665), and there are no ``stats``.
    """

    id: Sha
    parent_ids: _Shas = ()
    stats: CommitStats | None = None


class Comparison(Value):
    """The answer of ``/repository/compare``."""

    diffs: list[FileChange]


class TreeEntry(Value):
    """One entry of a listing of files; links and submodules are told by their mode."""

    path: str
    type: str
    mode: str

    @property
    def is_file(self) -> bool:
        """Say whether it is a regular file."""
        return self.type == "blob" and self.mode.startswith("100")
