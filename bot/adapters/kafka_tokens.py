"""Tokens for a login to Kafka with OAUTHBEARER: from a token server, or from a file that somebody renews."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from bot.domain.errors import Blocked, CloisterError, Transient

#: The broker waits meanwhile, and gives a login 10 s or more.
_ANSWER_LIMIT_S = 8.0
_ANSWER_LIMIT_BYTES = 262_144

#: What part of its life a token is used; afterwards there is a new one in time for slow clocks and logins.
_USED_LIFE = 0.8
#: For servers that do not say how long it lives.
_UNKNOWN_LIFE_S = 60.0

#: A token as RFC 6750 has it: nothing in it can end the message in which it travels.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class TokenError(KafkaError):  # type: ignore[misc]
    """Say why there is no token, in a form that the client library takes for a failed connection."""

    def __init__(self, problem: CloisterError) -> None:
        super().__init__(str(problem))
        self.problem = problem


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]
    """Get tokens with a client's id and secret (RFC 6749, section 4.4); keep each for most of its life.

    Args:
        url: the token endpoint.
        client_id: our id there.
        client_secret: our secret there.
        trusted: what to verify the server's certificate with.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        trusted: ssl.SSLContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        # Names and secrets are encoded as in a form before they go into the header: section 2.3.1.
        self._credentials = (quote_plus(client_id), quote_plus(client_secret))
        self._trusted = trusted
        self._clock = clock
        self._renewing = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0

    async def token(self) -> str:
        """Return a token that is valid for a while.

        Raises:
            TokenError: the server gives none.
        """
        async with self._renewing:
            if not self._token or self._clock() >= self._renew_at:
                asked_at = self._clock()
                self._token, life_s = await self._new()
                self._renew_at = asked_at + life_s * _USED_LIFE
            return self._token

    async def _new(self) -> tuple[str, float]:
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                status, body = await self._ask()
        except (httpx.HTTPError, TimeoutError) as error:
            problem = Transient(
                f"the token server does not answer ({_cause(error)}): check CLOISTER_KAFKA_TOKEN_URL"
                " and, if it has a certificate of your own authority, CLOISTER_KAFKA_CA_FILE"
            )
            raise TokenError(problem) from error
        if status != 200:
            raise TokenError(_refusal(status))
        return _parsed(body)

    async def _ask(self) -> tuple[int, bytes]:
        # Once in a while: a client that is kept would be one more thing to close.
        async with (
            httpx.AsyncClient(verify=self._trusted, trust_env=False, timeout=_ANSWER_LIMIT_S) as client,
            client.stream(
                "POST",
                self._url,
                data={"grant_type": "client_credentials"},
                auth=self._credentials,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                follow_redirects=False,
            ) as response,
        ):
            body = b""
            async for part in response.aiter_raw():
                body += part
                if len(body) > _ANSWER_LIMIT_BYTES:
                    break
            return response.status_code, body


class TokenFile(AbstractTokenProvider):  # type: ignore[misc]
    """Read the token from *path* whenever there is a login, since somebody else renews it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """Return what the file holds now.

        Raises:
            TokenError: the file cannot be read or holds no token.
        """
        return self._read()

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                content = file.read(_ANSWER_LIMIT_BYTES)
        except OSError as error:
            raise TokenError(self._problem(error.strerror or type(error).__name__)) from error
        token = content.decode("ascii", errors="replace").strip()
        if not _TOKEN.fullmatch(token):
            raise TokenError(self._problem("it holds no token" if token else "it is empty"))
        return token

    def _problem(self, reason: str) -> Blocked:
        return Blocked(f"cannot use the token in {self._path}: {reason}; check CLOISTER_KAFKA_TOKEN_FILE")


def _cause(error: BaseException) -> str:
    """Return the kind of *error*; a certificate's trouble in words, since its kind says little."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {inner.verify_message}"
        inner = inner.__cause__ or inner.__context__
    return type(error).__name__


def _refusal(status: int) -> CloisterError:
    if status in {400, 401, 403}:
        return Blocked(
            f"the token server refuses us (HTTP {status}): check CLOISTER_KAFKA_USER and CLOISTER_KAFKA_PASSWORD"
        )
    if status == 429 or status >= 500:
        return Transient(f"the token server cannot answer now (HTTP {status})")
    return Blocked(f"the token server answers with HTTP {status}: check CLOISTER_KAFKA_TOKEN_URL")


def _parsed(body: bytes) -> tuple[str, float]:
    try:
        answer: Any = json.loads(body)
    except ValueError:
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        problem = "the answer of the token server holds no access_token: check CLOISTER_KAFKA_TOKEN_URL"
        raise TokenError(Blocked(problem))
    life_s = answer.get("expires_in")
    known = isinstance(life_s, int | float) and not isinstance(life_s, bool) and life_s > 0
    return token, float(life_s) if known else _UNKNOWN_LIFE_S
