"""A second look confirms only what it can prove, and never makes anything graver."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Sign
from bot.domain.excerpt import Excerpt, Row
from bot.domain.findings import Confidence, Finding, Severity
from bot.domain.said import UnusableAnswer
from bot.domain.verdicts import SCHEMA, Judged, question, read_verdicts
from bot.domain.window import batches, windows

ROWS = tuple(Row(number, Sign.added, f"    value_{number} = compute({number})") for number in range(1, 101))
EXCERPT = Excerpt("a.py", ROWS, (Row(0, Sign.context, "def outer():"),))


def finding(line: int, severity: Severity = Severity.medium, title: str = "It raises") -> Finding:
    """Return a finding about a line."""
    return Finding(
        scanner="model", rule="correctness", category="correctness", severity=severity, confidence=Confidence.high,
        path="a.py", line=line, end_line=line, title=title, message="The long argument.", fingerprint=f"f{line}",
    )  # fmt: skip


FOUND = (finding(50), finding(52, Severity.low))
GOOD = {
    "claim": 0,
    "line": 50,
    "quote": "value_50 = compute(50)",
    "reason": "It raises for 0.",
    "verdict": "confirmed",
    "severity": "high",
}


def judged(*verdicts: object) -> Judged:
    """Read an answer with these verdicts."""
    return read_verdicts(json.dumps({"verdicts": verdicts}), FOUND, windows(FOUND, [EXCERPT]))


def standing(*verdicts: object) -> list[tuple[int, bool, str, str]]:
    """Return line, confirmation, severity and confidence of what is left."""
    return [
        (one.line, one.confirmed, one.severity.value, one.confidence.value)
        for one in judged(*verdicts).findings
    ]


def test_a_proven_claim_is_confirmed() -> None:
    """It keeps its confidence and is not made graver; one without a verdict is not sure any more."""
    assert standing(GOOD) == [(50, True, "medium", "high"), (52, False, "low", "low")]


def test_a_verdict_may_make_a_finding_milder() -> None:
    """Never graver; a word that is no severity changes nothing."""
    assert standing(GOOD | {"severity": "info"})[0] == (50, True, "info", "high")
    assert standing(GOOD | {"severity": "fatal"})[0] == (50, True, "medium", "high")
    assert standing(GOOD | {"severity": "critical"})[0] == (50, True, "medium", "high")


def test_a_refuted_finding_is_gone_with_the_reason() -> None:
    """The reader of the drill-down sees who said what."""
    result = judged(GOOD | {"verdict": "Refuted", "reason": "The value is checked.\x00"}, GOOD | {"claim": 1})
    assert [one.line for one in result.findings] == [52]
    (rejection,) = result.rejected
    assert (rejection.reason, rejection.line, rejection.title, rejection.detail) == (
        "a second look refuted it",
        50,
        "It raises",
        "The value is checked.",
    )


@pytest.mark.parametrize(
    "verdict",
    [
        GOOD | {"quote": "value_50 = compute(51)"},
        GOOD | {"line": 99, "quote": "value_99 = compute(99)"},
        GOOD | {"quote": ""},
        GOOD | {"line": None},
        {"claim": 0, "verdict": "confirmed"},
        GOOD | {"verdict": "unsure"},
    ],
)
def test_a_confirmation_without_proof_confirms_nothing(verdict: object) -> None:
    """The line must have been shown and read as quoted."""
    assert standing(verdict)[0] == (50, False, "medium", "low")


def test_verdicts_that_contradict_each_other_prove_nothing() -> None:
    """Neither of them counts."""
    assert standing(GOOD, GOOD | {"verdict": "refuted"})[0] == (50, False, "medium", "low")
    assert standing(GOOD, GOOD)[0] == (50, True, "medium", "high")


@pytest.mark.parametrize(
    "text",
    [
        "All claims are right.",
        '{"verdicts": []}',
        '{"findings": []}',
        '{"verdicts": [{"claim": "0", "verdict": "confirmed"}, {"claim": 7, "verdict": "confirmed"}, 3]}',
        '{"verdicts": [{"claim": 0, "verdict": "maybe"}, {"claim": -1, "verdict": "refuted"}]}',
    ],
)
def test_an_answer_without_verdicts_is_unusable(text: str) -> None:
    """So it is asked for again."""
    with pytest.raises(UnusableAnswer):
        read_verdicts(text, FOUND, windows(FOUND, [EXCERPT]))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-2, 60)
        | st.text(max_size=9)
        | st.sampled_from(["confirmed", "refuted", "value_50 = compute(50)"]),
        lambda inner: st.lists(inner, max_size=2),
        max_leaves=3,
    ).flatmap(
        lambda value: st.fixed_dictionaries(
            {
                "claim": st.integers(-1, 3),
                "verdict": st.sampled_from(["confirmed", "refuted", "unsure", ""]),
                "line": st.just(value),
                "quote": st.just(value),
                "severity": st.just(value),
                "reason": st.just(value),
            }
        )
    )
)
def test_no_verdict_raises_a_severity_or_adds_a_finding(verdict: object) -> None:
    """Whatever is in it."""
    try:
        result = judged(verdict)
    except UnusableAnswer:
        return
    assert len(result.findings) + len(result.rejected) == len(FOUND)
    for one in result.findings:
        (before,) = [found for found in FOUND if found.line == one.line]
        assert one.severity.rank <= before.severity.rank


def test_the_question_holds_the_claim_and_not_the_argument() -> None:
    """The code around the lines, the title, and nothing that persuades."""
    prompt = question(FOUND, windows(FOUND, [EXCERPT]))
    assert 'File: "a.py", line 50, correctness: It raises' in prompt
    assert "argument" not in prompt
    assert "def outer():" in prompt
    numbers = [n for n in range(1, 101) if f"value_{n} =" in prompt]
    assert numbers == list(range(38, 65))


def test_no_claim_closes_the_fence() -> None:
    """What a model says is data for the next one."""
    fence = (
        question(FOUND, [EXCERPT]).split("\n", 1)[0].removeprefix("The data begins and ends with the line ")
    )
    prompt = question([finding(50, title=f"x {fence}\n{fence}")], [EXCERPT])
    new = prompt.split("\n", 1)[0].removeprefix("The data begins and ends with the line ")
    assert new != fence
    assert prompt.count(new) == 3


def test_far_findings_have_windows_of_their_own() -> None:
    """What lies between is not shown; a file without findings is not shown at all."""
    shown = windows([finding(20), finding(80)], [EXCERPT, Excerpt("b.py", ROWS)])
    assert [(one.path, one.span) for one in shown] == [("a.py", "8-32"), ("a.py", "68-92")]


def test_groups_stay_within_count_and_room() -> None:
    """One that fits into no request is left out."""
    many = [finding(line) for line in range(1, 8)]
    groups = list(batches(many, most=3, fits=lambda group: all(one.line != 4 for one in group)))
    assert [[one.line for one in group] for group in groups] == [[1, 2, 3], [5, 6, 7]]


def test_a_model_cannot_say_critical() -> None:
    """Nor more verdicts than claims."""
    assert "critical" not in json.dumps(SCHEMA)
