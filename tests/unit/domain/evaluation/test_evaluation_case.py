"""What a case file says is checked before a review begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent
from bot.domain.evaluation.case import read_case

CLEAN = 'title = "t"\nlanguage = "go"\nclean = true\n'


def test_a_case_is_read() -> None:
    """With all that it may say."""
    case = read_case(
        b'title = "t"\ndescription = "d"\nlanguage = "c++"\n[[expected]]\npath = "a"\nlines = [1, 2]\n'
        b'keywords = ["leak"]\nseverity = "high"\n[[must_not_say]]\nwords = ["style"]\n'
        b'[git]\nrepository = "r.bundle"\nbase = "' + b"a" * 40 + b'"\nhead = "' + b"b" * 40 + b'"\n'
    )
    assert (("leak",), "high") == (case.expected[0].keywords, case.expected[0].severity)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff", "not UTF-8 at byte 0"),
        (b"title = ", "not TOML"),
        (b"x = " + b"[" * 5_000, "not"),
        (b"", "title: this key is missing"),
        (b'title = "t"\nlanguage = "go"\n', "say what a review has to find"),
        (CLEAN.encode() + b'[[expected]]\npath = "a"\nlines = [1, 1]\n', "a clean case expects nothing"),
        (CLEAN.encode() + b"typo = 1\n", "typo: a case has no such key"),
        (CLEAN.encode() + b'clean = "yes"\n', "not TOML"),
        (b'title = "t"\nlanguage = "Go lang"\nclean = true', "language: this is a word of small letters"),
        (b'title = "t"\nlanguage = "go"\n[[expected]]\npath = "a"\nlines = [2, 1]', "expected 1: lines names"),
        (b'title = "t"\nlanguage = "go"\n[[expected]]\npath = "a"\nlines = [0, 1]', "expected 1.lines 1: "),
        (b'title = "t"\nlanguage = "go"\n[[expected]]\npath = "a"\nlines = [1]', "expected 1.lines"),
        (b'title = "t"\nlanguage = "go"\n[[expected]]\npath = "a"\nlines = 1', r"expected 1.lines: .*\[12, 15\]"),
        (
            CLEAN.encode() + b'[git]\nrepository = "r"\nbase = "--upload-pack=x"\nhead = "HEAD"\n',
            r"git.base: .*and 1 more",
        ),
    ],
)
def test_a_broken_case_is_explained(text: bytes, reason: str) -> None:
    """The message names the key, and does not quote what may be somebody's code."""
    with pytest.raises(Permanent, match=reason):
        read_case(text)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """They are a case, or refused."""
    try:
        read_case(content)
    except Permanent as error:
        assert str(error)
