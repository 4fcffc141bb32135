"""What rules may not ask of a backtracking engine."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scanners.regex_cost import dangers

EXPONENTIAL = [
    *(r"(a+)+", r"(a*)*b", r"(a|a)*", r"(.*)*", r"(.*,)*x", r"(\w+\s?)*$", r"(a?b?)*c", r"(?:a|ab|b)*c"),
    *(r"(\d+|\w+)+;", r"(a{1,30}){1,30}", r"(a{0,2})*c", r"(?i)(a|A)*b", r"(?=(a+)+)b", r"(?!(a|a)*b)c"),
    *(
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
        r"(?x) ( a+ )+ # why",
        '("[^"]*"|[^;])*;',
        r"(?<x>a+)+",
        r"((((a+)))+)",
    ),
    *(r"(?>(a+)+)b", r"(\x61|a)*b", r"(\Qa\E|[[:alpha:]])*b", r"(?i:(a|A)*)b", r"(é|[^a])*b"),
]
ADJACENT = [r"\s*\s*", r"\w*\d*x", r"foo.*\s*bar", r"a+(?:b)?[ab]+", r"\s*(?:#.*)?\s*x", r"[^;]*\s+;"]
OVER_LINES = [r"(?s)foo.*bar", r"[\s\S]*x", r"(?:.|\n)*x", r"(?s:.+)x", r"[^]x]*(?s).*", r"(?:[\d\D]+)x"]
UNCLEAR = [r"(?R)x", r"(?1)", r"(?(1)a|b)", r"(x", r"a)b", r"[a", "a\\", "(" * 100 + ")" * 100, "a" * 30_000]
FINE = [
    *(
        r"",
        r"|",
        r"(?:)*",
        r"^\s*$",
        r"(a+b)+",
        r"(a++)+b",
        r"(?>a+)+b",
        r"(a+?b)+",
        r"(\d{3})+x",
        r"a.*b.*c",
    ),
    *(r'"(?:[^"\\]|\\.)*"', r'(\\"|[^"\\])*x', r"(?:\s+\w+)*\s*;", r"(a{1,3}){2}", r"(?:\w{2}\s){0,5}"),
    *(
        r"(?s)foo.{0,200}bar",
        r"[[:alpha:]]+\d*",
        r"\Qa+b\E+x",
        r"a{,5}b{",
        r"(?<name>\w+)=\k<name>",
        r"[]a]+",
    ),
    *(r"\p{L}+-\d", r"[^]]+", r"[\w-]+", r"https?://[^\s\"]+", r"/\*(?:[^*]|\*(?!/))*\*/", r"(?i:a+)b"),
    *(r"(?m)^[ \t]*KEY_(ONE|TWO):\s*[\"']?(true|1)\b", r"x(?# a (comment)y", r"(*UTF)a+", r"(?s)a(?-s).*"),
    *(r"[0-9a-f]{64}", r"(?:a|b)*c", r"([a-z]+(-[a-z]+)*)", r"\cA+x", r"\x{1F600}+a", r"(?P<a>x)(?P=a)"),
]


@pytest.mark.parametrize("expression", EXPONENTIAL)
def test_exponential(expression: str):
    """A repetition that matches one text in two ways is refused, wherever it stands."""
    assert any("exponential" in danger for danger in dangers(expression))


@pytest.mark.parametrize("expression", ADJACENT)
def test_adjacent(expression: str):
    """Two repetitions that can share a run of characters are refused."""
    assert any("follow each other" in danger for danger in dangers(expression))


@pytest.mark.parametrize("expression", OVER_LINES)
def test_over_lines(expression: str):
    """A repetition that runs to the end of the file from wherever it begins is refused."""
    assert any("line ends included" in danger for danger in dangers(expression))


@pytest.mark.parametrize("expression", UNCLEAR)
def test_unclear(expression: str):
    """What cannot be judged is not passed as harmless."""
    assert any("cannot be told" in danger for danger in dangers(expression))


@pytest.mark.parametrize("expression", FINE)
def test_fine(expression: str):
    """Usual expressions are left alone."""
    assert dangers(expression) == []


def test_anchored_may_skip_once():
    """What is tried at one place only may skip anything once, in each of its alternatives, not twice."""
    assert dangers(r"(?s).*<[a-z]", anchored=True) == []
    assert dangers(r"(?s)^(a.*b|c.*d)", anchored=True) == []
    assert dangers(r"(?s).*<.*>", anchored=True)
    assert dangers(r"(?s)(.*<)+", anchored=True)


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", ".", "ab"]),
    lambda inner: st.one_of(
        st.builds("(?:{}{})".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,2}"])),
    ),
    max_leaves=6,
)


def test_what_passes_is_fast():
    """No expression that passes takes a backtracking engine for ever, whatever is repeated in front of it."""
    passed: set[tuple[str, str]] = set()

    @settings(max_examples=300)
    @given(EXPRESSIONS, st.sampled_from(["a", "b", "ab", "aab", "abb"]))
    def draw(expression: str, pump: str) -> None:
        if not dangers(expression):
            passed.add((expression, pump * (120 // len(pump)) + "!"))

    draw()
    # Not while they are drawn: what never ends would be tried again to be made smaller.
    for expression, text in passed:
        re.compile(f"(?:{expression})$").match(text)


@given(st.text(alphabet="ab()[]{}|*+?\\^$.,-:<>=!#sdwQEpxP1 \n", max_size=40))
def test_any_text_is_judged(expression: str):
    """Garbage is judged without an error."""
    dangers(expression)
