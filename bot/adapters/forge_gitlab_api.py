"""Requests to GitLab's REST API: gidgetlab shapes them, httpx carries them."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import gidgetlab.abc
import httpx
from gidgetlab import sansio

from bot.domain.errors import Permanent, Transient
from bot.domain.merge_request import Value
from bot.domain.signals import CLOCKS_DIFFER
from bot.gitlab.errors import Answer, problem, sent_at
from bot.gitlab.paging import MAX_PAGES, PER_PAGE, next_page
from bot.gitlab.shapes import read

#: A hundred notes of GitLab's maximal length would be 100 MB; nothing sensible is near this.
MAX_ANSWER_BYTES = 64 * 1024 * 1024

_READS = frozenset({"GET", "HEAD"})
_Shape = TypeVar("_Shape", bound=Value)


class AnswerProblem(Exception):
    """Carry an answer that reports a problem, for the caller that knows what the request was about."""

    def __init__(self, answer: Answer, request: str, *, writes: bool) -> None:
        super().__init__(f"{request}: {answer.status}")
        self.answer = answer
        self.request = request
        self.writes = writes


class GitLabApi(gidgetlab.abc.GitLabAPI):
    """Send requests to one configured GitLab.

    Answers are judged here, before gidgetlab, which would lose headers and body of errors. The token goes to
    the configured origin only, redirects are not followed, proxies and certificates from the environment are
    not used, and nothing is repeated.

    Args:
        url: base URL of GitLab, with its path if it has one.
        token: access token with the scope ``api``.
        timeout_s: limit of one request, connecting and reading the whole answer included.
        connections: size of the pool that is kept alive.
        verify: TLS context, for a private authority; True trusts the usual ones.
        transport: another way to carry requests, for tests.

    Attributes:
        calls: how many requests were sent.
        answered_at: time of the last answer by GitLab's own clock, None where it did not say.
        ahead: how far that clock is ahead of ours, nothing while they differ by as little as clocks do.

    Raises:
        ValueError: *url* is not an http or https URL.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        connections: int = 20,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            msg = f"CLOISTER_GITLAB_URL must start with http:// or https:// and name a host, not {url!r}"
            raise ValueError(msg)
        super().__init__("cloister", access_token=token, url=url)
        self.calls = 0
        self.answered_at: datetime | None = None
        self.ahead = timedelta()
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_s, connect=min(5.0, timeout_s)),
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30.0
            ),
            verify=verify,
            transport=transport,
            trust_env=False,
            follow_redirects=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def sleep(self, seconds: float) -> None:
        """Wait; gidgetlab asks for it."""
        await asyncio.sleep(seconds)

    async def ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, data: object = b""
    ) -> Any:
        """Return the decoded answer to one request, None if it has no body.

        Raises:
            Transient: GitLab is out of reach, busy or broken.
            Permanent: GitLab refuses, or what answers is not GitLab.
        """
        try:
            return await self.ask_once(method, path, params=params, data=data)
        except AnswerProblem as trouble:
            raise explained(trouble) from None

    async def ask_once(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, data: object = b""
    ) -> Any:
        """Do as `ask`, but leave it to the caller what a refusal means.

        Raises:
            AnswerProblem: GitLab answered with something else than success.
            Transient: no answer came.
            Permanent: what answers is not GitLab.
        """
        decoded, _ = await self._page(method, path, dict(params or {}), data)
        return decoded

    async def ask_as_job(self, path: str, job_token: str) -> Any:
        """Return the decoded answer to a request of a CI job: it carries the job's token, never ours.

        Raises:
            AnswerProblem: GitLab answered with something else than success.
            Transient: no answer came, or a broken one.
            Permanent: what answers is not GitLab.
        """
        url, name = self.format_url(path, {}), f"GET {path}"
        headers = {"accept": "application/json", "user-agent": self.requester, "job-token": job_token}
        _, _, body = await self._request("GET", url, headers)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            msg = f"{name}: the answer is broken JSON; something between GitLab and us spoils it"
            raise Transient(msg) from error

    async def one(self, shape: type[_Shape], path: str, **params: str) -> _Shape:
        """Return what *path* holds, as *shape*."""
        return read(shape, await self.ask("GET", path, params=params), f"GET {path}")

    async def raw(self, path: str, *, max_bytes: int) -> bytes | None:
        """Return a file as it is, None if it has more than *max_bytes*."""
        headers = sansio.create_headers(self.requester, access_token=self.access_token)
        url, name = self.format_url(path, {}), f"GET {path}"
        self._check(url, name)
        answer = await self._send("GET", url, headers | {"accept": "*/*"}, b"", name, max_bytes=max_bytes)
        if answer is None:
            return None
        if not 200 <= answer.status < 300:
            raise explained(AnswerProblem(answer, name, writes=False))
        return answer.body

    async def every(self, shape: type[_Shape], path: str, **params: str) -> AsyncIterator[_Shape]:
        """Yield the items of all pages of a list, as *shape*."""
        following: str | None = path
        query = params | {"per_page": str(PER_PAGE)}
        seen: set[str] = set()
        while following is not None:
            if following in seen or len(seen) == MAX_PAGES:
                msg = f"GET {path}: the list does not end after {len(seen)} pages"
                raise Permanent(msg)
            seen.add(following)
            items, following = await self._items(following, query, path)
            for item in items:
                yield read(shape, item, f"GET {path}")
            query = {}

    async def some(self, path: str, **params: str) -> tuple[list[Any], bool]:
        """Return one page of a list as it came, and whether the list goes on."""
        items, following = await self._items(path, params | {"per_page": str(PER_PAGE)}, path)
        return items, following is not None

    async def _items(self, address: str, query: dict[str, str], path: str) -> tuple[list[Any], str | None]:
        try:
            items, following = await self._page("GET", address, query, b"")
        except AnswerProblem as trouble:
            raise explained(trouble) from None
        if not isinstance(items, list):
            msg = f"GET {path}: the answer is not a list; check that CLOISTER_GITLAB_URL leads to GitLab"
            raise Permanent(msg)
        return items, following

    async def _page(
        self, method: str, path: str, params: dict[str, Any], data: object
    ) -> tuple[Any, str | None]:
        try:
            return await self._make_request(method, path, params, data)
        except (ValueError, RecursionError) as error:
            msg = f"{method} {path}: the answer is broken JSON; something between GitLab and us spoils it"
            raise Transient(msg, outcome_unknown=method not in _READS) from error

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        # The name is gidgetlab's. Every URL is built on `api_url`, this makes sure of it.
        request = f"{method} {urlsplit(url).path}"
        self._check(url, request)
        answer = await self._send(method, url, headers, body, request)
        if answer is None:
            msg = f"{request}: the answer is over {MAX_ANSWER_BYTES} bytes"
            raise Permanent(msg)
        self._note_time(answer)
        if not 200 <= answer.status < 300:
            raise AnswerProblem(answer, request, writes=method not in _READS)
        if answer.body and not answer.is_json:
            msg = f"{request}: the answer is not JSON; check that CLOISTER_GITLAB_URL leads to GitLab itself"
            raise Permanent(msg)
        following = next_page(answer.headers, url)
        # gidgetlab knows success as 200, 201, 202 and 204 only, and trips over malformed rate limit headers.
        kept = {"content-type": "application/json"} | (
            {"link": f'<{following}>; rel="next"'} if following else {}
        )
        return 200, kept, answer.body

    def _note_time(self, answer: Answer) -> None:
        self.answered_at = sent_at(answer)
        if self.answered_at is not None:
            ahead = self.answered_at - datetime.now(UTC)
            self.ahead = ahead if abs(ahead) > CLOCKS_DIFFER else timedelta()

    def _check(self, url: str, request: str) -> None:
        if not url.startswith(self.api_url):
            msg = f"{request} leads away from {self.api_url}"
            raise Permanent(msg)

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        name: str,
        *,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer | None:
        """Return the answer, None if it is longer than *max_bytes*."""
        self.calls += 1
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream(method, url, headers=headers, content=body) as response,
            ):
                content = await _content(response, max_bytes)
                return None if content is None else Answer(response.status_code, response.headers, content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            msg = f"{name}: no connection to {self.api_url} ({error or type(error).__name__})"
            raise Transient(msg) from error
        except (httpx.RequestError, TimeoutError) as error:
            msg = f"{name}: no complete answer ({error or type(error).__name__})"
            raise Transient(msg, outcome_unknown=method not in _READS) from error


def explained(trouble: AnswerProblem) -> Exception:
    """Return the error that says what the caller can do about *trouble*."""
    return problem(
        trouble.answer, trouble.request, now=datetime.now(UTC), writes=trouble.writes
    ) or Permanent(str(trouble))


async def _content(response: httpx.Response, max_bytes: int) -> bytes | None:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > max_bytes:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
