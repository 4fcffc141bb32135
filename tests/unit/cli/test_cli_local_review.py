"""The flow of a local review, with scanners and model that say what they are told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.telemetry import OpenTelemetry
from bot.cli import review_text
from bot.cli.local_review import Reviewed, Reviewer
from bot.cli.review import FailOn, stands_in_the_way
from bot.cli.subject import Subject
from bot.cli.working_tree import added_file
from bot.demo.planted import confirming
from bot.demo.script import silent
from bot.domain.diff import Diff
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding, Fix, ScanReport, Severity
from bot.domain.policy import Policy
from bot.domain.records import Task
from bot.ports import Command, Completed, ModelReply, ModelRequest, Runner
from bot.reviewer.asking import Asker
from bot.reviewer.guides import guides
from bot.reviewer.reviewing import Reviewing
from bot.scanners import Source

CODE = b"import os\nos.system(command)\npassword = 'hunter2'\n"
DIFF = Diff((added_file("app.py", CODE),))


def finding(**values: object) -> Finding:
    """Return a finding on line 2 of app.py."""
    wanted = {
        "scanner": "semgrep",
        "rule": "shell",
        "category": "security",
        "severity": Severity.high,
        "path": "app.py",
        "line": 2,
        "end_line": 2,
        "title": "Shell injection",
        "message": "The command is not checked.",
    }
    return Finding.model_validate({**wanted, **values})


@dataclass
class FakeScanner:
    """Report what it was given."""

    report: ScanReport
    name: str = "semgrep"
    everywhere: bool = False
    history: bool = False
    seen: list[str] = field(default_factory=list)

    def wants(self, path: str) -> bool:
        return path.endswith(".py")

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        self.seen += [source.path for source in sources]
        return self.report


class NoRunner:
    """Run nothing; Python, which is asked about fixes, takes everything."""

    async def run(self, command: Command) -> Completed:
        return Completed(0, b"yes\n" * len(command.files), b"")


@dataclass
class FakeModel:
    """Give the answers in turn to who asks for findings, and confirm them; an exception is raised."""

    answers: list[str | Exception]
    asked: list[ModelRequest] = field(default_factory=list)
    name: str = "deepseek"
    window_tokens: int = 16_384

    async def identity(self) -> str:
        return "sha256:0"

    def estimate_tokens(self, text: str) -> int:
        return len(text) // 3 + 1

    async def answer(self, request: ModelRequest) -> ModelReply:
        if "findings" not in request.schema["properties"]:
            asked = {"format": request.schema, "messages": [{"content": request.prompt}]}
            return ModelReply(confirming(silent)(asked).text, self.name, "sha256:0", 1, 1, 0.1)
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return ModelReply(answer, self.name, "sha256:0", 1, 1, 0.1)


def redact(text: str) -> str:
    """Mask the one secret of these tests."""
    return text.replace("hunter2", "hu*****")


def reviewer(*findings: Finding, model: FakeModel | None = None, **report: object) -> Reviewer:
    """Return a reviewer with one scanner."""
    scanner = FakeScanner(ScanReport.model_validate({"scanner": "semgrep", "findings": findings, **report}))
    if model is None:
        return Reviewer((scanner,), NoRunner(), b"key", redact)
    asker = Asker(dict.fromkeys(Task, model), MemoryAnswers(), OpenTelemetry(None))
    return Reviewer(
        (scanner,), NoRunner(), b"key", redact, reviewing=Reviewing(asker, guides(), b"key", redact)
    )


def subject(diff: Diff, contents: Mapping[str, bytes], before: bytes | None = None) -> Subject:
    """Return a change; all files were *before*."""
    return Subject(diff, diff, contents, {}, Policy(), "main", Path(), lambda _: before)


def answer(**values: object) -> str:
    """Return a model's answer with one finding on line 2."""
    wanted = {
        "path": "app.py",
        "line": 2,
        "end_line": 2,
        "quote": "os.system(command)",
        "category": "correctness",
        "severity": "medium",
        "confidence": "high",
        "title": "Exit status is ignored",
        "message": "Check it.",
    }
    return json.dumps({"findings": [{**wanted, **values}]})


async def test_findings_are_stamped_and_clipped_to_the_change():
    """What is wrong elsewhere is not this change's business."""
    reviewed = await reviewer(finding(), finding(path="other.py")).review(subject(DIFF, {"app.py": CODE}))

    (found,) = reviewed.findings
    assert (found.path, found.line) == ("app.py", 2)
    assert found.fingerprint
    assert found.anchor


async def test_what_nobody_looked_at_is_listed():
    """A file that a scanner gave up on, and one that could not be read, are named."""
    diff = Diff((*DIFF.files, added_file("huge.bin", b"x\n"), added_file("logo.png", b"\0")))

    reviewed = await reviewer(not_analysed={"app.py": "timeout"}).review(subject(diff, {"app.py": CODE}))

    assert reviewed.not_reviewed == {
        "huge.bin": "too large, or not a readable file",
        "logo.png": "binary",
        "app.py (semgrep)": "timeout",
    }


async def test_a_finding_in_a_file_that_could_not_be_read_is_kept():
    """The model may have seen a file's diff although its content was out of reach."""
    reviewed = await reviewer(model=FakeModel([answer()])).review(subject(DIFF, {}))

    assert [found.path for found in reviewed.findings] == ["app.py"]
    assert list(review_text.render(reviewed))


async def test_the_models_findings_join_those_of_the_scanners():
    """Both parts end up in one list, in file order."""
    reviewed = await reviewer(finding(line=3, end_line=3), model=FakeModel([answer()])).review(
        subject(DIFF, {"app.py": CODE})
    )

    assert [(found.scanner, found.line) for found in reviewed.findings] == [("model", 2), ("semgrep", 3)]


async def test_the_model_never_sees_a_secret():
    """The prompt holds the masked line."""
    model = FakeModel([json.dumps({"findings": []})])

    await reviewer(model=model).review(subject(DIFF, {"app.py": CODE}))

    assert "hunter2" not in model.asked[0].prompt
    assert "hu*****" in model.asked[0].prompt


async def test_a_useless_answer_is_asked_for_once_more_with_another_seed():
    """The second answer counts."""
    model = FakeModel(["nonsense", answer()])

    reviewed = await reviewer(model=model).review(subject(DIFF, {"app.py": CODE}))

    assert [found.scanner for found in reviewed.findings] == ["model"]
    assert [request.seed for request in model.asked] == [0, 1]


@pytest.mark.parametrize(
    "answers", [["nonsense", "nonsense"], [Transient("it stalls")], [Permanent("too old")]]
)
async def test_a_model_that_fails_costs_only_its_part(answers: list[str | Exception]):
    """The scanners' findings are there, and the gap is named."""
    reviewed = await reviewer(finding(), model=FakeModel(answers)).review(subject(DIFF, {"app.py": CODE}))

    assert [found.scanner for found in reviewed.findings] == ["semgrep"]
    assert list(reviewed.not_reviewed) == ["app.py (model)"]


async def test_a_fix_that_repeats_a_secret_is_dropped():
    """Masked it would break the code, unmasked it would leak."""
    fix = Fix(line=3, end_line=3, replacement="password = read('hunter2')")

    reviewed = await reviewer(finding(line=3, end_line=3, fix=fix)).review(subject(DIFF, {"app.py": CODE}))

    assert [found.fix for found in reviewed.findings] == [None]


async def test_a_secret_that_a_rule_copies_into_its_words_is_masked():
    """Whatever form the report has, it is made of these findings."""
    found = finding(title="Uses hunter2", message="The value hunter2 is fixed.")

    reviewed = await reviewer(found).review(subject(DIFF, {"app.py": CODE}))

    assert "hunter2" not in repr(reviewed.findings)


async def shown(*findings: Finding) -> str:
    """Return the text report of *findings*."""
    reviewed = await reviewer(*findings).review(subject(DIFF, {"app.py": CODE}))
    return "\n".join(line.plain for line in review_text.render(reviewed))


def rendered(fix: Fix) -> str:
    """Return the text report of a finding with *fix*."""
    reviewed = Reviewed((finding(fix=fix),), {"app.py": CODE.decode().split("\n")})
    return "\n".join(line.plain for line in review_text.render(reviewed))


def test_the_text_report_says_what_was_proven_of_a_fix():
    """Or why it is not to be trusted."""
    fix = Fix(line=2, end_line=2, replacement="run(command)")
    proven = fix.model_copy(update={"verified": ("applies", "parses", "gone:semgrep", "clean:semgrep")})
    said = "applies, parses, semgrep no longer reports it, semgrep reports nothing new"
    assert f"suggested fix (checked: {said}):" in rendered(proven)
    refused = fix.model_copy(update={"refusal": "the file would not parse any more"})
    assert "to be made by hand because the file would not parse any more:" in rendered(refused)


async def test_a_scanner_that_breaks_on_a_fix_costs_the_fix_only():
    """The findings are there already."""
    local = reviewer(finding(fix=Fix(line=2, end_line=2, replacement="run(command)")))
    (scanner,) = local.scanners
    scan = scanner.scan

    async def once(sources: Sequence[Source], runner: Runner) -> ScanReport:
        if any(source.stands_for for source in sources):
            raise Transient("broken")
        return await scan(sources, runner)

    scanner.scan = once  # type: ignore[method-assign]
    reviewed = await local.review(subject(DIFF, {"app.py": CODE}))
    assert ["checking it failed"] == [one.fix.refusal for one in reviewed.findings if one.fix]


async def test_the_text_report_shows_code_message_and_fix():
    """A reader sees what is meant without opening the file."""
    report = await shown(finding(fix=Fix(line=2, end_line=2, replacement="run(command)")))

    assert report.splitlines() == [
        "app.py",
        "  2  high  Shell injection  [semgrep: shell]",
        "      | os.system(command)",
        "      The command is not checked.",
        "      possible change, to be made by hand because the changed file could not be scanned:",
        "      - os.system(command)",
        "      + run(command)",
        "",
        "1 finding: 1 high",
    ]


async def test_the_text_report_masks_secrets_in_quoted_code():
    """A terminal's history and a job's log are read by many."""
    report = await shown(finding(line=3, end_line=3))

    assert "hunter2" not in report
    assert "| password = 'hu*****'" in report


@given(st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Lu"])))
def test_nothing_in_a_report_steers_the_terminal(text: str):
    """Escape sequences, fake line ends and bidirectional marks do not get through."""
    reviewed = Reviewed((finding(title=f"t{text}", rule=f"r{text}"),), {"app.py": ["", f"code{text}"]})

    lines = [line.plain for line in review_text.render(reviewed)]

    assert all(line.isprintable() for line in lines)
    assert len(lines) == 6


def test_no_findings_are_said_in_words():
    """Silence would look like a crash."""
    assert review_text.summary(Reviewed()) == "no findings"


@pytest.mark.parametrize(
    ("severity", "fail_on", "expected"),
    [
        ("high", None, True),
        ("medium", None, False),
        ("medium", FailOn.medium, True),
        ("low", FailOn.medium, False),
        ("info", FailOn.info, True),
        ("critical", FailOn.never, False),
    ],
)
def test_the_exit_status_follows_the_option_or_else_the_gate(
    severity: str, fail_on: FailOn | None, expected: bool
):
    """Without --fail-on the policy of the base decides."""
    findings = [finding(severity=Severity(severity))]

    assert stands_in_the_way(findings, Policy(), fail_on) is expected
