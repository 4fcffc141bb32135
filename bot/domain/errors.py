"""Errors, grouped by what the caller can do about them.

    CloisterError
    ├── Transient    the same call may succeed later
    │   └── Blocked  it will, once the operator has acted
    ├── Permanent    the same call will never succeed
    │   └── Refused  the other side understood the request and said no
    └── Obsolete     a newer head, a merge or a close made the work pointless

Adapters translate vendor exceptions into these once, at their edge, with ``raise ... from``. The
consume loop alone decides what follows: retry, dead letter, or nothing.
"""

from __future__ import annotations


class CloisterError(Exception):
    """Carry a message that says what happened and what to do about it."""


class Transient(CloisterError):
    """Say that the same call may succeed later.

    Args:
        message: what happened.
        retry_after_s: seconds the other side asked us to wait, if it did.
        outcome_unknown: True when the request may have been carried out although no answer came,
            so that a repeat must first look for the effect.
    """

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, outcome_unknown: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.outcome_unknown = outcome_unknown


class Blocked(Transient):
    """Say that nothing of this sort can succeed until the operator acts, e.g. renews a revoked token.

    The work is kept: it goes on by itself afterwards. The message says what to do.
    """


class Permanent(CloisterError):
    """Say that repeating the call cannot help; the message names the remedy."""


class Refused(Permanent):
    """Say that the other side understood the request and declined it."""


class Obsolete(CloisterError):
    """Say that the work is pointless now: a newer head won, or the merge request is closed."""
