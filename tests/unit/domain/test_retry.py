"""What follows when handling an event failed."""

import pytest

from bot.domain.errors import Blocked, Obsolete, Permanent, Transient
from bot.domain.retry import (
    BLOCKED_S,
    DELAYS_S,
    MAX_ASKED_S,
    MAX_BUGS,
    Again,
    Drop,
    GiveUp,
    decide,
    describe,
)


@pytest.mark.parametrize("failures", range(1, len(DELAYS_S) + 1))
def test_what_may_pass_is_tried_again_ever_later(failures: int) -> None:
    """Each failure waits longer than the one before."""
    assert decide(Transient("busy"), failures) == Again(DELAYS_S[failures - 1])


def test_short_waits_keep_the_order_long_ones_let_others_pass() -> None:
    """Only waits of some seconds are spent in place."""
    assert [Again(delay).in_place for delay in DELAYS_S] == [True, True, False, False, False, False]


def test_a_wait_that_was_asked_for_is_honoured() -> None:
    """The other side's wait counts when it is longer than ours."""
    assert decide(Transient("slow down", retry_after_s=42.0), 1) == Again(42.0)
    assert decide(Transient("slow down", retry_after_s=0.01), 1) == Again(DELAYS_S[0])
    assert decide(Transient("slow down", retry_after_s=float("inf")), 1) == Again(MAX_ASKED_S)


def test_gives_up_in_the_end() -> None:
    """After the last wait the reason goes to the operator."""
    decision = decide(Transient("busy"), len(DELAYS_S) + 1)
    assert isinstance(decision, GiveUp)
    assert "busy" in decision.reason


def test_what_cannot_succeed_is_given_up_at_once() -> None:
    """A permanent error is not repeated."""
    assert decide(Permanent("no access"), 1) == GiveUp("no access")


def test_what_waits_for_the_operator_waits_without_end() -> None:
    """A revoked token loses no work."""
    assert decide(Blocked("renew the token"), 1000) == Again(BLOCKED_S)


def test_pointless_work_is_dropped() -> None:
    """A newer head needs no retry and no dead letter."""
    assert decide(Obsolete("newer head"), 1) == Drop("newer head")


def test_a_bug_gets_few_tries_and_its_text_stays_inside() -> None:
    """The text of an unexpected exception may hold somebody's code; only its type is told."""
    assert decide(KeyError("password"), 1) == Again(DELAYS_S[0])
    decision = decide(KeyError("password"), MAX_BUGS)
    assert isinstance(decision, GiveUp)
    assert "password" not in decision.reason + describe(KeyError("password"))
