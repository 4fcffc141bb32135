"""Which CI job a token belongs to, by asking GitLab with that token.

See https://docs.gitlab.com/api/jobs/#get-job-tokens-job: it answers while the job runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import ssl
from collections import OrderedDict
from collections.abc import Callable

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Transient
from bot.domain.forge import ForgeJob
from bot.gitlab.shapes import JobOf, read

#: So long an answer is believed: a job asks again and again while it waits.
_BELIEVED_S = 60.0
_MOST_KNOWN = 2_000
#: Asking GitLab costs it something; whoever sends made-up tokens must not make us do much of it.
_AT_A_TIME = 4
_TOKEN = re.compile(r"[\x21-\x7e]{8,4096}")
_NO_JOB = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND})


class GitLabJobs:
    """Ask GitLab, each time on a connection of its own; see `bot.ports.Jobs` for the contract.

    Tokens are kept nowhere: what they came to is known by a keyed hash, for a minute.

    Args:
        url: base URL of GitLab.
        monotonic: seconds that only grow.
        verify: TLS context, for a private authority; True trusts the usual ones.
    """

    def __init__(
        self, url: str, *, monotonic: Callable[[], float], verify: ssl.SSLContext | bool = True
    ) -> None:
        self._url = url
        self._monotonic = monotonic
        self._verify = verify
        self._salt = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, tuple[ForgeJob | None, float]] = OrderedDict()
        self._asking = 0

    async def job_of(self, token: str) -> ForgeJob | None:
        """Return the running job of that token; see the port."""
        if not _TOKEN.fullmatch(token):
            return None
        mark = hmac.digest(self._salt, token.encode(), hashlib.sha256)
        known = self._known.get(mark)
        if known is not None and self._monotonic() < known[1]:
            return known[0]
        if self._asking >= _AT_A_TIME:
            raise Transient("GitLab is being asked about many jobs", retry_after_s=1.0)
        self._asking += 1
        try:
            job = await self._ask(token)
        finally:
            self._asking -= 1
        self._known[mark] = (job, self._monotonic() + _BELIEVED_S)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return job

    async def _ask(self, token: str) -> ForgeJob | None:
        api = GitLabApi(self._url, "", timeout_s=10.0, connections=1, verify=self._verify)
        try:
            found = read(JobOf, await api.ask_as_job("job", token), "GET job")
        except AnswerProblem as trouble:
            if trouble.answer.status in _NO_JOB:
                return None
            raise explained(trouble) from None
        finally:
            await asyncio.shield(api.aclose())
        return ForgeJob(found.id, found.pipeline.project_id) if found.status == "running" else None
