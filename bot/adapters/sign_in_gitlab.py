"""Signing in with GitLab: OpenID Connect, by Authlib's rules and over our own connection.

See https://docs.gitlab.com/integration/openid_connect_provider/ and https://docs.gitlab.com/api/oauth2/.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Mapping
from typing import Any, cast

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.domain.errors import CloisterError, Permanent, Refused, Transient
from bot.domain.viewer import DEVELOPER, MAINTAINER, REPORTER, Identity
from bot.gitlab.people_shapes import SignedIn
from bot.gitlab.shapes import Membership
from bot.ports import Attempt, Clock

_SCOPES = "openid read_api"
#: What clocks may be apart.
_LEEWAY_S = 60
#: A document of discovery has 3 kB, keys and tokens less.
_MAX_ANSWER_BYTES = 1_000_000
#: Who belongs to more projects sees the first of them; so many take some seconds to list.
MOST_PROJECTS = 5_000
#: Discovery is asked for anew once in a while: whoever moves GitLab need not restart us.
_DISCOVERY_S = 600.0

_log = structlog.get_logger(__name__)


class GitLabSignIn:
    """Have the configured GitLab say who somebody is; see `bot.ports.SignIn`.

    Nothing that a browser brings names a host: issuer and every address are those of *url*.

    Args:
        url: base URL of GitLab.
        client_id: the application's id.
        client_secret: its secret.
        redirect_uri: where GitLab sends browsers back to, as registered with the application.
        clock: tells the time for the tokens' lives.
        verify: TLS context, for a private authority; True trusts the usual ones.
        timeout_s: limit of one request.
        transport: another way to carry requests, for tests.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        *,
        clock: Clock,
        verify: ssl.SSLContext | bool = True,
        timeout_s: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._verify = verify
        self._timeout_s = timeout_s
        self._transport = transport
        self._known: tuple[float, dict[str, str]] | None = None

    async def begin(self) -> tuple[str, Attempt]:
        """Return where to send the browser; see the port."""
        endpoints = await self._endpoints()
        attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        address = prepare_grant_uri(
            endpoints["authorization_endpoint"],
            client_id=self._client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=_SCOPES,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return str(address), attempt

    async def finish(self, code: str, attempt: Attempt) -> Identity:
        """Return who came back; see the port."""
        endpoints = await self._endpoints()
        granted = await self._redeem(endpoints["token_endpoint"], code, attempt.verifier)
        token = granted.get("access_token")
        if not isinstance(token, str) or not token:
            raise Refused("GitLab gave no access token: sign in again")
        try:
            subject = await self._subject(endpoints["jwks_uri"], granted, attempt.nonce)
            return await self._identity(token, subject)
        finally:
            await self._give_back(endpoints["revocation_endpoint"], token)

    async def _endpoints(self) -> dict[str, str]:
        if self._known and self._clock.monotonic() - self._known[0] < _DISCOVERY_S:
            return self._known[1]
        document = await self._ask("GET", f"{self._url}/.well-known/openid-configuration")
        issuer = str(document.get("issuer", "")).rstrip("/")
        if issuer != self._url:
            msg = (
                f"GitLab calls itself {issuer[:200] or 'nothing'}: set CLOISTER_GITLAB_URL to its external URL,"
                " which browsers must reach too"
            )
            raise Permanent(msg)
        found = {}
        for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"):
            address = document.get(name)
            if not isinstance(address, str) or not address.startswith(f"{self._url}/"):
                raise Permanent(f"GitLab's {name} is not below CLOISTER_GITLAB_URL: check its external URL")
            found[name] = address
        self._known = self._clock.monotonic(), found
        return found

    async def _redeem(self, endpoint: str, code: str, verifier: str) -> Mapping[str, Any]:
        return await self._ask(
            "POST",
            endpoint,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_uri,
                "code_verifier": verifier,
            }
            | self._credentials(),
        )

    async def _subject(self, jwks_uri: str, granted: Mapping[str, Any], nonce: str) -> str:
        """Return whose the token of identity is, once everything about it was checked."""
        keys = await self._ask("GET", jwks_uri)
        now = int(self._clock.now().timestamp())
        try:
            # One algorithm: a token without a signature, or signed with the public key as a password, is none.
            decoded = jwt.decode(
                str(granted.get("id_token", "")),
                KeySet.import_key_set(cast("KeySetSerialization", keys)),
                algorithms=["RS256"],
            )
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "values": [self._url, f"{self._url}/"]},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                    "exp": {"essential": True},
                    "iat": {"essential": True},
                },
                {
                    "nonce": nonce,
                    "client_id": self._client_id,
                    "access_token": granted["access_token"],
                },
            )
            claims.validate(now=now, leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            msg = f"GitLab's token of identity is not good ({type(error).__name__}: {str(error)[:200]}): sign in again"
            raise Refused(msg) from error
        return str(claims["sub"])

    async def _identity(self, token: str, subject: str) -> Identity:
        api = GitLabApi(
            self._url, token, timeout_s=self._timeout_s, verify=self._verify, transport=self._transport
        )
        try:
            user = await api.one(SignedIn, "user")
            if str(user.id) != subject:
                raise Refused("GitLab's two tokens belong to different people: sign in again")
            if not user.able:
                raise Refused("the account may not sign in to GitLab: ask its administrator")
            told = await asyncio.gather(
                *(_projects(api, level) for level in (REPORTER, DEVELOPER, MAINTAINER))
            )
        finally:
            await api.aclose()
        levels = {
            project: level
            for level, projects in zip((REPORTER, DEVELOPER, MAINTAINER), told, strict=True)
            for project in projects
        }
        cut = len(told[0]) >= MOST_PROJECTS
        if cut:
            _log.warning("sign_in.memberships_cut", user=user.id, projects=MOST_PROJECTS)
        return Identity(
            user.forge().user,
            admin=bool(user.is_admin),
            auditor=bool(user.is_auditor),
            levels=levels,
            cut=cut,
        )

    async def _give_back(self, endpoint: str, token: str) -> None:
        try:
            await self._ask("POST", endpoint, {"token": token} | self._credentials())
        except CloisterError as error:
            # It ends by itself within two hours, and nobody has it any more.
            _log.warning("sign_in.token_not_revoked", error=str(error))

    def _credentials(self) -> dict[str, str]:
        return {"client_id": self._client_id, "client_secret": self._client_secret}

    async def _ask(self, method: str, address: str, data: Mapping[str, str] | None = None) -> dict[str, Any]:
        name = f"{method} {address.removeprefix(self._url)}"
        client = httpx.AsyncClient(
            timeout=self._timeout_s,
            verify=self._verify,
            transport=self._transport,
            trust_env=False,
            follow_redirects=False,
        )
        try:
            async with asyncio.timeout(self._timeout_s), client:
                answer = await _answer(client, method, address, data)
        except (httpx.RequestError, TimeoutError) as error:
            raise Transient(f"{name}: GitLab does not answer ({type(error).__name__})") from error
        return _decoded(name, answer)


async def _answer(
    client: httpx.AsyncClient, method: str, address: str, data: Mapping[str, str] | None
) -> httpx.Response:
    async with client.stream(method, address, data=data, headers={"accept": "application/json"}) as answer:
        content = b""
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > _MAX_ANSWER_BYTES:
                raise Permanent(f"{address}: the answer is over {_MAX_ANSWER_BYTES} bytes; is that GitLab?")
        return httpx.Response(answer.status_code, content=content)


def _decoded(name: str, answer: httpx.Response) -> dict[str, Any]:
    """Return the object that GitLab answered; what it says of a failure is shown, what it was asked is not."""
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or answer.status_code == 429:
        raise Transient(f"{name}: GitLab answers {answer.status_code}")
    try:
        decoded = answer.json()
    except (ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise Permanent(
            f"{name}: the answer is no JSON object; check that CLOISTER_GITLAB_URL leads to GitLab"
        )
    if answer.status_code != httpx.codes.OK:
        said = str(decoded.get("error", answer.status_code))[:100]
        if said == "invalid_client":
            raise Permanent(
                f"{name}: GitLab does not know the application: check CLOISTER_OAUTH_CLIENT_ID and _SECRET"
            )
        raise Refused(f"{name}: GitLab refuses ({said}): sign in again")
    return decoded


async def _projects(api: GitLabApi, level: int) -> list[int]:
    """Return the projects in which the token's owner has at least *level*, inherited and shared access included.

    The level that a list tells of each project leaves out groups further up: so GitLab is asked by level.
    """
    found: list[int] = []
    query = {
        "membership": "true",
        "min_access_level": str(level),
        "simple": "true",
        "pagination": "keyset",
        "order_by": "id",
        "sort": "asc",
    }
    async for project in api.every(Membership, "projects", **query):
        found.append(project.id)
        if len(found) == MOST_PROJECTS:
            break
    return found
