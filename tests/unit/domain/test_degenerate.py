"""A lost model is told from one that has little or much to say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.degenerate import balanced, degenerate, repeats


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it is empty"),
        (" \n\t", "it is empty"),
        ("{" + "\n" * 1_000, "it repeats itself"),
        ('{"findings": [' + '{"path": "a.py"}, ' * 100, "it repeats itself"),
        ("the loop is wrong because " * 40 + "the", "it repeats itself"),
        ("".join(f"{n}. the value is not checked before use here\n" for n in range(99)), "it repeats itself"),
        ('{"findings": [', "its JSON does not end"),
        ('{"findings": "a}', "its JSON does not end"),
        ('{"a": "\\"}', "its JSON does not end"),
    ],
)
def test_lost_answers_are_named(text: str, fault: str):
    """Silence, loops exact or counted, open brackets and open strings."""
    assert fault == degenerate(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"findings": []}',
        '{"findings": []}' + "\n" * 1_000,
        "No defects found.",
        '```json\n{"findings": []}\n``` and } more {',
        json.dumps({"findings": [{"replacement": "# " + "-" * 200 + "\n" + "x = [" * 3}]}),
        json.dumps(
            {"findings": [{"path": "a.py", "line": n, "title": f"Value {n} is lost"} for n in range(8)]}
        ),
    ],
)
def test_sound_answers_are_left_alone(text: str):
    """Rulers in code, prose, brackets in strings, and a list of alike findings."""
    assert degenerate(text) is None


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whole_json_is_balanced_and_half_of_an_object_is_not(value: object):
    """Brackets in strings do not count, escapes do."""
    text = json.dumps({"value": value}, ensure_ascii=False)

    assert balanced(text)
    assert not balanced(text[:-1])


@given(st.text(min_size=1, max_size=100))
def test_any_short_period_is_noticed(period: str):
    """Whatever is said over and over."""
    assert repeats(period * 400)
