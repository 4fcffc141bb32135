"""Signing in with GitLab: who that is, and everything by which somebody might pass for another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from bot.adapters.clock import SystemClock
from bot.adapters.sign_in_gitlab import GitLabSignIn
from bot.demo.gitlab import Application, Level, User
from bot.domain.errors import Permanent, Refused, Transient
from bot.ports import Attempt
from tests.gitlab import GitLab

CALLBACK = "https://cloister.example/sign-in/callback"


@pytest.fixture
def application(gitlab: GitLab) -> Application:
    """Return Cloister as the administrator of GitLab has registered it."""
    return gitlab.server.create_application(CALLBACK)


@pytest.fixture
def sign_in(gitlab: GitLab, application: Application) -> GitLabSignIn:
    """Return how people sign in on the fixture GitLab."""
    return GitLabSignIn(gitlab.server.url, application.id, application.secret, CALLBACK, clock=SystemClock())


def followed(gitlab: GitLab, address: str, user: User) -> dict[str, str]:
    """Return what the browser of *user* brings back from GitLab."""
    with httpx.Client(cookies=gitlab.server.browser_of(user), trust_env=False) as browser:
        answer = browser.get(address)
    assert answer.status_code == 302, answer.text
    location = answer.headers["location"]
    assert location.startswith(f"{CALLBACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def test_gitlab_tells_who_it_is_and_their_access(gitlab: GitLab, sign_in: GitLabSignIn) -> None:
    """Inherited access counts, other projects and other people's do not."""
    led = gitlab.server.create_project("group/led", members={gitlab.developer: Level.maintainer})
    inherited = gitlab.server.create_project("lib/core")
    inherited.group.members[gitlab.developer.id] = Level.reporter
    gitlab.server.create_project("group/guest", members={gitlab.developer: Level.guest})
    gitlab.server.create_project("group/public", visibility="public")

    address, attempt = await sign_in.begin()
    back = followed(gitlab, address, gitlab.developer)
    identity = await sign_in.finish(back["code"], attempt)

    assert back["state"] == attempt.state
    assert identity.user.username == "dev"
    assert not identity.admin
    assert identity.levels == {gitlab.project.id: 30, led.id: 40, inherited.id: 20}
    assert gitlab.server.unknown_requests == []


async def test_the_token_is_given_back(gitlab: GitLab, sign_in: GitLabSignIn) -> None:
    """It may read no more when somebody has signed in, whether that went well or not."""
    before = set(gitlab.server.instance.state.tokens)
    for nonce in (None, "another"):
        address, attempt = await sign_in.begin()
        code = followed(gitlab, address, gitlab.developer)["code"]
        if nonce is None:
            await sign_in.finish(code, attempt)
        else:
            with pytest.raises(Refused, match="nonce"):
                await sign_in.finish(code, replace(attempt, nonce=nonce))

    given = [token for value, token in gitlab.server.instance.state.tokens.items() if value not in before]
    assert [(True, ("openid", "read_api"))] * 2 == [(token.revoked, token.scopes) for token in given]


async def test_an_administrator_is_told_to_be_one(gitlab: GitLab, sign_in: GitLabSignIn) -> None:
    """As GitLab says."""
    address, attempt = await sign_in.begin()

    assert (
        await sign_in.finish(followed(gitlab, address, gitlab.server.admin)["code"], attempt)
    ).admin is True


async def test_what_goes_to_gitlab_is_as_it_should_be(
    application: Application, sign_in: GitLabSignIn
) -> None:
    """Little is asked for, a proof of the browser goes along, and no two attempts are alike."""
    (first, one), (_, other) = await sign_in.begin(), await sign_in.begin()
    query = parse_qs(urlsplit(first).query)

    assert query["scope"] == ["openid read_api"]
    assert query["redirect_uri"] == [CALLBACK]
    assert query["code_challenge_method"] == ["S256"]
    assert application.secret not in first
    assert one.verifier not in first
    assert not {one.state, one.nonce, one.verifier} & {other.state, other.nonce, other.verifier}


async def test_a_code_is_good_once(gitlab: GitLab, sign_in: GitLabSignIn) -> None:
    """A replay is refused."""
    address, attempt = await sign_in.begin()
    code = followed(gitlab, address, gitlab.developer)["code"]
    await sign_in.finish(code, attempt)

    with pytest.raises(Refused, match="invalid_grant"):
        await sign_in.finish(code, attempt)


async def test_a_stolen_code_is_of_no_use(gitlab: GitLab, sign_in: GitLabSignIn) -> None:
    """Without the verifier that only the browser of its owner has."""
    address, _ = await sign_in.begin()
    _, own = await sign_in.begin()
    code = followed(gitlab, address, gitlab.developer)["code"]

    with pytest.raises(Refused, match="invalid_grant"):
        await sign_in.finish(code, own)


async def test_a_wrong_secret_names_the_setting(gitlab: GitLab, application: Application) -> None:
    """It is the operator's to mend."""
    wrong = GitLabSignIn(gitlab.server.url, application.id, "wrong", CALLBACK, clock=SystemClock())
    address, attempt = await wrong.begin()

    with pytest.raises(Permanent, match="CLOISTER_OAUTH_CLIENT_ID"):
        await wrong.finish(followed(gitlab, address, gitlab.developer)["code"], attempt)


class _Forged:
    """A GitLab whose token of identity and documents are made to order."""

    url = "https://gitlab.example"
    key = RSAKey.generate_key(2048, auto_kid=True)

    def __init__(self) -> None:
        self.token: Callable[[dict[str, Any]], str] = self.signed
        self.changes: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.user: dict[str, Any] = {"id": 7, "username": "dev"}
        self.asked: list[str] = []

    def signed(self, claims: dict[str, Any]) -> str:
        """Return a token as it should be."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        made = {"iss": self.url, "sub": "7", "aud": "client", "exp": now + 120, "iat": now, "nonce": "n" * 20}
        return {name: value for name, value in (made | self.changes).items() if value is not None}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        match request.url.path:
            case "/.well-known/openid-configuration":
                names = {
                    "authorization_endpoint": "authorize",
                    "token_endpoint": "token",
                    "revocation_endpoint": "revoke",
                    "jwks_uri": "keys",
                }
                made = {name: f"{self.url}/oauth/{end}" for name, end in names.items()}
                return httpx.Response(200, json={"issuer": self.url} | made | self.discovery)
            case "/oauth/token":
                return httpx.Response(
                    200, json={"access_token": "secret", "id_token": self.token(self.claims())}
                )
            case "/oauth/keys":
                return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
            case "/oauth/revoke":
                return httpx.Response(200, json={})
            case "/api/v4/user":
                return httpx.Response(200, json=self.user)
            case "/api/v4/projects":
                return httpx.Response(200, json=[])
        return httpx.Response(404, json={})

    def sign_in(self) -> GitLabSignIn:
        """Return how people sign in here."""
        return GitLabSignIn(
            self.url,
            "client",
            "secret",
            CALLBACK,
            clock=SystemClock(),
            transport=httpx.MockTransport(self),
        )


ATTEMPT = Attempt("s" * 20, "n" * 20, "v" * 50)


@pytest.fixture
async def forged() -> AsyncIterator[_Forged]:
    """Return a GitLab that lies as a test tells it to, and which is asked to take back what it gave."""
    server = _Forged()
    yield server
    if "/oauth/token" in server.asked:
        assert "/oauth/revoke" in server.asked


async def test_a_good_token_is_good(forged: _Forged) -> None:
    """Clocks may be a little apart; otherwise the refusals below would prove nothing."""
    now = int(time.time())
    for changes in ({}, {"iat": now + 30}, {"exp": now - 30, "iat": now - 150}, {"aud": ["client"]}):
        forged.changes = changes
        assert (await forged.sign_in().finish("code", ATTEMPT)).user.id == 7


def _named(claims: dict[str, Any]) -> str:
    """Return a name that is the same in each run, whatever time it is."""
    claim, value = next(iter(claims.items()))
    return f"{claim} later" if isinstance(value, int) and value > time.time() else f"{claim} {value}"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-client"},
        {"aud": ["client", "another-client"]},
        {"aud": None},
        {"azp": "another-client"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"nonce": "m" * 20},
        {"nonce": None},
        {"nonce": ["n" * 20]},
        {"exp": 1},
        {"exp": None},
        {"exp": int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) - 10**8},
        {"iat": int(time.time()) + 3600},
        {"iat": None},
        {"nbf": int(time.time()) + 3600},
        {"sub": None},
        {"sub": "8"},
    ],
    ids=_named,
)
async def test_a_token_that_was_not_meant_for_this_is_refused(
    forged: _Forged, changes: dict[str, Any]
) -> None:
    """One of another client, time, attempt, issuer or person, though GitLab has signed it."""
    forged.changes = changes

    with pytest.raises(Refused, match="sign in again"):
        await forged.sign_in().finish("code", ATTEMPT)


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unsigned(claims: dict[str, Any]) -> str:
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def _by_the_public_key(claims: dict[str, Any]) -> str:
    signed = f"{_part({'alg': 'HS256', 'kid': _Forged.key.kid})}.{_part(claims)}"
    password = _Forged.key.as_pem(private=False)
    return f"{signed}.{_part(hmac.new(password, signed.encode(), hashlib.sha256).digest())}"


def _by_another_key(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": _Forged.key.kid}, claims, RSAKey.generate_key(2048))


@pytest.mark.parametrize(
    "token",
    [
        _unsigned,
        _by_the_public_key,
        _by_another_key,
        lambda claims: "",
        lambda claims: "a.b.c",
        lambda claims: _Forged().signed(claims)[:-4] + "AAAA",
        lambda claims: _Forged().signed(claims) + ".x",
    ],
    ids=["none", "HS256", "another key", "empty", "garbage", "signature", "parts"],
)
async def test_a_token_that_gitlab_has_not_signed_is_refused(
    forged: _Forged, token: Callable[[dict[str, Any]], str]
) -> None:
    """Whatever algorithm it names."""
    forged.token = token

    with pytest.raises(Refused, match="sign in again"):
        await forged.sign_in().finish("code", ATTEMPT)


@pytest.mark.parametrize("user", [{"state": "blocked"}, {"state": "deactivated"}, {"locked": True}], ids=str)
async def test_an_account_that_may_not_sign_in_there_may_not_here(
    forged: _Forged, user: dict[str, Any]
) -> None:
    """Even if GitLab gave a token for it."""
    forged.user |= user

    with pytest.raises(Refused, match="administrator"):
        await forged.sign_in().finish("code", ATTEMPT)


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "https://evil.example/oauth/token"},
        {"token_endpoint": "https://gitlab.example.evil.example/oauth/token"},
        {"jwks_uri": "http://gitlab.example/oauth/keys"},
        {"authorization_endpoint": None},
        {"revocation_endpoint": ["https://gitlab.example/x"]},
    ],
    ids=str,
)
async def test_nothing_leads_away_from_the_configured_gitlab(
    forged: _Forged, discovery: dict[str, Any]
) -> None:
    """Neither browsers nor secrets go where a document points."""
    forged.discovery = discovery

    with pytest.raises(Permanent, match="external URL"):
        await forged.sign_in().begin()
    assert forged.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_gitlab_that_is_down_is_asked_again_later(status: int) -> None:
    """That is nobody's mistake."""
    transport = httpx.MockTransport(lambda request: httpx.Response(status))
    sign_in = GitLabSignIn(
        "https://gitlab.example", "c", "s", CALLBACK, clock=SystemClock(), transport=transport
    )

    with pytest.raises(Transient):
        await sign_in.begin()


async def test_an_answer_without_end_is_cut_off() -> None:
    """It is not kept in memory."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"[" * 2_000_000))
    sign_in = GitLabSignIn(
        "https://gitlab.example", "c", "s", CALLBACK, clock=SystemClock(), transport=transport
    )

    with pytest.raises(Permanent, match="bytes"):
        await sign_in.begin()
