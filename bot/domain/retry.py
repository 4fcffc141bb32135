"""Decide what follows when handling an event failed; carrying it out is the consume loop's job."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.errors import Blocked, CloisterError, Obsolete, Permanent, Transient
from bot.domain.events import UnknownEvent

#: Waits after the first, second, ... failure. The short ones pass in place, keeping the order of the key.
DELAYS_S = (0.3, 2.0, 15.0, 60.0, 600.0, 3600.0)

#: How often work that waits for the operator looks whether it can go on. It waits without end.
BLOCKED_S = 60.0

#: A wait up to this long is spent in place; longer ones go through the log so that others get their turn.
IN_PLACE_S = 5.0

#: The other side may ask for a wait up to this long: nobody waits for days because of a wrong clock.
MAX_ASKED_S = 3600.0

#: An event whose handling ended without an answer this often kills its process; it is parked.
MAX_CRASHES = 3

#: An event of a newer release waits this many times `BLOCKED_S` for the upgrade of its consumers.
MAX_UPGRADE_WAITS = 60

#: An unexpected exception is a bug of ours and rarely passes; it gets this many tries.
MAX_BUGS = 3


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after ``delay_s`` seconds."""

    delay_s: float

    @property
    def in_place(self) -> bool:
        """Say whether to wait in place rather than through the log."""
        return self.delay_s <= IN_PLACE_S


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Park the event; ``reason`` is for the operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Do nothing more: the work became pointless."""

    reason: str


Decision = Again | GiveUp | Drop


def decide(error: Exception, failures: int) -> Decision:
    """Return what to do after the handling failed for the *failures*-th time (1 for the first).

    A wait that the other side asked for is honoured when it is longer than ours, within reason.
    """
    if isinstance(error, Obsolete):
        return Drop(str(error))
    if isinstance(error, Permanent):
        return GiveUp(str(error))
    if isinstance(error, Blocked):
        return Again(BLOCKED_S)
    if isinstance(error, UnknownEvent):
        return Again(BLOCKED_S) if failures < MAX_UPGRADE_WAITS else GiveUp(str(error))
    if isinstance(error, Transient):
        if failures > len(DELAYS_S):
            return GiveUp(f"{error} (gave up after {failures} tries)")
        return Again(max(DELAYS_S[failures - 1], min(error.retry_after_s or 0.0, MAX_ASKED_S)))
    if failures >= MAX_BUGS:
        return GiveUp(f"unexpected {type(error).__name__}; see the log of this process")
    return Again(DELAYS_S[failures - 1])


def describe(error: Exception) -> str:
    """Return the text for people: our own messages are made for them, others are only named."""
    return (
        str(error)
        if isinstance(error, CloisterError | UnknownEvent)
        else f"unexpected {type(error).__name__}"
    )
