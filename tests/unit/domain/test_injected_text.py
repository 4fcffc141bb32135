"""Every hostile text of the collection, as data for a model and as a model's answer."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, date, datetime

import pytest

from bot.domain.answer import read_answer
from bot.domain.control_tokens import plain
from bot.domain.conversation import answer, unknown_text
from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.excerpt import Excerpt, Row
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.markdown import neutral_inline
from bot.domain.marker import Marker, Word
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Policy, Verdict, verdict
from bot.domain.prompt import Limits, build
from bot.domain.render import comment, waiver_word
from bot.domain.review_result import FileChange, Listed, ReviewResult
from bot.domain.said import UnusableAnswer
from bot.domain.suggestion import SuggestionBlock, suggestion
from bot.domain.summary import summary
from bot.domain.waivers import About, Deed, Source, Waiver, WaiverStep
from bot.domain.waivers_standing import AskedFor, Waived
from bot.domain.wording import wording
from tests.injections import INJECTIONS, NAMES, Injection
from tests.injections.inertness import acting

REF = MergeRequestRef(instance="gitlab.example", project_id=1, iid=1)
MARKER = Marker(b"a key of thirty-two bytes, really")
PROJECT = "https://gitlab.example/shop/shop"

#: Harmless as they stand: they look odd, or act only where they get into a frame of ours.
HARMLESS = {
    "quick_actions: indented",
    "quick_actions: escaped slash",
    "suggestions: suggestion that ends ours",
    "suggestions: suggestion after a closed fence",
    "invisible: homoglyphs",
    "invisible: combining",
}

every = pytest.mark.parametrize("injection", INJECTIONS, ids=NAMES)


def finding(**values: object) -> Finding:
    """Return a finding of the model."""
    usual = {
        "scanner": "model",
        "rule": "correctness",
        "category": "correctness",
        "severity": Severity.medium,
        "path": "a.py",
        "line": 1,
        "end_line": 1,
        "title": "t",
        "message": "m",
        "fingerprint": "f",
    }
    return Finding.model_validate(usual | values)


def test_the_collection_is_large() -> None:
    """And its texts differ."""
    assert len({one.text for one in INJECTIONS}) == len(INJECTIONS) >= 60


@every
def test_the_judge_sees_what_would_act(injection: Injection) -> None:
    """Unchanged, such texts do something; a judge who let them pass would prove nothing."""
    if injection.kind in {"persuasion", "markers", "giant"} or str(injection) in HARMLESS:
        pytest.skip("nothing that GitLab would act on")
    assert acting(injection.text)


@every
def test_a_comment_is_inert(injection: Injection) -> None:
    """Wherever in a finding the text stands."""
    text = injection.text
    marker = MARKER.of(REF, "f")
    findings = [
        finding(title=text, message="m"),
        finding(message=text),
        finding(title=text, message=text, rule=text, scanner=text, references=(text, text), cwe=(text,)),
        finding(fix=Fix(line=1, end_line=1, replacement=text)),
    ]
    for one in findings:
        assert [] == acting(comment(one, marker=marker, fix=text, evidence=(text,)), marker=marker)
        assert MARKER.read(REF, comment(one, marker=marker, fix=text)) == "f"


@every
def test_a_suggestion_offers_what_it_says_or_is_none(injection: Injection) -> None:
    """A fix is offered as it is, or not at all; it never offers more."""
    marker = MARKER.of(REF, "f")
    fix = Fix(line=1, end_line=1, replacement=injection.text)
    offered = suggestion(fix, path="a.py", anchor=1, lines=["x = 1"])
    body = comment(finding(fix=fix), marker=marker, fix=offered)
    wanted = [injection.text] if isinstance(offered, SuggestionBlock) else []
    assert [] == acting(body, marker=marker, suggestions=wanted)


def waiver(text: str) -> Waiver:
    """Return a waiver that somebody called *text* has granted because of *text*."""
    step = WaiverStep(
        waiver=uuid.UUID(int=1),
        deed=Deed.granted,
        ref=REF,
        about=About.of(finding(title=text, path=text), None),
        branch=text,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        source=Source.comment,
        name=text,
        until=date(2026, 2, 1),
        reason=text,
    )
    return Waiver((step,))


@every
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_thread_says_of_a_waiver_is_inert(injection: Injection, language: str) -> None:
    """Whoever granted it, and why."""
    marker = MARKER.of_word(REF, Word.waived, "f")
    body = waiver_word(Word.waived, waiver(injection.text), marker=marker, language=language)
    assert [] == acting(body, marker=marker)


def summed_up(text: str, language: str) -> str:
    """Return a summary that holds *text* wherever one can."""
    one = finding(title=text, message=text, path=text, scanner=text, rule=text)
    result = ReviewResult(
        head_sha="a" * 40,
        verdict=Verdict(
            passed=False,
            blocking=(one,),
            waived=(Waived(one, waiver(text)),),
            asked=(AskedFor(one, waiver(text)), AskedFor(one)),
        ),
        project_url=PROJECT,
        inline=[one],
        listed=[Listed(one, text)],
        suppressed=[one],
        skipped={text: text},
        not_reviewed={text: text},
        changes=[FileChange(text, 1, 1, text)],
        pending=[text],
        undecided=[text],
        problems=[text],
        language=language,
    )
    return summary(result, marker=MARKER.of_summary(REF))


@every
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_summary_is_inert(injection: Injection, language: str) -> None:
    """Wherever in a result the text stands; it folds nothing away and unfolds nothing."""
    marker = MARKER.of_summary(REF)
    body = summed_up(injection.text, language)
    folds = summed_up("harmless", language).count("<details>")
    did = acting(body, marker=marker, links=f"{PROJECT}/-/blob/", ours=["table_open"], folds=folds)
    assert [] == did
    assert MARKER.is_summary(REF, body)


@every
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_answer_to_a_comment_is_inert(injection: Injection, language: str) -> None:
    """What a comment asks is repeated as words."""
    talk = wording(language).talk
    marker = MARKER.of_summary(REF)
    words = [injection.text, *injection.text.split()[:3]]
    reason = talk.ignored_because.format(reason=neutral_inline(injection.text))
    assert [] == acting(answer([unknown_text(words, talk), reason], marker=marker), marker=marker)


def diff_of(path: str, lines: list[str]) -> Diff:
    """Return the change that adds a file."""
    added = tuple(DiffLine(Sign.added, None, number, text) for number, text in enumerate(lines, 1))
    hunk = Hunk(0, 0, 1, len(lines), "", added)
    return Diff((FileDiff(path, path, Change.added, old_mode="000000", hunks=(hunk,)),))


def prompts_with(text: str) -> list[str]:
    """Return the prompts that hold *text* as title, description, code, comment, string and name of a file."""
    lines = text.split("\n")
    code = ["def f():", *lines, *(f"    # {line}" for line in lines), f'    return "{text[:500]}"']
    code = [line for whole in code for line in whole.split("\n")]
    made = []
    for path, title, description, head in (
        ("a.py", text, "d", ["x = 1"]),
        ("a.py", "t", text, ["x = 1"]),
        ("a.py", "t", "d", code),
        (f"src/{text[:200]}.py", "t", "d", ["x = 1"]),
    ):
        built = build(
            diff_of(path, head),
            {path: "\n".join(head)},
            title=title,
            description=description,
            system="s",
            limits=Limits(16_384),
            estimate=lambda text: len(text) // 3 + 1,
            redact=lambda text: text,
        )
        made += [part.prompt for part in built.parts]
    return made


@every
def test_data_stays_between_the_fences(injection: Injection) -> None:
    """What stands outside them is the same whatever the data are, and no line of the data is a fence."""
    before, after = frame("harmless")
    for prompt in prompts_with(injection.text):
        fence = prompt.split("\n", 1)[0].partition("with the line ")[2]
        lines = prompt.split("\n")
        assert re.fullmatch(r"~~~~ data \d+ ~~~~", fence)
        assert [line for line in lines[2:] if fence in line] == [fence, fence]
        head, _, rest = prompt.partition(f"\n{fence}\n")
        _, _, tail = rest.rpartition(f"\n{fence}\n")
        assert (head.replace(fence, "FENCE"), tail) == (before, after)


def frame(text: str) -> tuple[str, str]:
    """Return what stands before and after the data."""
    prompt = prompts_with(text)[0]
    fence = "~~~~ data 1 ~~~~"
    head, _, rest = prompt.partition(f"\n{fence}\n")
    return head.replace(fence, "FENCE"), rest.rpartition(f"\n{fence}\n")[2]


@every
def test_nothing_in_a_prompt_is_hidden_from_people(injection: Injection) -> None:
    """A model must not read what the author of a change can hide from its reviewers."""
    hidden = re.compile(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ue000-\uf8ff"
        "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0d\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
    )
    assert [] == [match[0] for prompt in prompts_with(injection.text) for match in hidden.finditer(prompt)]


@every
def test_no_data_speak_to_the_server(injection: Injection) -> None:
    """Servers read the marks of their chat templates in what users send, too."""
    marks = re.compile(r"<[|｜]\S+?[|｜]>|<\|\S+?>|</?(?:s|think|eos|start_of_turn|end_of_turn|tool_call)>")
    assert [] == [match[0] for prompt in prompts_with(injection.text) for match in marks.finditer(prompt)]


@pytest.mark.parametrize(
    "code", ["a <| b |> c", "x <|> y", "List<String>", "if a<b|c>d:", "<span>", "1 << 2", "<T|>"]
)
def test_code_is_left_as_it_is(code: str) -> None:
    """What only resembles a mark can be quoted and mended."""
    assert (code == plain(code)) == (code != "<T|>")


@every
def test_a_model_that_was_taken_over_gains_nothing(injection: Injection) -> None:
    """Its words are shown as words; it cannot be graver than high, block, or speak of other files."""
    text = injection.text[:1_500]
    row = Row(1, Sign.added, "x = 1")
    excerpts = [Excerpt("a.py", (row,))]
    base = {"path": "a.py", "line": 1, "end_line": 1, "quote": "x = 1", "category": "security"}
    base |= {"severity": "critical", "confidence": "high", "title": text, "message": text}
    base |= {"fix": {"line": 1, "end_line": 1, "replacement": text}, "test": text, "scanner": "semgrep"}
    said = [base, base | {"path": text}, base | {"category": text}, base | {"quote": text}]
    read = read_answer(json.dumps({"findings": said, "approve": True}), excerpts)
    assert all(one.path == "a.py" and one.severity is Severity.high for one in read.findings)
    assert {one.scanner for one in read.findings} <= {"model"}
    static = finding(scanner="semgrep", severity=Severity.low)
    assert verdict([static, *read.findings], Policy()) == verdict([static], Policy())
    marker = MARKER.of(REF, "f")
    for one in read.findings:
        offered = suggestion(one.fix, path="a.py", anchor=1, lines=["x = 1"]) if one.fix else None
        wanted = ["\n".join(offered.replacement)] if isinstance(offered, SuggestionBlock) else []
        body = comment(one, marker=marker, fix=offered)
        assert [] == acting(body, marker=marker, suggestions=wanted, folds=int(bool(one.test)))


@every
def test_an_answer_of_other_words_is_no_review(injection: Injection) -> None:
    """Prose, commands and forged JSON instead of an answer are refused, or find nothing."""
    try:
        read = read_answer(injection.text, [Excerpt("a.py", (Row(1, Sign.added, "x = 1"),))])
    except UnusableAnswer:
        return
    assert read.findings == ()
