"""Whatever a model says, its list is found, or it is an unusable answer."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.said import Said, UnusableAnswer, clean, said

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(values, max_size=5),
    st.dictionaries(st.text(max_size=5).filter(lambda key: key != "items"), values, max_size=3),
)
def test_a_whole_answer_is_taken_as_it_is(items: list[Any], rest: dict[str, Any]) -> None:
    """The list, and what stands beside it."""
    whole = {"items": items} | rest
    assert said(f"Well: {json.dumps(whole)}", "items") == Said(items, whole)


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.integers() | st.text(), min_size=1), min_size=2, max_size=5
    ),
    st.data(),
)
def test_an_answer_cut_anywhere_keeps_what_was_whole(
    items: list[dict[str, Any]], data: st.DataObject
) -> None:
    """A beginning of the list, never something else."""
    text = json.dumps({"items": items})
    cut = data.draw(st.integers(len(json.dumps({"items": items[:1]})), len(text) - 1))
    found = said(text[:cut], "items")
    assert not found.complete
    assert found.items == items[: len(found.items)]
    assert found.items


@given(st.text(st.sampled_from('{}[]":,items1 \\'), max_size=60))
def test_nonsense_is_an_unusable_answer_or_a_list(text: str) -> None:
    """No text makes it fail otherwise."""
    with contextlib.suppress(UnusableAnswer):
        assert isinstance(said(text, "items").items, list)


@pytest.mark.parametrize(
    "text", ['{"items": [', '{"items": [1, 2', '{"other": [{"a": 1}', "items: [{}]", '{"items": [' * 50_000]
)
def test_a_beginning_without_a_whole_item_is_unusable(text: str) -> None:
    """There is nothing in it to go by."""
    with pytest.raises(UnusableAnswer):
        said(text, "items")


def test_a_cut_text_says_so() -> None:
    """Control characters are gone, the end is marked."""
    assert clean("a\x00b\ud800 c\n", 10) == "ab c"
    assert clean("abcdef", 4) == "abc…"
