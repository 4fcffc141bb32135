"""An excerpt stands in for a file as far as it goes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.sparse_lines import SparseLines


@given(st.dictionaries(st.integers(1, 30), st.text(max_size=3)), st.integers(-40, 40), st.integers(-40, 40))
def test_slices_have_the_lines_that_are_known(known: dict[int, str], start: int, stop: int) -> None:
    """As of the whole list, without those in between that are not known; by number they are empty."""
    numbered = sorted(known.items())
    lines = SparseLines(numbered)
    every = list(range(1, (numbered[-1][0] if numbered else 0) + 1))
    assert len(every) == len(lines)
    assert [known[number] for number in every[start:stop] if number in known] == list(lines[start:stop])
    assert [known.get(number, "") for number in every] == [lines[number - 1] for number in every]
