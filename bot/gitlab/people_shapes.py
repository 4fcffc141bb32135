"""How GitLab shows accounts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, StrictInt

from bot.domain.authorship import Person, Signature, co_authors
from bot.domain.forge import ForgeMember, ForgeUser, named_as_bot
from bot.domain.merge_request import Value

#: Who the comments of deleted accounts belong to. See https://docs.gitlab.com/user/profile/account/delete_account/
_GHOST_NAME = re.compile(r"ghost\d*", re.IGNORECASE)
#: What cannot be a name is none: no comment must be lost for it.
Name = Annotated[str, BeforeValidator(lambda value: value if isinstance(value, str) else "")]


class User(Value):
    """An account."""

    id: StrictInt
    username: str

    def forge(self) -> ForgeUser:
        """Return it as the port names it."""
        return ForgeUser(self.id, self.username)


class Account(User):
    """An account as its own address shows it; ``state`` is active, blocked, deactivated, ..."""

    state: str = "active"
    locked: bool | None = False
    bot: bool | None = False
    name: str | None = None
    public_email: str | None = None

    def person(self) -> Person:
        """Return how the account may sign commits."""
        return Person(self.id, {self.username, self.name or ""}, {self.public_email or ""})

    @property
    def able(self) -> bool:
        """Say whether it can sign in."""
        return self.state == "active" and not self.locked

    def forge(self, access_level: int = 0) -> ForgeMember:  # type: ignore[override]
        """Return it as the port names it; who cannot sign in may do nothing."""
        return ForgeMember(
            ForgeUser(self.id, self.username),
            access_level=access_level if self.able else 0,
            bot=bool(self.bot) or named_as_bot(self.username),
        )


class SignedCommit(Value):
    """A commit of a merge request, as far as it says who made it."""

    author_name: str | None = None
    author_email: str | None = None
    committer_name: str | None = None
    committer_email: str | None = None
    message: str | None = None

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Return who wrote and who committed it, as it says itself."""
        return (
            Signature(self.author_name or "", self.author_email or ""),
            Signature(self.committer_name or "", self.committer_email or ""),
            *co_authors(self.message or ""),
        )


class SignedIn(Account):
    """The account that asks; only administrators are told that they are, and auditors too where they are told at all."""

    is_admin: bool | None = False
    is_auditor: bool | None = False


class Author(Value):
    """Who wrote or does something, or is to do it."""

    id: int
    username: str = ""
    name: Name = ""

    @property
    def account(self) -> int:
        """Return its number, 0 for the ghost, which stands for all whose accounts are gone."""
        return 0 if _GHOST_NAME.fullmatch(self.username) else self.id

    @property
    def bot(self) -> bool:
        """Say whether it is named like the account of a token or a service; that is all a list tells."""
        return bool(self.account) and named_as_bot(self.username)
