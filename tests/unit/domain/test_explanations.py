"""What a model adds to a scanner's finding is advice: it changes nothing else."""

import json

import pytest

from bot.domain.diff import Sign
from bot.domain.excerpt import Excerpt, Row
from bot.domain.explanations import Explained, question, read_explanations
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.said import UnusableAnswer

EXCERPT = Excerpt(
    "a.py",
    (
        Row(1, Sign.added, "def find(db, name):"),
        Row(2, Sign.added, "    db.execute(f'... {name}')"),
        Row(3, Sign.added, "    key = '****'", altered=True),
    ),
)
RULE = "A value in the statement can end the literal and become a command."
STATIC = Finding(
    scanner="semgrep", rule="sql", category="security", severity=Severity.high, path="a.py", line=2, end_line=2,
    title="SQL built from values", message=RULE, fingerprint="f" * 32,
)  # fmt: skip
GOOD = {"finding": 0, "why": "`name` comes from the web form without a check.", "false_positive": False}


def read(*explanations: object, static: Finding = STATIC) -> Explained:
    """Read an answer with these explanations."""
    return read_explanations(json.dumps({"explanations": explanations}), [static], [EXCERPT])


def test_an_explanation_belongs_to_its_finding() -> None:
    """It is on the same lines and never counts as sure."""
    (explained,) = read(GOOD).findings
    assert (explained.explains, explained.scanner, explained.line) == (STATIC.fingerprint, "model", 2)
    assert explained.message == GOOD["why"]
    assert explained.confidence.value == "low"


def test_only_three_sentences_are_kept() -> None:
    """In any language."""
    (english,) = read(GOOD | {"why": "One. Two! Three? Four."}).findings
    (chinese,) = read(GOOD | {"why": "一。二！三？四。"}).findings
    assert (english.message, chinese.message) == ("One. Two! Three?", "一。二！三？")


def test_a_doubt_is_said_and_changes_nothing() -> None:
    """The scanner's finding stands as it is, and gets no fix from somebody who doubts it."""
    fix = {"line": 2, "end_line": 2, "replacement": "    db.execute('?', name)"}
    (explained,) = read(GOOD | {"false_positive": True, "fix": fix}).findings
    assert explained.message.startswith("This may be a false positive: ")
    assert explained.severity is STATIC.severity
    assert explained.fix is None


def test_a_fix_must_be_able_to_be_right() -> None:
    """It is checked like any other; a rule's own fix is better."""
    fix = {"line": 2, "end_line": 2, "replacement": "db.execute('?', name)"}
    expected = Fix(line=2, end_line=2, replacement="    db.execute('?', name)")
    (explained,) = read(GOOD | {"fix": fix}).findings
    assert explained.fix == expected
    (elsewhere,) = read(GOOD | {"fix": fix | {"line": 1, "end_line": 1}}).findings
    assert elsewhere.fix is None
    assert read(GOOD | {"fix": "text"}).rejected[0].subject == "fix"
    own = STATIC.model_copy(update={"fix": expected})
    assert read(GOOD | {"fix": fix}, static=own).findings[0].fix is None


def test_words_of_the_rule_are_not_repeated() -> None:
    """Without a fix nothing is left, and the reason is kept."""
    explained = read(GOOD | {"why": RULE})
    assert explained.findings == ()
    assert [one.reason for one in explained.rejected] == ["it repeats what the rule says"]


@pytest.mark.parametrize("other", [{"finding": 1, "why": "x"}, {"finding": "0"}, {"why": "x"}, "text", None])
def test_other_shapes_and_numbers_are_left_out(other: object) -> None:
    """The rest counts; of two about one finding the first."""
    assert [one.message for one in read(other, GOOD, GOOD | {"why": "Second."}).findings] == [GOOD["why"]]


@pytest.mark.parametrize("text", ["", "It is bad.", '{"explanations": [{"why": 1}]}', '{"findings": []}'])
def test_an_answer_without_explanations_is_unusable(text: str) -> None:
    """None at all is an answer."""
    with pytest.raises(UnusableAnswer):
        read_explanations(text, [STATIC], [EXCERPT])
    assert read() == Explained()


def test_the_question_names_rule_and_place() -> None:
    """On one line, whatever the texts hold."""
    prompt = question([STATIC.model_copy(update={"message": "a\nb\u2028c"})], [EXCERPT])
    assert '0. File: "a.py", line 2, semgrep sql: SQL built from values. a b' in prompt
