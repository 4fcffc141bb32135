"""Which lines of a comment are commands for us, and which only look like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.commands import READ_CHARS, Asked, Command, Verb, addresses_somebody, asked

NAMES = {"cloister", "Review-Bot"}
RESOLVE = Asked((Command(Verb.resolve),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@cloister resolve", RESOLVE),
        ("@Cloister RESOLVE", RESOLVE),
        ("@review-bot resolve", RESOLVE),
        ("@cloister, resolve!", RESOLVE),
        ("@cloister:\tresolve", RESOLVE),
        ("   @cloister resolve", RESOLVE),
        ("@cloister，resolve", RESOLVE),
        ("@cloister：resolve", RESOLVE),
        ("@cloister\N{IDEOGRAPHIC SPACE}resolve", RESOLVE),
        ("I see.\r\n\r\n@cloister resolve\r\n", RESOLVE),
        ("I see.\n@cloister resolve", RESOLVE),
        ("> quoted\n\n@cloister resolve", RESOLVE),
        (">>>\nquoted\n>>>\n@cloister resolve", RESOLVE),
        ("```\n>>>\n```\n@cloister resolve", RESOLVE),
        ("```\ncode\n```\n@cloister resolve", RESOLVE),
        ("@cloister", Asked((Command(Verb.help),))),
        ("@cloister ignore only in `tests`", Asked((Command(Verb.ignore, "only in tests"),))),
        ("@cloister test --commit", Asked((Command(Verb.test, "--commit"),))),
        (
            "@cloister fix\n@cloister explain why?",
            Asked((Command(Verb.fix), Command(Verb.explain, "why?"))),
        ),
        ("@cloister ignore first\n@cloister ignore second", Asked((Command(Verb.ignore, "first"),))),
        (
            "@cloister waive a1 until 3 days because x\n@cloister waive `b2`\n@cloister waive b2",
            Asked((Command(Verb.waive, "a1 until 3 days because x"), Command(Verb.waive, "b2"))),
        ),
        ("@cloister\uff0cresolve\u3002", RESOLVE),
        ("@cloister\u3000ignore\uff1a误报 一", Asked((Command(Verb.ignore, "误报 一"),))),
        ("@cloister frobnicate", Asked((), ("frobnicate",))),
        ("@cloister \N{CYRILLIC SMALL LETTER ER}\N{CYRILLIC SMALL LETTER IE}view", Asked((), ("реview",))),
    ],
)
def test_a_line_that_begins_with_our_name_is_a_command(text: str, expected: Asked) -> None:
    """Whatever its case, with a question or reason behind it; each command once."""
    assert expected == asked(text, NAMES)
    assert addresses_somebody(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello @cloister resolve",
        "@cloister-evil resolve",
        "@cloister.evil resolve",
        "@cloister/evil resolve",
        "@cloisterresolve",
        "@\N{CYRILLIC SMALL LETTER ES}loister resolve",
        "@clo\N{ZERO WIDTH SPACE}ister resolve",
        "\N{FULLWIDTH COMMERCIAL AT}cloister resolve",
        "@cloister\N{NO-BREAK SPACE}resolve",
        "\N{RIGHT-TO-LEFT OVERRIDE}@cloister resolve",
        "> @cloister resolve",
        "> quoted\n@cloister resolve",
        ">>>\n@cloister resolve\n>>>",
        ">>>\ntext\n\n@cloister resolve\n\n>>>",
        " >>> \n@cloister resolve\n  >>>",
        ">>>>\n>>>\n@cloister resolve\n>>>>",
        ">>>\ntext\n\n@cloister resolve",
        "```\n~~~\n```\n>>>\n@cloister resolve\n>>>",
        "```\n@cloister resolve\n```",
        "~~~text\n@cloister resolve",
        "    @cloister resolve",
        "`\n@cloister resolve\n`",
        "- @cloister resolve",
        "1. item\n\n   @cloister resolve",
        "# @cloister resolve",
        "@cloister resolve\n===",
        "**@cloister resolve**",
        "[@cloister resolve](https://example.com)",
        "<!-- \n@cloister resolve\n-->",
        "<details>\n@cloister resolve\n</details>",
        r"\@cloister resolve",
        "&#64;cloister resolve",
        "@all resolve",
        "x" * READ_CHARS + "\n\n@cloister resolve",
    ],
)
def test_what_is_quoted_hidden_or_alike_is_none(text: str) -> None:
    """Code, quotes, lists, markup, comments and names that only look like ours command nothing."""
    assert not asked(text, NAMES)


@given(st.text(alphabet=st.sampled_from(list("@cloister resolve\n>`~-*_<>!&#;[]()\\ \t1.")), max_size=200))
def test_nothing_but_our_lines_is_obeyed(text: str) -> None:
    """However it is marked up, a command stands on a line that begins with our name, and the cheap look finds it."""
    if asked(text, NAMES):
        assert addresses_somebody(text)
        assert any(line.lstrip(" ").lower().startswith("@cloister") for line in text.splitlines())


@given(st.text(max_size=300))
def test_a_quote_of_anything_commands_nothing(text: str) -> None:
    """Line by line, as GitLab quotes."""
    lines = text.replace("\r", "\n").split("\n")
    assert not asked("\n".join(f"> {line}" for line in [*lines, "@cloister resolve"]), NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "@cloister fix\n" * 80_000,
        "> " * 500_000,
        "[" * 1_000_000,
        "*a_ " * 250_000,
        "`a``b" * 200_000,
        "- " * 500_000,
    ],
)
def test_a_megabyte_takes_a_moment(text: str) -> None:
    """Neither nesting nor repetition keeps us busy."""
    asked(text, NAMES)


def test_a_comment_asks_for_a_bounded_number_of_waivers() -> None:
    """Whatever it holds."""
    found = asked("\n".join(f"@cloister waive {n}" for n in range(500)), NAMES)
    assert 21 >= len(found.commands) >= 20
