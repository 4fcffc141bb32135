"""An answer about one finding shows the code that there is, masks secrets, and offers only fixes that hold."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.telemetry import OpenTelemetry
from bot.domain.errors import Permanent
from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.question import Question, Told
from bot.domain.records import Task
from bot.domain.run import Run
from bot.domain.suggestion import SuggestionBlock
from bot.ports import Blob, Command, Completed, ModelReply, ModelRequest
from bot.reviewer.answering import Answering, guide
from bot.reviewer.asking import Asker, Ledger

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
CODE = "def known(value):\n    if value == None:\n        return 's3cret'\n    return True\n"
FIX = {"line": 2, "end_line": 2, "replacement": "    if value is None:"}


def finding(**changes: object) -> Finding:
    base = {
        "scanner": "model",
        "rule": "correctness",
        "category": "correctness",
        "severity": Severity.medium,
        "path": "a.py",
        "line": 2,
        "end_line": 2,
        "title": "Comparison with None",
        "message": "m",
        "fingerprint": "f1",
    }
    return Finding.model_validate(base | changes)


class Model:
    """A model that gives one answer after the other."""

    name = "m"

    def __init__(self, *answers: Any, window: int = 8192) -> None:
        self.answers = list(answers)
        self.window_tokens = window
        self.asked: list[ModelRequest] = []

    async def identity(self) -> str:
        """Return the digest."""
        return "d"

    def estimate_tokens(self, text: str) -> int:
        """Count generously."""
        return len(text) // 3

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return the next answer."""
        self.asked.append(request)
        return ModelReply(json.dumps({"answer": [self.answers.pop(0)]}), self.name, "d", 7, 3, 0.5)


class Tree:
    """The files at the head."""

    def __init__(self, **files: bytes | None) -> None:
        self.files = {f"{name}.py": Blob(9, content) for name, content in files.items()}

    async def read(self, _: Revision, paths: Sequence[str]) -> dict[str, Blob]:
        """Return those that are there."""
        return {path: self.files[path] for path in paths if path in self.files}


class Python:
    """Says of the file before and after the fix whether it compiles."""

    def __init__(self, after: bool) -> None:
        self.after = after

    async def run(self, _: Command) -> Completed:
        """Say so."""
        return Completed(0, b"yes\n" + (b"yes\n" if self.after else b"no\n"), b"")


async def ask(
    question: Question, model: Model, tree: Tree | None = None, *, fetched: bool = True, sound: bool = True
) -> tuple[Told | None, Ledger]:
    revision = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha="a" * 40)
    run = Run(
        id=uuid.uuid4(),
        ref=REF,
        head_sha="a" * 40,
        revision=revision if fetched else None,
        created_at=datetime.now(UTC),
    )
    ledger = Ledger(run.id)
    answering = Answering(
        Asker(dict.fromkeys(Task, model), MemoryAnswers(), OpenTelemetry(None)),
        guide(),
        tree or Tree(a=CODE.encode()),  # type: ignore[arg-type]
        {},
        Python(sound),
        lambda text: text.replace("s3cret", "[masked]"),
    )
    return await answering.ask(question, run, ledger=ledger), ledger


async def test_the_code_is_shown_and_the_answer_masked() -> None:
    """A secret neither reaches the model nor comes back from it; the call leaves a row."""
    model = Model({"text": "It may be s3cret."})
    told, ledger = await ask(Question(finding(), words="why?"), model)
    assert told == Told("It may be [masked].")
    (asked,) = model.asked
    assert "if value == None:" in asked.prompt
    assert "Question: why?" in asked.prompt
    assert "s3cret" not in asked.prompt
    assert [call.task for call in ledger.calls] == [Task.review]


@pytest.mark.parametrize(
    ("question", "tree", "fetched"),
    [
        (Question(finding()), Tree(b=b"x"), True),
        (Question(finding()), Tree(a=None), True),
        (Question(finding()), None, False),
        (Question(finding(line=99, end_line=99)), None, True),
    ],
    ids=["no file", "too large", "not fetched", "no such line"],
)
async def test_nothing_is_asked_about_code_that_is_not_there(
    question: Question, tree: Tree | None, fetched: bool
) -> None:
    """There is no answer, and no call."""
    model = Model()
    told, ledger = await ask(question, model, tree, fetched=fetched)
    assert told is None
    assert (model.asked, list(ledger.calls)) == ([], [])


async def test_a_window_that_is_too_small_is_told() -> None:
    """With its size, so that the operator knows what to change."""
    with pytest.raises(Permanent, match="window of 512 tokens"):
        await ask(Question(finding()), Model(window=512))


@pytest.mark.parametrize("sound", [True, False])
async def test_a_fix_is_judged_before_it_is_offered(sound: bool) -> None:
    """What was proven comes with it; one that breaks the file is no suggestion."""
    model = Model({"text": "So.", "fix": FIX})
    told, _ = await ask(Question(finding(), fix=True, anchor=2), model, sound=sound)
    assert told is not None
    assert told.fix is not None
    assert "    if value is None:" in told.fix.replacement
    assert (sound, sound) == (bool(told.fix.verified), isinstance(told.offer, SuggestionBlock))


@pytest.mark.parametrize("anchor", [None, 3])
async def test_a_fix_in_a_thread_elsewhere_is_no_suggestion(anchor: int | None) -> None:
    """GitLab counts its lines from the thread's."""
    told, _ = await ask(Question(finding(), fix=True, anchor=anchor), Model({"text": "So.", "fix": FIX}))
    assert told is not None
    assert told.offer == "this thread stands at another line"


async def test_a_fix_that_nobody_asked_for_is_dropped() -> None:
    """And so is one of lines that the finding is not about."""
    for question, fix in (
        (Question(finding()), FIX),
        (Question(finding(), fix=True, anchor=2), {**FIX, "line": 400, "end_line": 400}),
    ):
        told, _ = await ask(question, Model({"text": "So.", "fix": fix}))
        assert told == Told("So.")
