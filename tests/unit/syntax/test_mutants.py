"""How code is broken on purpose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.syntax import Parser
from bot.syntax.mutating import mutants

PYTHON = b"""def clip(value, low=0):
    if value < low and value:
        return low
    return -value + 1 == 2
"""
CASES = [
    (
        "python",
        PYTHON,
        {
            ("number", "0 became 1 in line 1"),
            ("condition", "the condition in line 2 was negated"),
            ("operator", "< became <= in line 2"),
            ("operator", "and became or in line 2"),
            ("return", "returns None in line 3"),
            ("return", "returns None in line 4"),
            ("operator", "- became + in line 4"),
            ("operator", "+ became - in line 4"),
            ("number", "1 became 2 in line 4"),
            ("operator", "== became != in line 4"),
            ("number", "2 became 3 in line 4"),
        },
    ),
    (
        "typescript",
        b"function f(a: Map<string, number>): boolean { return a.size >= 1 || false; }\n",
        {
            ("return", "returns undefined in line 1"),
            ("operator", ">= became > in line 1"),
            ("number", "1 became 2 in line 1"),
            ("operator", "|| became && in line 1"),
            ("constant", "false became true in line 1"),
        },
    ),
    (
        "go",
        b"package a\nfunc F(p *int, n int) bool {\n\tif n > 3 {\n\t\treturn true\n\t}\n\treturn n != 0\n}\n",
        {
            ("condition", "the condition in line 3 was negated"),
            ("operator", "> became >= in line 3"),
            ("number", "3 became 4 in line 3"),
            ("constant", "true became false in line 4"),
            ("operator", "!= became == in line 6"),
            ("number", "0 became 1 in line 6"),
        },
    ),
    (
        "java",
        b"class A { int f(int a) { if (a < 3) { a++; } return a - 1; } }\n",
        {
            ("condition", "the condition in line 1 was negated"),
            ("operator", "< became <= in line 1"),
            ("number", "3 became 4 in line 1"),
            ("operator", "++ became -- in line 1"),
            ("operator", "- became + in line 1"),
            ("number", "1 became 2 in line 1"),
        },
    ),
]


@pytest.mark.parametrize(("language", "content", "expected"), CASES, ids=[case[0] for case in CASES])
def test_code_is_broken_where_it_decides(language: str, content: bytes, expected: set[tuple[str, str]]):
    """Conditions, operators, numbers, constants and results; not types, pointers and texts."""
    found = mutants(language, content, 1, 100)
    assert {(one.kind, one.change) for one in found} == expected
    assert len({one.applied(content) for one in found}) == len(found)


def test_only_the_lines_asked_for_are_touched():
    """What stands elsewhere stays."""
    assert {one.line for one in mutants("python", PYTHON, 3, 3)} == {3}
    assert mutants("python", PYTHON, 9, 12) == ()


def test_a_process_of_its_own_answers():
    """The same as in this one; where there is no grammar there are none."""
    parser = Parser()
    try:
        assert parser.mutants("a.py", PYTHON, 1, 4) == mutants("python", PYTHON, 1, 4)
        assert parser.parse("a.py", PYTHON) is not None
        assert parser.mutants("a.unknown", PYTHON, 1, 4) == ()
    finally:
        parser.close()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(-3, 9), st.integers(-3, 9))
def test_nothing_breaks_the_breaking(content: bytes, first: int, last: int):
    """Whatever a file holds, there are some places or none, all within it."""
    for one in mutants("javascript", content, first, last):
        assert 0 <= one.first <= one.end <= len(content)


def test_there_is_a_limit():
    """A huge function is not broken in every place."""
    assert len(mutants("python", b"x = [" + b"1 + 1, " * 20_000 + b"]\n", 1, 1)) == 200
