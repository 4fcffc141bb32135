"""Estimates err on the side of too many tokens, whatever they learn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.tokens import TokenGauge

TEXT = "x" * 3_000


def test_the_first_guess_is_cautious():
    """Code has about 3 to 4 bytes per token; 2.5 are assumed."""
    assert TokenGauge().estimate(TEXT) == 1_200


@pytest.mark.parametrize(
    ("counted", "estimated"),
    [(700, 1_200), (1_000, 1_200), (1_200, 1_500), (1_500, 2_000), (2_000, 3_000), (4_000, 3_000)],
)
def test_denser_text_than_assumed_is_learned_in_steps(counted: int, estimated: int):
    """With a margin; what most models count changes nothing, so that prompts come out the same again."""
    gauge = TokenGauge()
    gauge.learn(TEXT, counted)

    assert gauge.estimate(TEXT) == estimated


def test_bytes_count_not_characters():
    """Text outside of ASCII has more tokens for its length."""
    assert TokenGauge().estimate("中" * 100) == 120


def test_the_least_is_far_below_what_is_counted_but_above_half():
    """Truncation, which leaves half at most, shows; a change of style does not."""
    gauge = TokenGauge()
    gauge.learn(TEXT, 1_200)

    assert 600 < gauge.least(TEXT) < 1_000


@given(st.lists(st.tuples(st.text(), st.integers())), st.text())
def test_nothing_learned_leads_far_astray(learned: list[tuple[str, int]], text: str):
    """Between 1 and 2.5 bytes per token, and the least never above the estimate."""
    gauge = TokenGauge()
    for sample, tokens in learned:
        gauge.learn(sample * 100, tokens)

    size = len(text.encode("utf-8", "replace"))
    assert size / 2.5 <= gauge.estimate(text) <= size
    assert gauge.least(text) <= gauge.estimate(text)
