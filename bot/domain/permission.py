"""Who may give us which command, as the policy of the target branch says."""

from __future__ import annotations

from bot.domain.commands import Verb
from bot.domain.forge import ForgeMember
from bot.domain.policy import Conversation, Role, Waivers

#: What whoever takes part in a merge request may ask, whatever the role: it changes nothing. To ask for a waiver is
#: not to grant it.
_OPEN_TO_PARTICIPANTS = frozenset({Verb.review, Verb.explain, Verb.waive, Verb.unwaive, Verb.help})
_WAIVERS = Waivers()


def needed(verb: Verb, policy: Conversation, waivers: Waivers = _WAIVERS) -> Role:
    """Return the least role for *verb*; of waivers, for asking for one."""
    match verb:
        case Verb.help:
            return Role.reporter
        case Verb.pause | Verb.resume:
            return policy.pause
        case Verb.waive | Verb.unwaive if waivers.grant is Role.nobody:
            return Role.nobody
        case Verb.waive | Verb.unwaive:
            return min(waivers.ask, waivers.grant, key=lambda one: one.access_level)
    role: Role = getattr(policy, verb.value)
    return role


def permitted(
    verb: Verb,
    member: ForgeMember,
    policy: Conversation,
    *,
    participant: bool,
    waivers: Waivers = _WAIVERS,
) -> bool:
    """Say whether *member* may give the command *verb*; *participant* is one of the merge request's own people."""
    role = needed(verb, policy, waivers)
    if role is Role.nobody:
        return False
    return member.access_level >= role.access_level or (participant and verb in _OPEN_TO_PARTICIPANTS)
