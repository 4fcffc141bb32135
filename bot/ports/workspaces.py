"""The code of a merge request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.diff import Diff
from bot.domain.history import History
from bot.domain.merge_request import Revision


@dataclass(frozen=True, slots=True)
class Blob:
    """Hold one file's bytes, or only its size when it is larger than was asked for."""

    size: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Hold one line of a file that holds a name; ``line`` is 1-based."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Hold where names stand, and why that may not be everywhere; ``missing`` is empty if it is."""

    lines: tuple[Occurrence, ...] = ()
    missing: str = ""


class Workspaces(Protocol):
    """Give access to the code of a merge request without a check-out."""

    async def fetch(self, revision: Revision) -> None:
        """Make the commits of *revision* available locally; repeating it is cheap.

        Raises:
            Transient: the forge is out of reach or the commit has not arrived yet.
            Permanent: access is denied, or the repository is larger than the operator allows.
        """

    async def diff(self, revision: Revision) -> Diff:
        """Return the exact diff from base to head, renames detected as GitLab detects them.

        Raises:
            Transient: the revision is not there and could not be fetched.
        """

    async def commits(self, revision: Revision) -> History:
        """Return what each commit adds that the branch of *revision* has and the target branch lacks.

        A merge counts for what it adds itself: lines that none of its parents has. It is bounded; ``missing`` says
        what was left out, and files over a limit are ``truncated``.

        Raises:
            Transient: the revision is not there and could not be fetched.
        """

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 1_000_000
    ) -> Mapping[str, Blob]:
        """Return the files at *side* (``head``, ``base``, ``start``, or a commit of `commits`).

        Missing and non-regular ones are left out. A file over *max_bytes* comes without its content.
        """

    async def search(
        self, revision: Revision, names: Sequence[str], *, limit_s: float = 5.0, max_bytes: int = 500_000
    ) -> Occurrences:
        """Return the lines of text files at the head that hold one of *names* as a whole word.

        It stops after *limit_s* and *max_bytes* of lines; a line of more than 500 characters is clipped. ``missing``
        says that it stopped, or that this way to the code cannot search. What is no identifier is not looked for.

        Raises:
            Transient: the revision is not there and could not be fetched.
        """

    async def paths(self, revision: Revision, *, side: str = "head") -> frozenset[str]:
        """Return the paths of all regular files at *side*; those whose names are not text are left out.

        Raises:
            Permanent: there are more than 200,000.
        """
