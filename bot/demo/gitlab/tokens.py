"""Who a request comes from."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from bot.demo.gitlab.accounts import Token, User
from bot.demo.gitlab.errors import ApiError, message
from bot.demo.gitlab.state import State

_SCOPES_TO_READ = frozenset({"api", "read_api"})


class Tokens:
    """Make tokens and check them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def create(self, user: User, scopes: Iterable[str], expires_at: date | None) -> Token:
        """Return a new token of *user*."""
        value = f"glpat-{secrets.token_urlsafe(15)}"
        token = Token(self._state.next_id(), value, user, tuple(scopes), expires_at)
        self._state.tokens[value] = token
        return token

    def find(self, value: str) -> Token | None:
        """Return the token if it is valid now."""
        token = self._state.tokens.get(value)
        expired = token is not None and token.expires_at and token.expires_at <= datetime.now(UTC).date()
        return None if token is None or token.revoked or expired else token

    def authenticate(self, method: str, headers: Mapping[str, str]) -> Token:
        """Return the token of an API request.

        Raises:
            ApiError: there is none, it is not valid, or its scopes do not reach.
        """
        value = headers.get("private-token", "")
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if not value and kind.lower() == "bearer":
            value = bearer.strip()
        known = self._state.tokens.get(value)
        if known is None:
            raise message(401, "401 Unauthorized")
        if known.revoked:
            raise _invalid("Token was revoked. You have to re-authorize from the user.")
        if self.find(value) is None:
            raise _invalid("Token is expired. You can either do re-authorization or token refresh.")
        needed = _SCOPES_TO_READ if method in ("GET", "HEAD") else frozenset({"api"})
        if not needed & set(known.scopes):
            raise ApiError(
                403,
                {
                    "error": "insufficient_scope",
                    "error_description": "The request requires higher privileges than provided by the access token.",
                    "scope": " ".join(sorted(needed)),
                },
            )
        return known


def _invalid(description: str) -> ApiError:
    return ApiError(401, {"error": "invalid_token", "error_description": description})
