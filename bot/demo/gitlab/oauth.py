"""Signing in to other applications with an account here: OpenID Connect, as far as such an application needs it."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from bot.demo.gitlab.accounts import Application, Grant, User
from bot.demo.gitlab.calls import Reply
from bot.demo.gitlab.instance import Instance

SESSION_COOKIE = "_gitlab_session"
_CODE_LIFE = timedelta(minutes=10)
_ID_TOKEN_LIFE_S = 120
_TOKEN_LIFE_S = 7200

_DISCOVERY = "/.well-known/openid-configuration"
_PATHS = frozenset(
    {
        _DISCOVERY,
        "/oauth/discovery/keys",
        "/oauth/authorize",
        "/oauth/token",
        "/oauth/revoke",
        "/users/sign_in",
    }
)
_HTML = {"Content-Type": "text/html; charset=utf-8"}

_INVALID_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the"
    " authorization request, or was issued to another client."
)
_INVALID_CLIENT = (
    "Client authentication failed due to unknown client, no client authentication included, or unsupported"
    " authentication method."
)

Params = Mapping[str, str]


def is_oauth(path: str) -> bool:
    """Say whether a path belongs to signing in."""
    return path in _PATHS


def serve(
    instance: Instance, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Reply:
    """Answer one request of a browser or an application."""
    params = {
        name: values[-1] for name, values in parse_qs(query + "&" + body.decode(errors="replace")).items()
    }
    with instance.state.lock:
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return Reply(body=_configuration(instance.state.url))
            case "GET", "/oauth/discovery/keys":
                return Reply(body={"keys": [_key().as_dict(private=False, use="sig", alg="RS256")]})
            case "GET", "/oauth/authorize":
                return _authorize(instance, params, query, headers)
            case "GET" | "POST", "/users/sign_in":
                return _sign_in(instance, method, params)
            case "POST", "/oauth/token":
                return _token(instance, params, headers)
            case "POST", "/oauth/revoke":
                return _revoke(instance, params, headers)
    return Reply(404, {"error": "404 Not Found"})


@functools.cache
def _key() -> RSAKey:
    return RSAKey.generate_key(2048, auto_kid=True)


def _configuration(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/oauth/authorize",
        "token_endpoint": f"{url}/oauth/token",
        "revocation_endpoint": f"{url}/oauth/revoke",
        "introspection_endpoint": f"{url}/oauth/introspect",
        "userinfo_endpoint": f"{url}/oauth/userinfo",
        "jwks_uri": f"{url}/oauth/discovery/keys",
        "scopes_supported": ["api", "read_api", "read_user", "openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "password", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claim_types_supported": ["normal"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "sub_legacy", "name", "nickname"],
        "code_challenge_methods_supported": ["plain", "S256"],
    }


def _authorize(instance: Instance, params: Params, query: str, headers: Mapping[str, str]) -> Reply:
    cookies = SimpleCookie(headers.get("cookie", ""))
    session = cookies.get(SESSION_COOKIE)
    user = instance.state.browsers.get(session.value) if session else None
    if user is None or user.state != "active":
        return _redirect(f"/users/sign_in?return_to={quote(f'/oauth/authorize?{query}', safe='')}")
    application = instance.state.applications.get(params.get("client_id", ""))
    if application is None:
        return _page(401, "Client authentication failed due to unknown client.")
    # Never sent anywhere that was not registered, errors included.
    if params.get("redirect_uri") != application.redirect_uri:
        return _page(400, "The redirect URI included is not valid.")
    scopes = tuple(params.get("scope", "").split()) or application.scopes[:1]
    back: dict[str, str] = {"state": params["state"]} if "state" in params else {}
    if params.get("response_type") != "code":
        return _redirect(_with(application.redirect_uri, {"error": "unsupported_response_type"} | back))
    if not set(scopes) <= set(application.scopes):
        return _redirect(_with(application.redirect_uri, {"error": "invalid_scope"} | back))
    code = secrets.token_hex(32)
    instance.state.grants[code] = Grant(
        application,
        user,
        application.redirect_uri,
        scopes,
        params.get("nonce"),
        params.get("code_challenge"),
        params.get("code_challenge_method", "plain"),
        datetime.now(UTC),
    )
    return _redirect(_with(application.redirect_uri, {"code": code} | back))


def _sign_in(instance: Instance, method: str, params: Params) -> Reply:
    back = params.get("return_to", "/")
    name = params.get("username", "")
    user = next((one for one in instance.state.users.values() if one.username == name), None)
    if method == "POST" and user is not None and back.startswith("/oauth/authorize?"):
        session = secrets.token_hex(16)
        instance.state.browsers[session] = user
        cookie = f"{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax"
        return Reply(302, b"", {"Location": back, "Set-Cookie": cookie})
    return _page(
        200,
        "Sign in to the demonstration with a name alone.",
        f'<form method="post"><input type="hidden" name="return_to" value="{html.escape(back)}">'
        '<label>Username <input name="username" autocomplete="username"></label> <button>Sign in</button></form>',
    )


def _token(instance: Instance, params: Params, headers: Mapping[str, str]) -> Reply:
    application = _client(instance, params, headers)
    if application is None:
        return _error(401, "invalid_client", _INVALID_CLIENT)
    if params.get("grant_type") != "authorization_code":
        return _error(400, "unsupported_grant_type", "The authorization grant type is not supported.")
    grant = instance.state.grants.get(params.get("code", ""))
    if grant is None or not _redeemable(grant, application, params):
        return _error(400, "invalid_grant", _INVALID_GRANT)
    grant.used = True
    token = instance.tokens.create(grant.user, grant.scopes, None)
    shown = {
        "access_token": token.value,
        "token_type": "Bearer",
        "expires_in": _TOKEN_LIFE_S,
        "refresh_token": secrets.token_hex(32),
        "scope": " ".join(grant.scopes),
        "created_at": int(time.time()),
    }
    if "openid" in grant.scopes:
        shown["id_token"] = _id_token(instance, application, grant.user, grant.nonce)
    return Reply(200, shown, {"Cache-Control": "no-store"})


def _redeemable(grant: Grant, application: Application, params: Params) -> bool:
    ours = grant.application is application and params.get("redirect_uri") == grant.redirect_uri
    fresh = not grant.used and datetime.now(UTC) - grant.created_at < _CODE_LIFE
    return ours and fresh and _proved(grant, params.get("code_verifier"))


def _proved(grant: Grant, verifier: str | None) -> bool:
    if grant.challenge is None:
        return verifier is None
    if verifier is None:
        return False
    if grant.method == "plain":
        return verifier == grant.challenge
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode() == grant.challenge


def _id_token(instance: Instance, application: Application, user: User, nonce: str | None) -> str:
    now = int(time.time() + instance.state.ahead.total_seconds())
    claims: dict[str, Any] = {
        "iss": instance.state.url,
        "sub": str(user.id),
        "aud": application.id,
        "exp": now + _ID_TOKEN_LIFE_S,
        "iat": now,
        "auth_time": now,
        "sub_legacy": hashlib.sha256(str(user.id).encode()).hexdigest(),
        "name": user.name,
        "nickname": user.username,
        "preferred_username": user.username,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return jwt.encode({"alg": "RS256", "kid": _key().kid, "typ": "JWT"}, claims, _key())


def _revoke(instance: Instance, params: Params, headers: Mapping[str, str]) -> Reply:
    if _client(instance, params, headers) is None:
        return _error(403, "unauthorized_client", "You are not authorized to revoke this token")
    token = instance.state.tokens.get(params.get("token", ""))
    if token is not None:
        token.revoked = True
    return Reply(200, {})


def _client(instance: Instance, params: Params, headers: Mapping[str, str]) -> Application | None:
    name, secret = params.get("client_id", ""), params.get("client_secret", "")
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
    application = instance.state.applications.get(name)
    known = application is not None and hmac.compare_digest(application.secret.encode(), secret.encode())
    return application if known else None


def _error(status: int, code: str, description: str) -> Reply:
    return Reply(status, {"error": code, "error_description": description}, {"Cache-Control": "no-store"})


def _redirect(address: str) -> Reply:
    return Reply(302, b"", {"Location": address})


def _with(address: str, params: Params) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(params)}"


def _page(status: int, said: str, form: str = "") -> Reply:
    body = f"<!doctype html><html lang=en><title>GitLab</title><p>{html.escape(said)}</p>{form}"
    return Reply(status, body.encode(), _HTML)
