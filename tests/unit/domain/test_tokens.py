"""Estimates err on the side of too many tokens, whatever they learn."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.tokens import TokenGauge

TEXT = "x" * 3_000


def test_the_first_guess_is_cautious():
    """Code has about 3 to 4 bytes per token; 2.5 are assumed."""
    assert TokenGauge().estimate(TEXT) == 1_200


def test_counts_sharpen_the_estimate():
    """A fifth is kept as a margin, for text that is denser than what was seen."""
    gauge = TokenGauge()
    gauge.learn(TEXT, 750)

    assert gauge.estimate(TEXT) == 938


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
    """Between 1 and 3.5 bytes per token, and the least never above the estimate."""
    gauge = TokenGauge()
    for sample, tokens in learned:
        gauge.learn(sample * 100, tokens)

    size = len(text.encode("utf-8", "replace"))
    assert size / 3.5 <= gauge.estimate(text) <= size
    assert gauge.least(text) <= gauge.estimate(text)
