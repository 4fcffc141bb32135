"""Thoughts are kept apart from answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.thoughts import without_thoughts


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('<think>{"a": 0}</think>{"a": 1}', '{"a": 1}'),
        ('\n<think>\n\n</think>\n\n{"a": 1}', '\n\n{"a": 1}'),
        ('so, {"a": 0}?</think>{"a": 1}', '{"a": 1}'),
        ("<think>and on and on", ""),
        ('{"a": "</think>"}', '{"a": "</think>"}'),
        ('Here: {"a": 1}', 'Here: {"a": 1}'),
        ("", ""),
    ],
)
def test_only_what_comes_before_the_answer_is_taken_off(text: str, left: str):
    """Whether the template opened the thoughts or the model did; a quotation is none."""
    assert without_thoughts(text) == left


@given(st.dictionaries(st.text(), st.text()), st.text().filter(lambda text: "</think>" not in text))
def test_an_answer_comes_through_whole(answer: dict[str, str], thought: str):
    """Whatever it says, and whatever was thought before."""
    said = json.dumps(answer, ensure_ascii=False)

    assert without_thoughts(said) == said
    assert without_thoughts(f"<think>{thought}</think>{said}") == said
