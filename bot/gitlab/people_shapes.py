"""How GitLab shows accounts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, StrictInt

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

    def forge(self, access_level: int = 0) -> ForgeMember:  # type: ignore[override]
        """Return it as the port names it; who cannot sign in may do nothing."""
        able = self.state == "active" and not self.locked
        return ForgeMember(
            ForgeUser(self.id, self.username),
            access_level=access_level if able else 0,
            bot=bool(self.bot) or named_as_bot(self.username),
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
