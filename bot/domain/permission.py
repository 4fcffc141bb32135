"""Who may give us which command, as the policy of the target branch says."""

from __future__ import annotations

from bot.domain.commands import Verb
from bot.domain.forge import ForgeMember
from bot.domain.policy import Conversation, Role

#: What whoever takes part in a merge request may ask, whatever the role: it changes nothing.
_OPEN_TO_PARTICIPANTS = frozenset({Verb.review, Verb.explain, Verb.help})


def needed(verb: Verb, policy: Conversation) -> Role:
    """Return the least role for *verb*."""
    match verb:
        case Verb.help:
            return Role.reporter
        case Verb.pause | Verb.resume:
            return policy.pause
    role: Role = getattr(policy, verb.value)
    return role


def permitted(verb: Verb, member: ForgeMember, policy: Conversation, *, participant: bool) -> bool:
    """Say whether *member* may give the command *verb*; *participant* is one of the merge request's own people."""
    role = needed(verb, policy)
    if role is Role.nobody:
        return False
    return member.access_level >= role.access_level or (participant and verb in _OPEN_TO_PARTICIPANTS)
