"""Policies of groups and of the instance in a project of GitLab, at its default branch."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from urllib.parse import quote

import httpx
import structlog

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Permanent, Refused
from bot.gitlab.administration import Project
from bot.gitlab.diff_shapes import FileContent
from bot.gitlab.errors import moved_to
from bot.gitlab.shapes import read

log = structlog.get_logger()

_MAX_BYTES = 100_000
#: A changed policy counts after so long; until then each file costs no request.
_FRESH_S = 60.0
_REMEMBERED = 1_000


class GitLabPolicyFiles:
    """Implement ``bot.ports.PolicyFiles``.

    Args:
        api: requests to the configured GitLab.
        project: its path with namespace.
        ref: branch, tag or commit.
        monotonic: tells how old is what was read.
    """

    def __init__(
        self,
        api: GitLabApi,
        project: str,
        *,
        ref: str = "HEAD",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._project = self._place = project
        self._ref = ref
        self._monotonic = monotonic
        self._read: dict[str, tuple[float, bytes | None]] = {}

    @property
    def name(self) -> str:
        """Return the path of the project."""
        return self._project

    async def read(self, path: str) -> bytes | None:
        """Return a file as it was a minute ago or later; see the port."""
        at, content = self._read.get(path, (None, None))
        if at is not None and self._monotonic() - at < _FRESH_S:
            return content
        content = await self._newest(path)
        if len(self._read) >= _REMEMBERED:
            self._read.clear()
        self._read[path] = self._monotonic(), content
        return content

    async def _newest(self, path: str) -> bytes | None:
        project = f"projects/{quote(self._place, safe='')}"
        url = f"{project}/repository/files/{quote(path, safe='')}"
        try:
            answer = await self._api.ask_once("GET", url, params={"ref": self._ref})
        except AnswerProblem as trouble:
            number = moved_to(trouble.answer)
            if number is not None and self._place == self._project:
                self._follow(number)
                return await self._newest(path)
            if trouble.answer.status != httpx.codes.NOT_FOUND:
                raise explained(trouble) from None
            await self._check_access(project)
            return None
        file = read(FileContent, answer, f"GET {url}")
        if file.size > _MAX_BYTES:
            raise Permanent(f"{path} of {self._project} is larger than {_MAX_BYTES // 1000} kB; shorten it")
        try:
            return base64.b64decode(file.content)
        except binascii.Error as error:
            raise Permanent(f"GET {url}: the content is not base64; this is not GitLab") from error

    def _follow(self, number: int) -> None:
        """Ask by number from now on: GitLab says that it is the same project, and numbers stay."""
        log.warning("policy.project_moved", project=self._project, number=number)
        self._place = str(number)

    async def _check_access(self, project: str) -> None:
        """Make sure that the file is missing, rather than our access: that would open gates.

        Raises:
            Permanent: we cannot see the project.
        """
        try:
            await self._api.one(Project, project)
        except Refused as error:
            msg = f"the project {self._project} cannot be seen; add our account to it as Reporter, or correct CLOISTER_POLICY_PROJECT"
            raise Permanent(msg) from error
