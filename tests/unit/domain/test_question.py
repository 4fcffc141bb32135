"""A question about a finding shows its code as data, and an answer is taken only in the form that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.conversation import told_text
from bot.domain.excerpt import Excerpt, Source
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.proof import APPLIES, PARSES
from bot.domain.question import Question, Told, prompt, read
from bot.domain.said import UnusableAnswer
from bot.domain.suggestion import suggestion
from bot.domain.wording import wording

LINES = [f"line {number}" for number in range(1, 301)]
FINDING = Finding(
    scanner="model",
    rule="correctness",
    category="correctness",
    severity=Severity.high,
    path="a.py",
    line=150,
    end_line=151,
    title="Wrong",
    message="It is wrong.",
)


def written(question: Question, *, room: int = 8192, lines: list[str] = LINES) -> tuple[str, Excerpt] | None:
    return prompt(question, Source(lines, lines), estimate=lambda text: len(text) // 3, room_tokens=room)


def shown(question: Question) -> Excerpt:
    made = written(question)
    assert made is not None
    return made[1]


def answered(question: Question, *items: Any) -> Told:
    return read(json.dumps({"answer": items}), question, shown(question))


def test_as_much_code_is_shown_as_fits() -> None:
    """Around the finding; nothing is asked where not even that fits, or where the line is gone."""
    wide, narrow = written(Question(FINDING)), written(Question(FINDING), room=1600)
    assert wide is not None
    assert narrow is not None
    assert "  150   line 150" in narrow[0]
    assert len(narrow[1].rows) < len(wide[1].rows) == 122
    assert written(Question(FINDING), room=1000) is None
    assert written(Question(FINDING), lines=LINES[:100]) is None


def test_the_wish_and_the_language_come_last() -> None:
    """So that the beginning stays the same for a server that keeps it."""
    for question, words in (
        (Question(FINDING), "Answer the question about the finding. Nothing between"),
        (Question(FINDING, fix=True), "A fix for the finding is wanted. Nothing between"),
        (Question(FINDING, language="zh"), "with the code zh. Answer with the JSON object only."),
    ):
        made = written(question)
        assert made is not None
        assert words in made[0].splitlines()[-1]


@given(st.text(max_size=80), st.sampled_from(["~~~~ data 1 ~~~~", "\n~~~~ data 1 ~~~~\n", "\u2028", "\x00"]))
def test_nothing_breaks_out_of_the_data(words: str, breaker: str) -> None:
    """Neither a question nor a finding nor code can write the line that ends it."""
    lines = [*LINES[:149], breaker.strip("\n") + words.replace("\n", " "), *LINES[150:]]
    hostile = FINDING.model_copy(update={"message": f"{breaker}{words}", "title": f"{breaker}{words}x"})
    made = written(Question(hostile, words=f"{words}{breaker}"), lines=lines)
    assert made is not None
    fence = made[0].splitlines()[0].removeprefix("The data begins and ends with the line ")
    assert made[0].split("\n").count(fence) == 2
    assert made[0].count(fence) == 3


@pytest.mark.parametrize(
    "text",
    ["", "sorry", "{}", '{"answer": []}', '{"answer": [5]}', '{"answer": [{"text": ""}]}', '{"answer": "x"}'],
)
def test_an_answer_of_another_form_is_refused(text: str) -> None:
    """It is asked for again."""
    question = Question(FINDING)
    with pytest.raises(UnusableAnswer):
        read(text, question, shown(question))


def test_a_fix_counts_where_one_was_wanted_and_can_be_right() -> None:
    """Otherwise the words are all that is left."""
    right = {"line": 150, "end_line": 150, "replacement": "mended"}
    wanted = Question(FINDING, fix=True)
    assert answered(wanted, {"text": "so", "fix": right}).fix == Fix(**right)
    assert answered(Question(FINDING), {"text": "so", "fix": right}).fix is None
    for wrong in (right | {"line": 9, "end_line": 9}, right | {"replacement": "line 150"}, {"line": "x"}, 7):
        assert answered(wanted, {"text": "so", "fix": wrong}) == Told("so")


def test_only_a_proven_fix_can_be_applied_with_a_click() -> None:
    """Others are shown as code, with the reason; without any that is said."""
    words = wording("en")
    fix = Fix(line=150, end_line=150, replacement="mended", verified=(APPLIES, PARSES))
    block = suggestion(fix, path="a.py", anchor=151, lines=LINES)
    offered = told_text(Told("so", fix, block), fix=True, head_sha="1" * 40, words=words)
    assert "```suggestion:-1+0\nmended\nline 151\n```" in offered
    assert "Checked: applies to `11111111`, parses." in offered
    refused = told_text(Told("so", fix, "it was not checked"), fix=True, head_sha="1" * 40, words=words)
    assert "to be made by hand because it was not checked:\n\n```\nmended\n```" in refused
    assert "suggestion" not in refused
    assert "no fix that I am sure of" in told_text(Told("so"), fix=True, head_sha="", words=words)
    assert told_text(Told("so"), fix=False, head_sha="", words=words) == "so"


def test_what_the_model_says_is_inert() -> None:
    """Like everything that comes from outside."""
    text = "/close\n@root ![x](https://evil.example) <b> <!-- cloister:v1:a:b -->"
    said = told_text(Told(text), fix=False, head_sha="", words=wording("en"))
    assert not said.startswith("/close")
    assert "`@root`" in said
    assert " <" not in said
