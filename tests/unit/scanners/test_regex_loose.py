"""Expressions that match more than they did, and never less."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import hyperscan
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.scanners.regex_loose import loosened
from bot.scanners.semgrep_rules import Pack


def found(expression: bytes, text: bytes) -> bool:
    """Say whether Hyperscan finds *expression*; a match that ends with the text may escape it."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=[expression], ids=[0], flags=[hyperscan.HS_FLAG_SINGLEMATCH])
    hits: list[int] = []
    database.scan(text + b"\n", match_event_handler=lambda number, *_: hits.append(number))
    return bool(hits)


@pytest.mark.parametrize(
    ("expression", "loose"),
    [
        (r"eval\(", rb"\x65\x76\x61\x6c\x28"),
        (r"(?m)^[ \t]{0,9}ab\b.*$", rb"\x61\x62"),
        (r"a[^\n]{0,300}b", rb"\x61[\x00-\x09\x0b-\x7f\x80-\xff]*\x62"),
        (r"(?i)ab", rb"[\x41\x61][\x42\x62]"),
        (r"(x?a|b)c{2,4}", rb"(?:\x78*\x61|\x62)\x63+"),
        (r"a(?=b)(?!c)(?<!d)e", rb"\x61\x65"),
        (r"(a)b\1c", rb"\x61\x62[\x00-\x7f\x80-\xff]*\x63"),
        (r"a{0}b", rb"\x62"),
        (r"(?<=ab)(?<!c)[^\n]*", rb"\x61\x62"),
        (r"x?(?<=a)x?b", rb"\x61\x78*\x62"),
        (r"a(?=b)", rb"\x61\x62"),
        (r"(?=a)b?", rb"\x61"),
    ],
)
def test_what_is_left(expression: str, loose: bytes):
    """Only what every match must hold, in order, without bounds and anchors."""
    assert loosened(expression) == loose


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "",
            "a*",
            "a|",
            "(?!a)",
            r"[^\n]*",
            r"(?R)",
            r"(?(1)a|b)",
            r"a(*ACCEPT)b",
            r"a\Rb",
            r"\X",
            "(",
            "a)",
        ),
        "x" * 9_000,
    ],
)
def test_what_is_in_every_text_or_not_understood(expression: str):
    """Then every text may match."""
    assert loosened(expression) is None


PIECES = st.sampled_from(
    [
        *("a", "b", "ab", "é", ".", r"\w", r"\s", r"\d", "[ab]", "[^a]", r"[^\n]", r"\W", r"\b", "^", "$"),
        *(
            "(?i:aB)",
            "(a|b)",
            "(?:ab|c)",
            "(?=a)",
            "(?!a)",
            "(?<=a)",
            "(?<!a)",
            "(a)",
            r"\.",
            "a{2}",
            "a{0,2}",
        ),
        *("[a-c]{1,3}", "(?>ab)", "a++", "(?i:s)", "[^b-é]"),
    ]
)
EXPRESSIONS = st.recursive(
    PIECES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "{2}"])).map(
            lambda one: f"(?:{one[0]}){one[1]}"
        ),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, st.text("abcAB é.1\n", max_size=10), st.booleans())
def test_every_match_is_found(expression: str, text: str, again: bool):
    """Where an expression matches, what is left of it does; also where it asks for the same once more."""
    expression = rf"(a|b){expression}\1" if again else expression
    loose = loosened(expression)
    if loose is not None and re.search(expression, text, re.MULTILINE):
        assert found(loose, text.encode())


def expressions_of_rules() -> list[str]:
    """Return the expressions of the shipped rules that Python can read as well."""
    texts: set[str] = set()

    def collect(value: object, key: str = "") -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                collect(inner, str(name))
        elif isinstance(value, list):
            for inner in value:
                collect(inner, key)
        elif key in ("pattern-regex", "regex"):
            texts.add(str(value))

    for rule in Pack(Path(__file__).parents[3] / "rules").by_id.values():
        collect(rule.body)
    return sorted(text for text in texts if loosened(text) and readable(text))


def readable(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(text)
    except (re.error, FutureWarning, DeprecationWarning):
        return False
    return True


RULES = expressions_of_rules()


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.sampled_from(RULES), st.data())
def test_matches_of_the_shipped_rules_are_found(expression: str, data: st.DataObject):
    """What a shipped expression matches is found by what is left of it."""
    text = data.draw(st.from_regex(re.compile(expression, re.ASCII)))
    loose = loosened(expression)
    assert loose is not None
    assert found(loose, text.encode("utf-8", "replace"))


def test_most_expressions_of_the_shipped_rules_are_of_use():
    """Those that would be in every text do not narrow anything down."""
    assert len(RULES) > 100
