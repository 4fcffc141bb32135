"""Rules fall silent at exactly the counts that chance excludes, for a while, and never for what must be heard."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evaluation.intervals import Share
from bot.domain.findings import Finding, Severity
from bot.domain.labels import Label
from bot.domain.quiet.muting import (
    MUTED_FOR,
    Board,
    Mute,
    Outcome,
    Override,
    Scope,
    Subject,
    acceptance,
    decide,
    explored,
    subjects,
    unwanted,
    wanted,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RULE = Subject("group", Scope.rule, "semgrep", "python-eval")


def finding(**values: Any) -> Finding:
    """Return a finding that may be muted."""
    usual = {"scanner": "semgrep", "rule": "python-eval", "category": "security", "severity": Severity.high}
    place = {"path": "a.py", "line": 1, "end_line": 1, "title": "t", "message": "m", "fingerprint": "f0"}
    return Finding.model_validate({**usual, **place, **values})


def outcomes(accepted: int, of: int, at: datetime = NOW - DAY) -> list[Outcome]:
    """Return what became of comments."""
    return [Outcome(Label.accepted_weak if n < accepted else Label.rejected_strong, at) for n in range(of)]


@pytest.mark.parametrize(("accepted", "of"), [(0, 12), (1, 19), (2, 25), (3, 31), (5, 43)])
def test_the_counts_at_which_a_rule_is_muted(accepted: int, of: int) -> None:
    """One comment fewer is not enough, nor is one more accepted."""
    assert decide(RULE, outcomes(accepted, of), now=NOW) is not None
    assert decide(RULE, outcomes(accepted, of - 1), now=NOW) is None
    assert decide(RULE, outcomes(accepted + 1, of), now=NOW) is None


@given(st.integers(0, 200), st.integers(0, 200))
def test_rejections_only_ever_lead_towards_a_mute(accepted: int, more: int) -> None:
    """And acceptance away from it; nothing is both wanted and unwanted."""
    share = Share(accepted, accepted + more)
    assert not unwanted(share) or unwanted(Share(accepted, accepted + more + 1))
    assert not wanted(share) or wanted(Share(accepted + 1, accepted + more + 1))
    assert not (wanted(share) and unwanted(share))


def test_silence_counts_against_a_rule_and_censored_comments_not_at_all() -> None:
    """Acceptance is a share of those who had the choice."""
    silent = [Outcome(Label.unknown, NOW)] * 12
    assert Share(0, 12) == acceptance([*silent, *[Outcome(Label.censored, NOW)] * 50])
    assert Share(1, 13) == acceptance([*silent, Outcome(Label.accepted_strong, NOW)])
    assert decide(RULE, [], now=NOW) is None


def test_a_mute_ends_and_only_what_came_since_then_can_renew_it() -> None:
    """While it holds it stays as it was made."""
    old = outcomes(0, 12)
    mute = decide(RULE, old, now=NOW)
    assert mute is not None
    assert decide(RULE, [*old, *outcomes(5, 5, NOW + DAY)], now=NOW + DAY, last=mute) == mute
    after = NOW + MUTED_FOR
    assert decide(RULE, old, now=after, last=mute) is None
    again = decide(RULE, [*old, *outcomes(0, 12, NOW + DAY)], now=after, last=mute)
    assert again == Mute(RULE, after, after + MUTED_FOR, Share(0, 12))


def test_a_tech_lead_decides_both_ways() -> None:
    """Against the figures, for as long as they say, and the count begins anew with it."""
    said = Override(muted=False, at=NOW - DAY / 2, by=5, until=NOW + DAY)
    mute = Mute(RULE, NOW - DAY, NOW + 9 * DAY, Share(0, 12))
    assert decide(RULE, outcomes(0, 50), now=NOW, last=mute, override=said) is None
    assert decide(RULE, outcomes(0, 50), now=NOW + 2 * DAY, last=mute, override=said) is None
    assert decide(RULE, outcomes(0, 12, NOW), now=NOW + 2 * DAY, last=mute, override=said) is not None
    silence = Override(muted=True, at=NOW, by=5, reason="we have our own")
    forced = decide(RULE, outcomes(9, 9), now=NOW, override=silence)
    assert forced is not None
    assert (5, None, True) == (forced.by, forced.until, forced.holds(NOW + 999 * DAY))
    tomorrow = Override(muted=True, at=NOW + DAY, by=5)
    assert decide(RULE, outcomes(9, 9), now=NOW, override=tomorrow) is None


def test_one_finding_of_twenty_is_explored_always_the_same() -> None:
    """Whichever subject is muted."""
    marks = [uuid.UUID(int=number).hex for number in range(10_000)]
    said = [mark for mark in marks if explored(RULE, mark)]
    assert 400 < len(said) < 600
    assert said == [mark for mark in marks if explored(RULE, mark)]
    other = Subject("other", Scope.rule, "semgrep", "python-eval")
    assert said != [mark for mark in marks if explored(other, mark)]


def muting(subject: Subject) -> Board:
    """Return a board with one mute."""
    return Board("group", {subject: Mute(subject, NOW, NOW + MUTED_FOR, Share(0, 12))})


def test_what_must_be_heard_is_heard() -> None:
    """Critical findings and secrets, whatever is muted; and what is explored."""
    quiet = "f1"
    assert muting(RULE).mute_of(finding(fingerprint=quiet)) is not None
    assert muting(RULE).mute_of(finding(fingerprint=quiet, severity=Severity.critical)) is None
    for secret in ({"category": "secret"}, {"scanner": "secrets"}):
        heard = finding(fingerprint=quiet, **secret)
        assert [None] * 2 == [muting(subject).mute_of(heard) for subject in subjects("group", heard)]
    loud = next(mark for mark in map(str, range(1000)) if explored(RULE, mark))
    assert muting(RULE).mute_of(finding(fingerprint=loud)) is None


def test_a_category_is_of_one_scanner_and_spares_proven_rules() -> None:
    """What a model says of security says nothing about a scanner's rules."""
    category = Subject("group", Scope.category, "semgrep", "security")
    board = muting(category)
    assert board.mute_of(finding()) is not None
    assert board.mute_of(finding(scanner="model", rule="anything")) is None
    assert Board("group", board.mutes, frozenset({RULE})).mute_of(finding()) is None
    assert Board("elsewhere", board.mutes).mute_of(finding()) is None
    assert [Scope.category] == [one.scope for one in subjects("group", finding(scanner="model"))]


def test_what_a_tech_lead_wants_said_no_figures_silence() -> None:
    """Whichever is the narrower; what a tech lead mutes within it is muted."""
    category = Subject("group", Scope.category, "semgrep", "security")
    heard = finding(fingerprint="f1")
    for muted, said in ((RULE, category), (category, RULE), (RULE, RULE)):
        mutes = muting(muted).mutes
        assert Board("group", mutes).mute_of(heard) is not None
        assert Board("group", mutes, said=frozenset({said})).mute_of(heard) is None
    by_lead = {RULE: Mute(RULE, NOW, None, by=5)}
    assert Board("group", by_lead, said=frozenset({category})).mute_of(heard) is not None


def test_a_mute_explains_itself() -> None:
    """With the figures, the end, or the person's reason."""
    figures = Mute(RULE, NOW, NOW + MUTED_FOR, Share(1, 19))
    assert figures.explanation == (
        "the rule semgrep/python-eval is muted until 2026-07-01: 1 of 19 comments were accepted"
    )
    by_lead = Mute(RULE, NOW, None, by=5, reason="we have our own")
    assert "until somebody lifts it: we have our own" in by_lead.explanation
