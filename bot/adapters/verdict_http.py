"""Verdicts of a Cloister server over HTTP."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bot.domain.awaited import AwaitedVerdict, Question
from bot.domain.errors import Permanent, Transient
from bot.domain.markdown import one_line
from bot.gitlab.errors import Answer, retry_after_s

#: A verdict names what blocks; thousands of findings are not more than this.
_MOST_BYTES: Final = 8_000_000
_CONNECT_S: Final = 5.0
#: What an answer may take beyond the time that the server was asked to wait.
_SLACK_S: Final = 10.0
_UNKNOWN_HEAD: Final = "unknown_head"
_PERMANENT_REDIRECTS = frozenset({301, 308})


class HttpVerdicts:
    """Ask one server; the token goes there and nowhere else.

    Redirects are not followed, and proxies, certificates and passwords of the environment are not used. Nothing is
    repeated: that is up to who waits.

    Args:
        url: base URL of the server, with its path if it has one.
        headers: what the server knows us by.
        verify: TLS context, for a private authority; True trusts the usual ones.
        slack_s: how much longer than asked for an answer may take.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        verify: ssl.SSLContext | bool = True,
        slack_s: float = _SLACK_S,
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/verdict"
        self._host = urlsplit(url).netloc
        self._slack_s = slack_s
        self._client = httpx.AsyncClient(
            headers={"accept": "application/json", "accept-encoding": "identity", **headers},
            timeout=httpx.Timeout(None, connect=_CONNECT_S),
            verify=verify,
            trust_env=False,
            follow_redirects=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def verdict(self, question: Question, *, wait_s: float) -> AwaitedVerdict | None:
        """Return what the server says, after up to *wait_s* if that is news; None if it has not heard of the head.

        Raises:
            Transient: there is no answer, or none that could be a verdict; asking again may help.
            Permanent: the server does not accept us or the question; the message says what to do.
        """
        params = {
            "project_id": str(question.project_id),
            "sha": question.sha,
            "iid": str(question.iid),
            "wait_s": str(int(wait_s)),
        }
        if question.target_branch:
            params["target_branch"] = question.target_branch
        answer = await self._send(params, wait_s + self._slack_s)
        if answer.status == httpx.codes.OK:
            try:
                return question.read(answer.body)
            except ValueError as error:
                raise Transient(f"{self._host}: {error}") from None
        code, message = _problem(answer)
        if answer.status == httpx.codes.NOT_FOUND and code == _UNKNOWN_HEAD:
            return None
        raise self._error(answer, message)

    async def _send(self, params: Mapping[str, str], limit_s: float) -> Answer:
        try:
            async with (
                asyncio.timeout(limit_s),
                self._client.stream("GET", self._url, params=params) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise Transient(f"{self._host}: the answer is too long for a verdict")
                return Answer(response.status_code, response.headers, bytes(body))
        except TimeoutError:
            raise Transient(f"{self._host}: no complete answer within {limit_s:.0f} s") from None
        except httpx.HTTPError as error:
            said = one_line(str(error)) or type(error).__name__
            if "CERTIFICATE_VERIFY_FAILED" in said:
                said += "; if an authority of your own signed it, name that with CLOISTER_SERVER_CA_FILE"
            raise Transient(f"{self._host}: no connection, or none that lasts ({said})") from error

    def _error(self, answer: Answer, message: str) -> Exception:
        said = f"{self._host}: {answer.status}{': ' + message if message else ''}"
        match answer.status:
            case 401 | 403:
                return Permanent(
                    f"{said}; the server must accept the job's CI_JOB_TOKEN, or else set CLOISTER_API_TOKEN to an API"
                    " token that may read this project"
                )
            case status if status in _PERMANENT_REDIRECTS:
                return Permanent(
                    f"{said} to {one_line(answer.headers.get('location', 'nowhere'))}; redirects are not followed:"
                    " name the last address with --server or CLOISTER_SERVER_URL"
                )
            # A proxy in between says these too, while what is behind it restarts.
            case 404 | 408 | 425 | 429 | 302 | 303 | 307:
                return Transient(said, retry_after_s=retry_after_s(answer, datetime.now(UTC)))
            case status if status >= httpx.codes.INTERNAL_SERVER_ERROR:
                return Transient(said, retry_after_s=retry_after_s(answer, datetime.now(UTC)))
            case status if status < httpx.codes.BAD_REQUEST:
                return Transient(f"{said} is no verdict")
        return Permanent(f"{said}; use the same release of Cloister in the job and on the server")


def _problem(answer: Answer) -> tuple[str, str]:
    """Return code and message of an error, empty where it is not in Cloister's form."""
    try:
        said: Any = json.loads(answer.body)["error"]
        return str(said["code"]), one_line(str(said["message"]))
    except (ValueError, TypeError, LookupError, RecursionError):
        return "", ""
