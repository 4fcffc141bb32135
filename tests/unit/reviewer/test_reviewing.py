"""The whole review by the models, on scripted answers: find, screen, judge, explain."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.telemetry import OpenTelemetry
from bot.demo.planted import confirmation, planted_review
from bot.domain.diff import Sign
from bot.domain.errors import Permanent, Transient
from bot.domain.excerpt import Excerpt, Row
from bot.domain.findings import Finding, Severity
from bot.domain.fingerprint import stamp
from bot.domain.policy import Policy
from bot.domain.prompt import PromptPart, Prompts, Skipped
from bot.domain.records import Task, ThreadRecord
from bot.domain.said import CutAnswer
from bot.ports import ModelReply, ModelRequest
from bot.reviewer.asking import Asker, Ledger
from bot.reviewer.guides import guides
from bot.reviewer.reviewing import Matter, Reviewed, Reviewing

CODE = [
    "import requests",
    "def total(values):",
    "    result = 0",
    "    for i in range(len(values) + 1):",
    "        result += values[i]",
    "    return result",
    "",
    "",
    "",
    "def mean(values):",
    "    return sum(values) / len(values)",
]
PATHS = ("a.py", "b.py")


def part(path: str) -> PromptPart:
    """Return a prompt that shows the code as added."""
    rows = tuple(Row(number, Sign.added, text) for number, text in enumerate(CODE, start=1))
    excerpt = Excerpt(path, rows)
    return PromptPart(f'File: "{path}"\n{excerpt.text}', (excerpt,))


PROMPTS = Prompts((part("a.py"),))
LOOP = {
    "path": "a.py", "line": 4, "end_line": 4, "quote": CODE[3], "category": "correctness", "severity": "high",
    "confidence": "high", "title": "Loop runs one past the end", "message": "values[len(values)] raises IndexError.",
    "evidence": [{"line": 5, "quote": CODE[4]}],
}  # fmt: skip
MEAN = LOOP | {
    "line": 11, "end_line": 11, "quote": CODE[10], "title": "Division by zero", "severity": "medium",
    "message": "An empty list raises ZeroDivisionError.", "evidence": [],
}  # fmt: skip

Answer = str | Exception
Script = Callable[[str, ModelRequest], Answer]


@dataclass
class Scripted:
    """A model that answers each kind of request by a script; it knows the kind as a server does."""

    script: Script
    name: str = "m"
    window_tokens: int = 8_192
    asked: list[tuple[str, ModelRequest]] = field(default_factory=list)

    async def identity(self) -> str:
        """Return a digest."""
        return "digest"

    def estimate_tokens(self, text: str) -> int:
        """Count four characters as one."""
        return len(text) // 4

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Answer as the script says; an exception is raised."""
        kind = next(iter(request.schema["properties"]))
        self.asked.append((kind, request))
        said = self.script(kind, request)
        if isinstance(said, Exception):
            raise said
        tokens = self.estimate_tokens(request.system + request.prompt)
        return ModelReply(said, self.name, "digest", tokens, len(said) // 4, 0.1)

    @property
    def kinds(self) -> list[str]:
        """Return what was asked for, in order."""
        return [kind for kind, _ in self.asked]


def said(**answers: Answer | Sequence[Mapping[str, Any]]) -> Script:
    """Return a script with one answer per kind; all claims are confirmed, and nothing is explained, unless given."""

    def script(kind: str, request: ModelRequest) -> Answer:
        answer = answers.get(kind, [])
        if kind == "verdicts" and kind not in answers:
            return confirmation({"messages": [{"content": request.prompt}]}).text
        return answer if isinstance(answer, str | Exception) else json.dumps({kind: answer})

    return script


def static(line: int, **more: Any) -> Finding:
    """Return a stamped finding of a scanner."""
    fields = {
        "scanner": "semgrep", "rule": "rule", "category": "security", "severity": Severity.high, "path": "a.py",
        "line": line, "end_line": line, "title": "Request without a timeout", "message": "It may wait for ever.",
    }  # fmt: skip
    (stamped,) = stamp([Finding.model_validate(fields | more)], {"a.py": CODE}, key=b"key")
    return stamped


async def review(
    model: Scripted,
    prompts: Prompts = PROMPTS,
    *,
    scanned: Sequence[Finding] = (),
    ledger: Ledger | None = None,
    patient: bool = False,
    policy: Policy | None = None,
    **known: Any,
) -> Reviewed:
    """Review a change whose files all read alike."""

    async def found() -> Sequence[Finding]:
        return scanned

    asker = Asker(dict.fromkeys(Task, model), MemoryAnswers(), OpenTelemetry(None))
    reviewing = Reviewing(asker, guides(), b"key", lambda text: text.replace("hunter2", "hu*****"))
    matter = Matter(policy=policy or Policy(), lines=dict.fromkeys(PATHS, CODE), static=found, **known)
    return await reviewing.review(prompts, matter, ledger=ledger or Ledger(uuid.uuid4()), patient=patient)


def lines(reviewed: Reviewed) -> list[tuple[int, bool, str]]:
    """Return line, confirmation and confidence of each finding."""
    return sorted((one.line, one.confirmed, one.confidence.value) for one in reviewed.findings)


async def test_what_is_found_is_confirmed_and_stamped() -> None:
    """Two requests for one part; each leaves an audit row of its task."""
    model, ledger = Scripted(said(findings=[LOOP, MEAN])), Ledger(uuid.uuid4())
    reviewed = await review(model, ledger=ledger)
    assert lines(reviewed) == [(4, True, "high"), (11, True, "high")]
    assert all(one.fingerprint for one in reviewed.findings)
    assert model.kinds == ["findings", "verdicts"]
    assert [call.task.value for call in ledger.calls] == ["review", "judge"]


async def test_silence_costs_one_request() -> None:
    """Nothing to judge and nothing to explain: nobody is asked."""
    model = Scripted(said())
    assert await review(model) == Reviewed()
    assert model.kinds == ["findings"]


async def test_a_refuted_finding_is_dropped() -> None:
    """With the reason of the second look."""
    verdict = {
        "claim": 0,
        "line": 4,
        "quote": CODE[3],
        "verdict": "refuted",
        "reason": "No.",
        "severity": "low",
    }
    reviewed = await review(Scripted(said(findings=[LOOP], verdicts=[verdict])))
    assert reviewed.findings == ()
    assert [(one.reason, one.detail) for one in reviewed.rejected] == [("a second look refuted it", "No.")]
    assert reviewed.remarks == ()


@pytest.mark.parametrize(
    "answer",
    [
        "I agree with everything.",
        "",
        Transient("busy"),
        Permanent("run `ollama pull judge`"),
        CutAnswer("cut", "{"),
    ],
)
async def test_without_a_second_look_findings_are_only_listed(answer: Answer) -> None:
    """They stay, with low confidence, and the reader is told why."""
    reviewed = await review(Scripted(said(findings=[LOOP], verdicts=answer)))
    assert lines(reviewed) == [(4, False, "low")]
    (remark,) = reviewed.remarks
    assert remark.startswith("Findings without a second look, so only listed: 1. Why: ")
    if isinstance(answer, Permanent):
        assert "ollama pull judge" in remark


async def test_a_judge_that_is_away_is_waited_for() -> None:
    """As long as the caller has patience; the first pass comes from the cache then."""
    with pytest.raises(Transient, match="away"):
        await review(Scripted(said(findings=[LOOP], verdicts=Transient("away"))), patient=True)


async def test_the_policy_can_do_without_a_second_look() -> None:
    """Then findings count as they were found, and nobody is asked again."""
    model = Scripted(said(findings=[LOOP]))
    policy = Policy.model_validate({"review": {"judge": False}})
    assert lines(await review(model, policy=policy)) == [(4, False, "high")]
    assert model.kinds == ["findings"]


async def test_what_would_not_become_a_comment_is_not_judged() -> None:
    """Nor is what has a comment already."""
    model = Scripted(said(findings=[LOOP | {"confidence": "low"}]))
    assert lines(await review(model)) == [(4, False, "low")]
    (found,) = (await review(Scripted(said(findings=[LOOP])))).findings
    thread = ThreadRecord(
        found.fingerprint, uuid.uuid4(), "open", "model", "correctness", "high", "a.py", found.anchor
    )
    known = Scripted(said(findings=[LOOP]))
    assert lines(await review(known, threads=[thread])) == [(4, False, "high")]
    assert model.kinds == known.kinds == ["findings"]


async def test_scanners_findings_are_explained_in_one_request() -> None:
    """Those that deserve a comment and that the model has seen; what it says of its own is not asked for twice."""
    answer = [{"finding": 0, "why": "`requests` is called by every page.", "false_positive": False}]
    model = Scripted(said(findings=[LOOP], explanations=answer))
    known = [
        static(1),
        static(4, category="correctness", title="Index past the end"),
        static(9, severity=Severity.info),
        static(3, category="secret", scanner="secrets"),
        static(2, commit="a" * 40),
        static(7, path="unseen.py"),
    ]
    reviewed = await review(model, scanned=known)
    assert {one.explains for one in reviewed.findings} == {known[0].fingerprint, known[1].fingerprint}
    assert model.kinds == ["findings", "explanations"]
    (prompt,) = [request.prompt for kind, request in model.asked if kind == "explanations"]
    assert prompt.count("semgrep rule") == 1
    assert "secrets" not in prompt


async def test_no_explanation_is_said_once_and_costs_nothing_else() -> None:
    """The scanners' findings are not the model's to lose."""
    reviewed = await review(Scripted(said(explanations="nonsense")), scanned=[static(1)])
    assert reviewed.findings == ()
    assert reviewed.remarks[0].startswith("No explanations of the scanners' findings: ")
    assert reviewed.problem == ""


async def test_secrets_reach_neither_the_judge_nor_the_summary() -> None:
    """Not even one that the model makes up, or that a rule has copied."""
    loop = LOOP | {"title": "hunter2 raises", "message": "hunter2 raises IndexError.", "test": "f('hunter2')"}
    answer = json.dumps({"findings": [loop], "changes": [{"path": "a.py", "summary": "Adds hunter2."}]})
    model = Scripted(said(findings=answer, explanations=[{"finding": 0, "why": "hunter2 is fixed here."}]))
    reviewed = await review(model, scanned=[static(1, message="hunter2 may wait.")])
    assert len(reviewed.findings) == 2
    assert "hunter2" not in repr(reviewed)
    assert not any("hunter2" in request.prompt for _, request in model.asked)


async def test_parts_without_an_answer_are_named_and_the_others_count() -> None:
    """A partial result stays."""

    def script(kind: str, request: ModelRequest) -> Answer:
        if kind == "findings" and "b.py" in request.prompt:
            return Transient("the model has stopped answering")
        return said(findings=[LOOP])(kind, request)

    prompts = Prompts((part("a.py"), part("b.py")), (Skipped("c.bin", "it is binary"),))
    reviewed = await review(Scripted(script), prompts, patient=True)
    assert lines(reviewed) == [(4, True, "high")]
    assert reviewed.not_analysed == {"b.py": "the model has stopped answering", "c.bin": "it is binary"}
    assert reviewed.problem == ""


async def test_a_part_that_met_a_busy_server_is_asked_once_more() -> None:
    """The other part was answered, so the server is there; a full queue costs nobody a file."""
    busy = [Transient("the model server is busy (503)")]

    def script(kind: str, request: ModelRequest) -> Answer:
        if kind == "findings" and "b.py" in request.prompt and busy:
            return busy.pop()
        return said(findings=[])(kind, request)

    model = Scripted(script)
    reviewed = await review(model, Prompts((part("a.py"), part("b.py"))))
    assert reviewed.not_analysed == {}
    assert len(model.asked) == 3


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Permanent("no model m; run `ollama pull m`"), "ollama pull m"),
        (Transient("the model server is busy (503)"), "busy"),
        (Transient("the model did not finish in 60 s"), "60 s"),
        (Transient("the model's answer is useless, it repeats itself"), "repeats itself"),
        (CutAnswer("the answer was cut at 2048 tokens", '{"findings": ['), "cut at 2048"),
        ("Looks good to me!", "holds no JSON object"),
        ("", "holds no JSON object"),
        ('{"findings": "none"}', "holds no JSON object"),
        ('{"findings": [{"path": "a.py", "line": "4"}]}', "has the form"),
    ],
)
async def test_a_model_that_gives_no_answer_is_a_problem_with_a_name(answer: Answer, says: str) -> None:
    """No second question is asked of a model that could not answer the first."""
    model = Scripted(said(findings=answer))
    reviewed = await review(model, scanned=[static(1)])
    assert says in reviewed.problem
    assert reviewed.findings == ()
    assert set(model.kinds) == {"findings"}


@pytest.mark.parametrize("cut", [CutAnswer, str])
async def test_what_an_answer_said_before_it_broke_off_counts(cut: type) -> None:
    """Whether the server tells or not; the file is named as not fully reviewed."""
    text = json.dumps({"findings": [LOOP, MEAN]})[:-40]
    model = Scripted(said(findings=CutAnswer("at the limit", text) if cut is CutAnswer else text))
    reviewed = await review(model)
    assert lines(reviewed) == [(4, True, "high")]
    assert list(reviewed.not_analysed) == ["a.py"]
    assert "broke off" in reviewed.not_analysed["a.py"]


async def test_a_hundred_findings_are_a_handful() -> None:
    """The rest is counted as rejected."""
    many = [LOOP | {"title": f"Loop runs past the end {n}", "line": n % 11 + 1} for n in range(100)]
    reviewed = await review(Scripted(said(findings=many)))
    assert len(reviewed.findings) == 1
    assert len(reviewed.rejected) == 99


async def test_only_the_gravest_are_judged() -> None:
    """What lies beyond could not become a comment anyway, and is listed."""
    parts = tuple(part(f"{n}.py") for n in range(20))

    def script(kind: str, request: ModelRequest) -> Answer:
        path = (
            json.loads(request.prompt.split("\n", 1)[0].removeprefix("File: ")) if kind == "findings" else ""
        )
        return said(findings=[LOOP | {"path": path}])(kind, request)

    model = Scripted(script)
    reviewed = await review(model, Prompts(parts))
    assert model.kinds.count("verdicts") == 2
    assert sum(one.confirmed for one in reviewed.findings) == 16
    assert len(reviewed.findings) == 20


async def test_judging_and_explaining_stay_small() -> None:
    """Together they read less than finding does, on a change of usual size."""
    rows = tuple(Row(n, Sign.added, CODE[(n - 1) % len(CODE)]) for n in range(1, 2_000))
    chunks = [Excerpt("a.py", rows[at : at + 300]) for at in range(0, len(rows), 300)]
    parts = tuple(PromptPart(f'File: "a.py"\n{one.text}', (one,)) for one in chunks)

    def script(kind: str, request: ModelRequest) -> Answer:
        return planted_review({"format": request.schema, "messages": [{"content": request.prompt}]}).text

    model = Scripted(script, window_tokens=16_384)
    await review(model, Prompts(parts), scanned=[static(1), static(23)])
    sizes = dict.fromkeys(("findings", "verdicts", "explanations"), 0)
    for kind, request in model.asked:
        sizes[kind] += model.estimate_tokens(request.system + request.prompt)
    assert 0 < sizes["explanations"]
    assert sizes["verdicts"] + sizes["explanations"] < sizes["findings"] / 2
