"""Who has a hand in the code of a merge request, besides whoever opened it: nobody lets own code pass alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from bot.domain.merge_request import Sha, Value

#: Heads that are remembered; hooks overtake each other by a few, not by more.
_MOST_HEADS: Final = 100
#: GitLab's own addresses for commits, https://docs.gitlab.com/user/profile/#use-an-automatically-generated-private-commit-email
_PRIVATE: Final = re.compile(r"(?P<id>[0-9]+)-[^@]+@users\.noreply\..+", re.IGNORECASE)
#: Several people's suggestions that are applied at once have them here alone, see
#: https://docs.gitlab.com/user/project/merge_requests/reviews/suggestions/#configure-the-commit-message-for-applied-suggestions
_CO_AUTHOR: Final = re.compile(
    r"^[ \t]*co-authored-by:([^<\n]*)(?:<([^>\n]*)>)?", re.IGNORECASE | re.MULTILINE
)


class Pushes(Value):
    """Hold what hooks have told of pushes to a merge request.

    ``by`` are the accounts that made them, whatever is left of what they pushed. ``told`` are heads of which we know
    who pushed them, ``untold`` those of which nobody has said: a hook was lost, or is on its way.
    """

    by: tuple[int, ...] = ()
    told: tuple[Sha, ...] = ()
    untold: tuple[Sha, ...] = ()

    def heard(self, head: Sha, by: int | None, before: Sha | None = None) -> Pushes:
        """Return them after *head* was pushed in the place of *before*; hooks may come late, and in any order."""
        told, untold = dict.fromkeys(self.told), dict.fromkeys(self.untold)
        if before is not None and before not in told:
            untold[before] = None
        if by is not None:
            told[head] = None
            untold.pop(head, None)
        elif head not in told:
            untold[head] = None
        people = dict.fromkeys([*self.by, *([by] if by is not None else [])])
        return Pushes(by=tuple(people), told=tuple(told)[-_MOST_HEADS:], untold=tuple(untold)[-_MOST_HEADS:])


@dataclass(frozen=True, slots=True)
class Signature:
    """Hold a name and an address as they stand in a commit; whoever commits chooses both."""

    name: str
    email: str


def co_authors(message: str) -> tuple[Signature, ...]:
    """Return whom the *message* of a commit names as its authors, besides the one that git knows."""
    return tuple(
        Signature((name or "").strip(), (email or "").strip()) for name, email in _CO_AUTHOR.findall(message)
    )


@dataclass(frozen=True, slots=True)
class Person:
    """Hold how an account may sign commits; ``emails`` are the addresses that everybody may know."""

    id: int
    names: Collection[str]
    emails: Collection[str]

    def signed(self, signature: Signature) -> bool:
        """Say whether *signature* may be this person's: the name is enough, since most addresses are private."""
        private = _PRIVATE.fullmatch(signature.email.strip())
        if private is not None and private["id"].isascii() and int(private["id"]) == self.id:
            return True
        return _plain(signature.email) in map(_plain, filter(None, self.emails)) or _plain(
            signature.name
        ) in map(_plain, filter(None, self.names))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
