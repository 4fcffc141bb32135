"""Nothing that a model says becomes a finding unless the code bears it out."""

import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.answer import CATEGORIES, MAX_FINDINGS, SCHEMA, Answer, read_answer
from bot.domain.diff import Sign
from bot.domain.excerpt import Excerpt, Row
from bot.domain.findings import Confidence, Finding, Fix, Rejection, Severity
from bot.domain.said import UnusableAnswer

CODE = {
    10: (" ", "def total(items):"),
    11: ("+", "    result = 0"),
    12: ("+", "    for i in range(len(items) + 1):"),
    13: ("+", "        result += items[i]"),
    14: (" ", "    return result"),
    15: ("+", "    log(result)"),
    16: ("+", "    log(result)"),
    17: ("+", "    key = '******'"),
}
EXCERPT = Excerpt(
    "shop/cart.py",
    tuple(Row(number, Sign(sign), text, altered="*" in text) for number, (sign, text) in CODE.items()),
)
GOOD = {
    "path": "shop/cart.py",
    "line": 12,
    "end_line": 12,
    "quote": "    for i in range(len(items) + 1):",
    "category": "correctness",
    "severity": "medium",
    "confidence": "high",
    "title": "Loop runs one past the end",
    "message": "items[len(items)] raises IndexError.",
}
FOUND = Finding(
    scanner="model",
    rule="correctness",
    category="correctness",
    severity=Severity.medium,
    confidence=Confidence.high,
    path="shop/cart.py",
    line=12,
    end_line=12,
    title="Loop runs one past the end",
    message="items[len(items)] raises IndexError.",
)


def read(*findings: object) -> Answer:
    """Read an answer with these findings."""
    return read_answer(json.dumps({"findings": findings}), [EXCERPT])


def read_fix(line: int, end_line: int, replacement: object) -> Fix | str:
    """Return the fix of an otherwise good finding, or why it was dropped."""
    fix = {"line": line, "end_line": end_line, "replacement": replacement}
    answer = read(GOOD | {"fix": fix})
    assert [finding.line for finding in answer.findings] == [12]
    kept = answer.findings[0].fix
    return kept if kept is not None else answer.rejected[0].reason


def test_a_sound_finding_is_taken_over():
    """All fields arrive; the scanner is the model and the rule its category."""
    assert Answer((FOUND,)) == read(GOOD)


def test_silence_is_an_answer():
    """No findings is the usual case."""
    assert Answer() == read()


@pytest.mark.parametrize(
    "text",
    [
        "Sure, here you go:\n```json\n{}\n```\nAnything else?",
        '<think>Maybe {{"findings": []}} is right?</think>{}',
        'Well.\n</think>\n{}\n{{"findings": []}}',
        "function f() {{ return 1 }} is wrong. {}",
        '{{"note": "first"}}{}',
    ],
)
def test_what_stands_around_the_object_is_ignored(text: str):
    """Prose, code fences and thoughts, even with drafts of an answer in them."""
    assert Answer((FOUND,)) == read_answer(text.format(json.dumps({"findings": [GOOD]})), [EXCERPT])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The change looks good to me. LGTM!",
        '{"findings": [{"path": "shop/cart.py", "line": 12',
        '{"findings": "none"}',
        "[]",
        "null",
        '{"findings": [1, "two", null]}',
        '{"findings": [{"path": "shop/cart.py", "line": "12"}]}',
        "<think>" + json.dumps({"findings": []}) + "</think>",
        "[" * 100_000,
        '{"a":' * 100_000,
        "{" * 100_000,
        '{"findings": [' + "9" * 5_000 + "]}",
        "x" * 1_000_000,
    ],
)
def test_an_answer_of_which_nothing_can_be_used_is_an_error(text: str):
    """The caller asks again; half an answer is not repaired by guessing."""
    with pytest.raises(UnusableAnswer):
        read_answer(text, [EXCERPT])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"path": "other.py"}, "its file was not shown"),
        ({"path": "../../etc/passwd"}, "its file was not shown"),
        ({"category": "style"}, "its category is unknown"),
        ({"severity": "apocalyptic"}, "its severity is unknown"),
        ({"quote": "    for i in range(3):"}, "its line does not read as quoted"),
        ({"quote": "for"}, "its line does not read as quoted"),
        ({"quote": " \n "}, "it quotes nothing"),
        ({"line": 14, "quote": "    return result"}, "its line was not added by the change"),
        ({"line": 9_999_999_999, "quote": "nowhere"}, "its line was not added by the change"),
        ({"line": 14, "quote": "    log(result)"}, "its line was not added by the change"),
        ({"line": 0}, "it does not have the form that was asked for"),
        ({"line": -3}, "it does not have the form that was asked for"),
        ({"line": True}, "it does not have the form that was asked for"),
        ({"line": 12.0}, "it does not have the form that was asked for"),
        ({"title": ""}, "it does not have the form that was asked for"),
        ({"quote": None}, "it does not have the form that was asked for"),
    ],
)
def test_a_finding_that_does_not_hold_is_rejected_with_a_reason(change: dict[str, object], reason: str):
    """The others stay."""
    other = GOOD | {"line": 11, "end_line": 11, "quote": "result = 0"}
    answer = read(other, GOOD | change)

    assert [finding.line for finding in answer.findings] == [11]
    assert [reason] == [rejection.reason for rejection in answer.rejected]


def test_a_quote_mends_a_wrong_number():
    """Exactly one added line reads so: that is what was meant, and its fix moves along."""
    moved = GOOD | {
        "line": 14,
        "end_line": 14,
        "fix": {"line": 14, "end_line": 14, "replacement": "    for i in items:"},
    }

    answer = read(moved)

    assert (
        FOUND.model_copy(update={"fix": Fix(line=12, end_line=12, replacement="    for i in items:")}),
    ) == (answer.findings)


def test_a_quote_of_several_lines_must_match_all_of_them():
    """Indentation and spacing do not count."""
    quote = "for i in range(len(items) + 1):\n  result  += items[i]"
    assert (
        read(GOOD | {"end_line": 13, "quote": quote}).findings[0].line,
        read(GOOD | {"end_line": 13, "quote": quote}).findings[0].end_line,
    ) == (12, 13)
    assert read(GOOD | {"quote": quote + "\nmore"}).findings == ()


def test_a_finding_ends_within_the_added_lines():
    """A range that runs into old code, backwards or out of the file is cut."""
    for end_line, expected in ((13, 13), (15, 13), (10**12, 13), (2, 12), (None, 12)):
        assert expected == read(GOOD | {"end_line": end_line}).findings[0].end_line


def test_lengths_stay_below_what_the_servers_grammar_takes():
    """llama.cpp refuses a whole schema for one string of 2,000 characters or more."""
    lengths = [int(number) for number in re.findall(r'"maxLength": (\d+)', json.dumps(SCHEMA))]

    assert len(lengths) == 9
    assert max(lengths) < 2_000


LINE_12 = {"line": 12, "quote": "for i in range(len(items) + 1):"}
LINE_10 = {"line": 10, "quote": "def total(items):"}


@pytest.mark.parametrize(
    ("evidence", "kept"),
    [
        ([LINE_12, LINE_10], [12, 10]),
        ([LINE_12 | {"line": 99}], [12]),
        ([LINE_12, {"line": 14, "quote": "return nothing"}, "line 3", None], [12]),
        ([{"line": "12", "quote": 7}, LINE_10], [10]),
        ([], []),
        ("line 12", []),
        (None, []),
    ],
)
def test_evidence_counts_as_far_as_it_reads_as_quoted(evidence: object, kept: list[int]):
    """Shown lines count whether they were added or not; a wrong number is mended."""
    (finding,) = read(GOOD | {"evidence": evidence}).findings

    assert [item.line for item in finding.evidence] == kept


@pytest.mark.parametrize(
    "evidence",
    [
        [{"line": 12, "quote": "while True:"}],
        [{"line": 40, "quote": "not shown"}, {"line": 12}],
        [{"line": 12, "quote": "}"}],
        [{"line": 15, "quote": "log(items)"}],
    ],
)
def test_a_finding_whose_evidence_is_made_up_is_rejected(evidence: object):
    """What is proven by lines that nobody has seen is not proven."""
    answer = read(GOOD | {"evidence": evidence})

    assert answer.findings == ()
    assert ["none of its evidence reads as quoted"] == [one.reason for one in answer.rejected]


def test_a_test_and_what_changed_are_taken_over():
    """The test is text; files that were not shown and other shapes say nothing."""
    changes = [
        {"path": "shop/cart.py", "summary": "Sums  the\nitems."},
        {"path": "other.py", "summary": "Nothing."},
        {"path": "shop/cart.py"},
        "words",
    ]
    text = json.dumps({"findings": [GOOD | {"test": "assert total([1]) == 1"}], "changes": changes})
    answer = read_answer(text, [EXCERPT])

    assert [finding.test for finding in answer.findings] == ["assert total([1]) == 1"]
    assert answer.changes == {"shop/cart.py": "Sums the items."}
    assert [finding.test for finding in read(GOOD | {"test": ["no", "text"]}).findings] == [""]


def test_what_was_whole_when_an_answer_broke_off_is_kept():
    """The findings before the break stand, and the answer says that it is not complete."""
    text = json.dumps({"findings": [GOOD, GOOD | {"line": 11, "quote": "result = 0"}]})
    for cut in (text[:-20], text[:-2], text[: len(json.dumps(GOOD)) + 40]):
        answer = read_answer(cut, [EXCERPT])
        assert answer.findings[0] == FOUND
        assert not answer.complete


def test_lists_under_the_same_name_are_one():
    """A model that begins its list a second time means both."""
    other = GOOD | {"line": 11, "end_line": 11, "quote": "result = 0"}
    text = f'{{"findings": [{json.dumps(GOOD)}], "findings": [{json.dumps(other)}]}}'

    assert [finding.line for finding in read_answer(text, [EXCERPT]).findings] == [12, 11]


def test_critical_is_not_the_models_to_say():
    """The word of a model alone is at most high."""
    assert Severity.high is read(GOOD | {"severity": "critical"}).findings[0].severity
    assert "critical" not in json.dumps(SCHEMA)


def test_repetition_and_excess_are_rejected():
    """One finding per line and category, and no more than were asked for."""
    answer = read(*[GOOD] * (MAX_FINDINGS + 2))

    assert answer.findings == (FOUND,)
    assert ["it repeats another finding"] * (MAX_FINDINGS - 1) + [
        f"more than {MAX_FINDINGS} findings"
    ] * 2 == [rejection.reason for rejection in answer.rejected]


def test_long_and_unprintable_text_is_cut():
    """NUL, which no database takes, is gone, and so are lone surrogates."""
    answer = read(GOOD | {"title": "a\x00b\n" + "c" * 500, "message": "\ud800" + "d" * 5_000})

    assert answer.findings[0].title.startswith("ab ")
    assert (len(answer.findings[0].title), len(answer.findings[0].message)) == (120, 800)
    assert answer.findings[0].title.endswith("…")


def test_a_fix_is_kept_if_it_can_be_right():
    """It replaces the flagged line; deleting is possible too."""
    code = "    for i in range(len(items)):"
    assert Fix(line=12, end_line=12, replacement=code) == read_fix(12, 12, code)
    assert Fix(line=12, end_line=13, replacement="") == read_fix(12, 13, "")


@pytest.mark.parametrize(
    "replacement",
    [
        "for i in range(len(items)):\n    result += items[i]",
        "for i in range(len(items)):\r\n    result += items[i]\r\n",
        "```python\nfor i in range(len(items)):\n    result += items[i]\n```",
    ],
)
def test_missing_indentation_is_given_back(replacement: str):
    """Models like to start at the margin, and to wrap code in fences."""
    expected = "    for i in range(len(items)):\n        result += items[i]"
    assert Fix(line=12, end_line=13, replacement=expected) == read_fix(12, 13, replacement)


@pytest.mark.parametrize(
    ("fix", "reason"),
    [
        ((12, 12, "    for i in range(len(items) + 1):"), "the fix changes nothing"),
        ((11, 11, "    result = 1"), "the fix is not where the finding is"),
        ((13, 12, "x"), "the fix is not where the finding is"),
        ((12, 18, "x"), "the fix replaces lines that the model has not seen as they are"),
        ((9, 12, "x"), "the fix replaces lines that the model has not seen as they are"),
        ((12, 17, "x"), "the fix replaces lines that the model has not seen as they are"),
        ((12, 90, "x"), "the fix does not cover 1 to 40 lines"),
        ((12, 12, "    for i in items:  # \u202e"), "the fix writes invisible characters"),
        ((12, 12, "    a\rb"), "the fix writes invisible characters"),
        ((12, 12, None), "the fix does not have the form that was asked for"),
        ((0, 12, "x"), "the fix does not have the form that was asked for"),
        ((12, 12, "x" * 10_000), "the fix does not have the form that was asked for"),
    ],
)
def test_a_fix_that_cannot_be_right_is_dropped(fix: tuple[int, int, object], reason: str):
    """Its finding stays."""
    assert reason == read_fix(*fix)


def test_a_fix_with_another_indentation_is_left_to_its_check():
    """Tabs for spaces do not fit, but people can read what is meant; the reason is found and shown later."""
    fix = read_fix(12, 12, "\tfor i in items:")
    assert isinstance(fix, Fix)
    assert fix.replacement == "\tfor i in items:"


def test_a_dropped_fix_is_reported():
    """The reader of the audit sees that there was one."""
    answer = read(GOOD | {"fix": "use enumerate"})

    expected = Rejection(
        "the fix does not have the form that was asked for", "shop/cart.py", 12, "fix", FOUND.title
    )
    assert (expected,) == answer.rejected


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
FIELDS = {
    "path": st.just("shop/cart.py") | SCALARS,
    "line": st.integers(-2, 20) | SCALARS,
    "end_line": st.integers(-2, 20) | SCALARS,
    "quote": st.sampled_from([text for _, text in CODE.values()]) | SCALARS,
    "category": st.sampled_from(CATEGORIES) | SCALARS,
    "severity": st.sampled_from([str(severity) for severity in Severity]) | SCALARS,
    "confidence": st.just("high") | SCALARS,
    "title": st.text() | SCALARS,
    "message": st.text() | SCALARS,
    "fix": st.fixed_dictionaries(
        {"line": st.integers(-2, 20), "end_line": st.integers(-2, 20), "replacement": st.text() | SCALARS}
    )
    | SCALARS,
}


def holds(finding: Finding) -> bool:
    """Say whether a finding is about added lines, and its fix about shown ones."""
    fix_ok = finding.fix is None or set(range(finding.fix.line, finding.fix.end_line + 1)) <= set(
        EXCERPT.shown
    )
    return fix_ok and set(range(finding.line, finding.end_line + 1)) <= EXCERPT.added


@given(st.lists(st.fixed_dictionaries({}, optional=FIELDS) | st.fixed_dictionaries(FIELDS), max_size=12))
def test_any_object_is_read_or_refused(findings: list[dict[str, object]]):
    """No value of any type in any field gets through unchecked or raises anything else."""
    try:
        answer = read(*findings)
    except UnusableAnswer:
        return
    assert all(map(holds, answer.findings))
    assert all(finding.model_dump_json() for finding in answer.findings)
    assert len(answer.findings) + len([r for r in answer.rejected if r.subject == "finding"]) == len(findings)


@given(st.text() | st.text(alphabet='{}[]",:\\0findgs<thk/> \n'))
def test_any_text_is_read_or_refused(text: str):
    """A model can say what it likes."""
    with contextlib.suppress(UnusableAnswer):
        assert read_answer(text, [EXCERPT]).findings == ()


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (
            {"title": "Great job", "message": "This is well written.", "severity": "high"},
            "it reports no defect",
        ),
        (
            {"title": "Index", "message": "Please check the index."},
            "it advises without saying what goes wrong",
        ),
        ({"title": "Index is off", "severity": "low"}, "it repeats another finding"),
    ],
)
def test_what_says_little_takes_no_place_of_what_says_more(first: dict[str, str], reason: str) -> None:
    """Be it said first, on the same line and in the same category."""
    spare = GOOD | first
    expected = Rejection(reason, "shop/cart.py", 12, title=first["title"])
    for answer in (read(spare, GOOD), read(GOOD, spare)):
        assert answer.findings == (FOUND,)
        assert answer.rejected == (expected,)
