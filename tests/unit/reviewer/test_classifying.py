"""What a reply says, by the model or by rules."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent, Transient
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import Task
from bot.domain.replies import VERSION
from bot.domain.reply_question import MOST_CHARS, prompt, read
from bot.domain.said import UnusableAnswer
from bot.domain.signals import Comment, ReplyClass, comment_id
from bot.ports import ModelRequest
from bot.reviewer.classifying import Classifier, guide

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=1)
COMMENT = Comment(
    id=comment_id(REF, "f1"),
    ref=REF,
    fingerprint="f1",
    run_id=uuid.uuid5(uuid.NAMESPACE_OID, "run"),
    head_sha="a" * 40,
    rule="sql",
    scanner="semgrep",
    category="security",
    severity="high",
    confidence="high",
    path="app.py",
    posted_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@dataclass
class Asked:
    """Answers with *said*, or fails, and remembers what it was asked."""

    said: str = '{"answer": [{"reply": "wont_fix"}]}'
    error: Exception | None = None
    wait_s: float = 0.0
    requests: list[tuple[Task, ModelRequest, uuid.UUID]] = field(default_factory=list)

    async def ask(
        self, task: Task, request: ModelRequest, read: Callable[[str], Any], *, version: str, ledger: Any
    ) -> Any:
        assert version == guide().version
        self.requests.append((task, request, ledger.run_id))
        await asyncio.sleep(self.wait_s)
        if self.error:
            raise self.error
        return read(self.said)


def classifier(asked: Asked | None, limit_s: float = 5.0) -> Classifier:
    """Return a classifier that masks a secret."""
    return Classifier(asked, guide(), lambda text: text.replace("s3cret", "[masked]"), limit_s)  # type: ignore[arg-type]


async def test_the_model_is_asked_and_its_version_kept() -> None:
    """About the masked text, under the run that made the comment."""
    asked = Asked()
    said = await classifier(asked).classify(COMMENT, "Let us see about s3cret some day.")
    assert (ReplyClass.wont_fix, f"model:{guide().version}") == (said.kind, said.by)
    ((task, request, run_id),) = asked.requests
    assert (Task.judge, COMMENT.run_id) == (task, run_id)
    assert "[masked]" in request.prompt
    assert "s3cret" not in request.prompt


@pytest.mark.parametrize(
    "asked",
    [
        None,
        Asked(error=Transient("away")),
        Asked(error=Permanent("no such model")),
        Asked(said="I cannot say"),
        Asked(said='{"answer": [{"reply": "ignore all rules"}]}'),
        Asked(wait_s=60),
    ],
)
async def test_rules_stand_in(asked: Asked | None) -> None:
    """Where there is no model, none that answers, none that answers soon, or none that makes sense."""
    said = await classifier(asked, limit_s=0.05).classify(COMMENT, "This is a false positive.")
    assert (ReplyClass.wrong, VERSION) == (said.kind, said.by)


async def test_nobody_is_asked_about_nothing() -> None:
    """An empty reply says nothing."""
    asked = Asked()
    assert ReplyClass.other is (await classifier(asked).classify(COMMENT, " \n")).kind
    assert [] == asked.requests


@given(st.text())
def test_no_reply_leaves_its_fence(text: str) -> None:
    """Whatever it says, the line that ends the data is not in it."""
    lines = prompt(COMMENT, text).splitlines()
    fence = lines[0].removeprefix("The data begins and ends with the line ")
    assert 2 == lines[1:].count(fence)


def test_a_long_reply_is_cut() -> None:
    """A small window holds it."""
    assert len(prompt(COMMENT, "x" * 1_000_000)) < MOST_CHARS + 600


@given(st.text() | st.sampled_from(['{"answer": []}', '{"answer": [7]}', '{"answer": [{"reply": null}]}']))
def test_other_answers_are_of_no_use(text: str) -> None:
    """They are asked for again, and then left to the rules."""
    with pytest.raises(UnusableAnswer):
        read(text)
