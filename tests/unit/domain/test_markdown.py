"""Text from outside cannot act, whatever it contains."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.markdown import (
    cell,
    code_block,
    code_span,
    neutral,
    neutral_inline,
    one_line,
    starts_quick_action,
    visible,
)

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_QUICK_ACTION = re.compile(r"^/[A-Za-z]", re.MULTILINE)
_REFERENCE = re.compile(
    r"@\w|(?<!\w)[#!~%&^$]\d|~[\"\w]|%[\"\w]|\w/[\w/-]+(?:[#!&$]\d|>)|\[\w+:|[A-Z]{2,}-\d|://|www\.|\w@\w"
    r"|\b[0-9a-f]{7,40}\b|:\w+:|\[\[|\[TOC\]|\{[+-]|\$\S",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f\r\v\f\x85\u2028\u2029]"
)

ATTACKS = [
    "/close",
    "fine\r/merge",
    "fine\n\u200b/approve",
    "\x85/close\u2028/merge\u2029/approve\v/close\f/close",
    "/\u200bclose",
    "/\rclose",
    "```\n/close\n```",
    "~~~\n/MERGE\n~~~",
    "````\n```\n/close\n```\n````",
    "```\n/close",
    "``` `x`\n/close\n```",
    "> ```\n/close\n> ```",
    "- a\n\n  ```\n/close\n  ```",
    "<!--\n-->\n/close",
    "<details>\n/close\n</details>",
    "`a\n/close\nb`",
    "``` suggestion:-0+0\nrm -rf\n```",
    "```suggestion\nx\n```",
    "````suggestion\n```suggestion\nx\n```\n````",
    "```mermaid\ngraph TD\n```",
    "```math\n\\href{javascript:x}{y}\n```",
    "<!-- cloister:v1:abc:" + "0" * 64 + " -->",
    "text <!-- hidden --> text <script>alert(1)</script> <img src=x>",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "[x][y]\n\n[y]: https://evil.example",
    "[x]: <https://evil.example> 'title'\n\n[x]",
    "[^1]\n\n[^1]: note",
    "<https://evil.example>",
    "https://evil.example www.evil.example evil.example/x ftp://x mailto:a@b.c a@b.example",
    "@all @group/sub, (@root) '@x' @`x` `@`x",
    '#1 !1 ~bug ~"two words" %milestone %"x y" &1 $1 ^alert#1 group/project#1 group/project!2 a/b>',
    "[vulnerability:1] [issue:a/b/1] GL-1 CVE-2024-1 deadbeef deadbee...cafebabe *iteration:1",
    "Title\n===\n\nTitle\n---\n\n# Title #\n\n## @all",
    ">>>\n@all\n>>>",
    "---\ntitle: x\n---\n",
    "+++\nx\n+++",
    ";;;\nx\n;;;",
    "[TOC]\n\n[[_TOC_]]",
    "| a | b |\n|---|---|\n| @all | /close |",
    "a | b\n--- | ---\n@all | !1",
    "::include{file=/etc/passwd}",
    "$`x`$ $$x$$ $x$ `x`$ $",
    ":tada: :custom_emoji:",
    "&lt;script&gt; &#64;all &commat;all",
    "\\@all \\/close \\`@all\\`",
    "*a **b* c** __d__ _e_ ~~f~~ **@all** **/close** **x**@all gro**up**/p#1",
    "{+ added +} [- removed -] {: .class}",
    "    /close\n\t@all",
    "- /close\n- @all\n  - !1\n\n1) /close\n* \n-",
    "- - - -\n* * *\n___",
    "GL-` `1 @` `all #` `1",
    "`` ` `` ``x` `y``",
    "a\u202eb\u2066c\u2069\U000e0041\ufeff\u3164",
    "x\ud800y",
    # Words of Chinese end without a space, so code may come to stand beside code.
    "[a](http://e)a中[issue:3]@```",
    "#7![x](//e/x)`（::a@b.cc<details>)",
    "``中文www.e.x~bug!12",
    "``a@b.cc$5<br>%{。$5",
    "`x`deadbeef1",
]
_FRAGMENTS = st.sampled_from(
    [
        *ATTACKS,
        "\n",
        "\r",
        "`",
        "``",
        "```",
        "~~~",
        "/close",
        "@all",
        "<",
        "[",
        "](x)",
        "**",
        " ",
        "    ",
        "\\",
        "x",
        "-",
        "中",
        "（",
        "。",
    ]
)
hostile = st.one_of(
    st.text(),
    st.text(alphabet="/aZ\n\r`~<>@#!$%&[](){}*_-=+:;|\\ 1x\"'.\u200b\u2028\x85中（。"),
    st.lists(_FRAGMENTS, max_size=12).map("".join),
)


def flat(tokens: list[Token]) -> list[Token]:
    """Return all tokens, children after their parents."""
    return [found for token in tokens for found in (token, *flat(token.children or []))]


def assert_inert(markdown: str) -> None:
    """Check what every text that we post promises."""
    assert _QUICK_ACTION.search(markdown.replace("\r", "")) is None
    assert all(not _QUICK_ACTION.match(line) for line in markdown.splitlines())
    assert _INVISIBLE.search(markdown) is None
    markdown.encode()
    tokens = flat(_PARSER.parse(markdown))
    acting = {"link_open", "image", "html_inline", "html_block", "table_open", "heading_open", "hr", "s_open"}
    assert {token.type for token in tokens} & acting == set()
    assert [
        token.info for token in tokens if token.type == "fence" and not re.fullmatch("[a-z]*", token.info)
    ] == []
    assert {token.info for token in tokens if token.type == "fence"} & {
        "suggestion",
        "mermaid",
        "math",
    } == set()
    text = [token.content for token in tokens if token.type == "text"]
    assert [piece for piece in text if _REFERENCE.search(piece)] == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_known_attacks_are_inert(attack: str) -> None:
    """Every attack of the collection is shown, not executed."""
    assert_inert(neutral(attack))
    assert_inert(neutral_inline(attack))
    assert_inert(f"**High: {neutral_inline(attack)}**")
    assert_inert(code_span(attack))
    assert_inert(code_block(attack))


@given(hostile)
@example("``\n/a``")
def test_prose_is_inert(text: str) -> None:
    """No text becomes a command, link, image, HTML, mention or reference."""
    assert_inert(neutral(text))


@given(hostile, hostile)
def test_parts_stay_inert_side_by_side(first: str, second: str) -> None:
    """Neutral texts do not combine into something that acts."""
    assert_inert(f"**High: {neutral_inline(first)}**\n\n{neutral(second)}\n\n{code_block(first, second)}")
    assert_inert(f"{code_span(first)} {neutral_inline(second)}")


@given(hostile)
def test_code_keeps_its_text(text: str) -> None:
    """Inline code and blocks show the visible text and close where they should."""
    (paragraph,) = [token for token in _PARSER.parse(f"x {code_span(text)} y") if token.type == "inline"]
    shown = [token.content for token in paragraph.children or [] if token.type == "code_inline"]
    assert [one_line(text)] * bool(one_line(text)) == shown
    (block,) = [token for token in _PARSER.parse(code_block(text)) if token.type == "fence"]
    assert re.sub(r"(?m)^ (?=/[A-Za-z])", "", block.content) == re.sub(
        r"(?m)^ (?=/[A-Za-z])", "", visible(text) + "\n"
    )


@given(hostile)
def test_cells_never_split(text: str) -> None:
    """A table row keeps its number of cells."""
    table = f"| a | b |\n|---|---|\n| {cell(text)} | end |"
    tokens = flat(_PARSER.parse(table))
    assert sum(token.type in {"th_open", "td_open"} for token in tokens) == 4
    assert "|" not in cell(text)


@given(st.text(min_size=50), st.integers(min_value=10, max_value=40))
def test_long_text_is_cut_visibly(text: str, limit: int) -> None:
    """What is cut ends in an ellipsis."""
    assert ("…" in neutral(text, limit)) or len(visible(text)) <= limit


def test_plain_prose_survives() -> None:
    """Ordinary text, lists, bold text and code read as they were written."""
    text = "A **bold claim**, see `call(x)`.\n\n- one\n- two\n\n```python\nx = 1\n```"
    assert text == neutral(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask @root.", "ask `@root`."),
        ("(see #12)", "(see `#12`)"),
        ("use snake_case here", "use `snake_case` here"),
        ("50% of 3 * 4!", r"50% of 3 \* 4!"),
        ("/close", "`/close`"),
        ("a/b is fine, e.g. here", "a/b is fine, e.g. here"),
        ("# Heading #", "Heading"),
        ("`@x`, then", "`@x`, then"),
        ("---", r"\---"),
    ],
)
def test_words_that_act_become_code(text: str, expected: str) -> None:
    """Only the acting word changes; its punctuation stays outside."""
    assert expected == neutral(text)


@pytest.mark.parametrize("text", ["/close", "a\n/Merge", "a\r/x", "/\u200bclose", "a\r\n/x", "a\x85/x"])
def test_commands_are_recognised(text: str) -> None:
    """Every way to start a line counts."""
    assert starts_quick_action(text)


@pytest.mark.parametrize("text", ["//comment", "/* c */", " /usr", "a /close", ""])
def test_other_slashes_are_no_commands(text: str) -> None:
    """Comments and indented paths are left alone."""
    assert not starts_quick_action(text)


def test_time_grows_linearly() -> None:
    """Pathological input is cut before it is parsed, and parsed quickly."""
    for attack in ("`" * 100_000, "` `` " * 50_000, "**a" * 50_000, "<" * 100_000, "- " * 50_000):
        assert len(neutral(attack)) < 50_000


@pytest.mark.parametrize("text", ["1. " * 100, "- " * 100, "1. - * + " * 30, "2024. year", "1) 2) 3) x"])
def test_lists_do_not_nest_within_a_line(text: str) -> None:
    """A renderer that stops at some depth would drop what follows, the marker too."""
    for body in (neutral(text), f"- {neutral_inline(text)}", f"- {cell(text)}"):
        tokens = _PARSER.parse(f"{body}\n\n<!-- marker -->")
        assert "html_block" == tokens[-1].type
        assert max(token.level for token in tokens) <= 5
        assert not any(token.type == "hr" for token in tokens)
