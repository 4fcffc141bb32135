"""Who may look at the pages: signing in with GitLab, and the roles that the operator gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bot.settings_sources import variable
from bot.settings_types import Token, is_loopback

if TYPE_CHECKING:
    from bot.settings import Settings


#: What GitLab takes for a user name, see
#: https://docs.gitlab.com/user/reserved_names/#limitations-on-usernames-project-and-group-names-and-slugs.
_USERNAME = re.compile(r"[a-z0-9_][a-z0-9_.-]*")


def _names(value: str | None) -> str | None:
    if value is None:
        return None
    names = usernames(value)
    if not names:
        msg = "holds separators only; give user names of GitLab"
        raise ValueError(msg)
    if wrong := sorted(name for name in names if not _USERNAME.fullmatch(name)):
        msg = f"{wrong[0]!r} is no user name of GitLab; separate names by commas, and leave the @ away"
        raise ValueError(msg)
    return value


def _client_id(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value):
        msg = "must be printable ASCII without white space; copy the application's id again"
        raise ValueError(msg)
    return value


ClientId = Annotated[
    Annotated[str, AfterValidator(_client_id)] | None,
    Field(
        description="Id of the application by which people sign in with GitLab. Unset: only a one-time link signs in.",
        examples=["5c8e..."],
    ),
]
ClientSecret = Annotated[
    Token | None, Field(description="Secret of that application.", examples=["gloas-..."])
]
Admins = Annotated[
    str | None,
    AfterValidator(_names),
    Field(
        description="User names on GitLab that may do everything here, separated by commas,"
        " besides GitLab's own administrators.",
        examples=["alice,bob"],
    ),
]
Auditors = Annotated[
    str | None,
    AfterValidator(_names),
    Field(
        description="User names on GitLab that may see everything here, separated by commas.",
        examples=["carol"],
    ),
]


def usernames(value: str | None) -> frozenset[str]:
    """Return the names in *value* in lower case: GitLab does not tell them apart by case."""
    return frozenset(name.strip().lower() for name in (value or "").split(",") if name.strip())


def problems(settings: Settings) -> Iterator[str]:
    """Yield a line for each reason why people could not sign in with GitLab as it is set."""
    given = [name for name in ("oauth_client_id", "oauth_client_secret") if getattr(settings, name)]
    if not given:
        return
    if len(given) == 1:
        other = "oauth_client_secret" if given == ["oauth_client_id"] else "oauth_client_id"
        yield f"{variable(other)}: is not set, but {variable(given[0])} is; set both or none"
    if settings.public_url is None:
        yield (
            "CLOISTER_PUBLIC_URL: is not set, but GitLab must know where to send browsers back to;"
            " set it like CLOISTER_PUBLIC_URL=https://cloister.example"
        )
        return
    parts = urlsplit(settings.public_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        yield "CLOISTER_PUBLIC_URL: signing in over plain http can be read on the network; give an https URL"
    if parts.path:
        yield "CLOISTER_PUBLIC_URL: cookies belong to a whole host; give a URL without a path to sign in there"
