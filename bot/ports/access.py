"""Who may come in: people by a session, scripts by a token."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.api_tokens import ApiToken
from bot.domain.session import Session
from bot.domain.token_names import Scope
from bot.domain.viewer import Identity, Viewer


class Sessions(Protocol):
    """Remember who has signed in; every method raises ``Transient`` when the store is out of reach.

    Of secrets only hashes are kept. The caller says what time it is.
    """

    async def begin(self, viewer: Viewer, now: datetime, *, instead_of: str | None = None) -> str:
        """Return the id of a new session: 256 random bits.

        The session *instead_of* is over. If it was the same person's, the new one ends when that would have.
        """

    async def find(self, session_id: str, now: datetime) -> Session | None:
        """Return a session that is not over, and remember that it was used."""

    async def end(self, session_id: str) -> Viewer | None:
        """End a session and return whose it was, None if there is none."""

    async def make_link(self, now: datetime) -> str:
        """Return 256 random bits that sign in as the operator, once and soon."""

    async def use_link(self, secret: str, now: datetime) -> bool:
        """Say whether a link is good, and void it; of all who ask, one is told yes."""


class ApiTokens(Protocol):
    """Remember the tokens of scripts; every method raises ``Transient`` when the store is out of reach."""

    async def create(
        self,
        name: str,
        scopes: Collection[Scope],
        projects: Collection[int],
        now: datetime,
        expires_at: datetime,
        actor: str,
    ) -> str:
        """Return a new token, which nobody can see again; the audit log has it with *actor*.

        Raises:
            Refused: there is a valid one of this name.
        """

    async def list(self) -> list[ApiToken]:
        """Return all tokens, the newest first."""

    async def revoke(self, name: str, now: datetime, actor: str) -> None:
        """Make the token of this name void at once; the audit log has it with *actor*.

        Raises:
            Refused: there is no valid one.
        """

    async def viewer(self, token: str, now: datetime) -> Viewer | None:
        """Return who asks with *token*, None if it is not valid, and remember that it was used."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Hold what a sign-in that has begun must come back with; a browser keeps it, signed, until then."""

    state: str
    nonce: str
    verifier: str


class SignIn(Protocol):
    """Have the forge say who somebody is.

    Every method raises ``Transient`` when the forge is out of reach.
    """

    async def begin(self) -> tuple[str, Attempt]:
        """Return the address at the forge to send the browser to, and what to remember of it.

        Raises:
            Permanent: what answers there is not the forge that is configured.
        """

    async def finish(self, code: str, attempt: Attempt) -> Identity:
        """Return who came back with *code*; what the forge gave to find out is given back and forgotten.

        Raises:
            Refused: the code is not good, or what it stands for was not meant for us.
        """
