"""Who is asked what a merge has mended, about how much, and what follows where nobody answers."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.records import Task
from bot.domain.run import Run
from bot.domain.signals import Comment, comment_id
from bot.ports import Blob, ModelRequest
from bot.reviewer.mending import Mending, guide

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=1)
RUN = Run(
    id=uuid.uuid5(uuid.NAMESPACE_OID, "run"),
    ref=REF,
    head_sha="b" * 40,
    revision=Revision(ref=REF, base_sha="c" * 40, start_sha="c" * 40, head_sha="b" * 40),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
#: Every second line has changed; they are so long that few claims fit into a request.
THEN = [f"value_{n} = compute({n}, '{'x' * 60}')" for n in range(1, 101)]
NOW = [line if n % 2 else f"{line}  # noqa" for n, line in enumerate(THEN, start=1)]
SEVERITIES = [Severity.low, Severity.high]


def comment(line: int, **changes: Any) -> Comment:
    """Return a comment of the model on a line, grave ones on every second such."""
    fields: dict[str, Any] = {
        "id": comment_id(REF, f"f{line}"),
        "ref": REF,
        "fingerprint": f"f{line}",
        "run_id": RUN.id,
        "head_sha": "a" * 40,
        "rule": "correctness",
        "scanner": "model",
        "category": "correctness",
        "severity": SEVERITIES[line // 2 % 2].value,
        "confidence": "high",
        "path": "a.py",
        "line": line,
        "end_line": line,
        "posted_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Comment(**fields | changes)


def finding(line: int) -> Finding:
    """Return what it is about."""
    return Finding(
        scanner="model",
        rule="correctness",
        category="correctness",
        severity=Severity.high,
        path="a.py",
        line=line,
        end_line=line,
        title=f"Line {line} fails",
        message="It does.",
        fingerprint=f"f{line}",
    )


@dataclass
class Kept:
    """What was found, and the code: both versions of one file."""

    error: Exception | None = None

    async def run(self, run_id: uuid.UUID) -> Run:
        return RUN

    async def findings(self, run_id: uuid.UUID) -> Mapping[str, Sequence[Finding]]:
        return {"review": [finding(line) for line in range(2, 101, 2)]}

    async def threads(self, ref: MergeRequestRef) -> Mapping[str, Any]:
        return {}

    async def diff(self, revision: Revision) -> Diff:
        if self.error:
            raise self.error
        hunks = tuple(
            Hunk(n, 1, n, 1, "", (DiffLine(Sign.removed, n, None, THEN[n - 1]), DiffLine(Sign.added, None, n, NOW[n - 1])))
            for n in range(2, 101, 2)
        )  # fmt: skip
        return Diff((FileDiff("a.py", "a.py", Change.modified, hunks=hunks),))

    async def read(self, revision: Revision, paths: Sequence[str], *, side: str = "head") -> dict[str, Blob]:
        content = "\n".join(THEN if side == "base" else NOW).encode()
        return dict.fromkeys(paths, Blob(len(content), content))


@dataclass
class Asked:
    """Says that all is mended, by the line that each claim is about, or fails; it remembers what it was asked."""

    error: Exception | None = None
    wait_s: float = 0.0
    prompts: list[str] = field(default_factory=list)
    models: Any = field(
        default_factory=lambda: {
            Task.judge: SimpleNamespace(window_tokens=16_384, estimate_tokens=lambda text: len(text) // 3)
        }
    )

    async def ask(
        self, task: Task, request: ModelRequest, read: Callable[[str], Any], *, version: str, ledger: Any
    ) -> Any:
        assert (Task.judge, guide().version, RUN.id) == (task, version, ledger.run_id)
        self.prompts.append(request.prompt)
        await asyncio.sleep(self.wait_s)
        if self.error:
            raise self.error
        lines = [
            int(found) for found in re.findall(r"Claim \d+: correctness, line (\d+) of then", request.prompt)
        ]
        said = [
            {"claim": n, "line": line, "quote": NOW[line - 1], "reason": "So.", "verdict": "mended"}
            for n, line in enumerate(lines)
        ]
        return read(json.dumps({"rulings": said}))


def mending(asked: Asked, kept: Kept | None = None, limit_s: float = 5.0) -> Mending:
    """Return a judge."""
    kept = kept or Kept()
    return Mending(asked, guide(), kept, kept, lambda text: text, b"key", limit_s)  # type: ignore[arg-type]


async def test_a_few_findings_are_one_request() -> None:
    """Each is judged by itself."""
    asked = Asked()
    judgement = await mending(asked).judge([comment(2), comment(40)], RUN)
    assert {"f2": 2, "f40": 40} == {mark: one.line for mark, one in judgement.verdicts.items()}
    assert frozenset() == judgement.later
    assert 1 == len(asked.prompts)


async def test_no_more_than_two_requests_are_made() -> None:
    """The gravest findings are in them; the others are left out for good."""
    asked = Asked()
    judgement = await mending(asked).judge([comment(line) for line in range(2, 101, 2)], RUN)
    assert 2 == len(asked.prompts)
    assert all(len(one) // 3 <= 4_000 for one in asked.prompts)
    assert 6 <= len(judgement.verdicts) <= 16
    assert {"high"} == {comment(one.line).severity for one in judgement.verdicts.values()}
    assert frozenset() == judgement.later


@pytest.mark.parametrize(
    ("asked", "later"),
    [
        (Asked(error=Transient("away")), {"f2"}),
        (Asked(wait_s=60), {"f2"}),
        (Asked(error=Permanent("no such model")), set()),
    ],
)
async def test_what_nobody_answers_is_left_for_later(asked: Asked, later: set[str]) -> None:
    """As long as somebody may answer then."""
    judgement = await mending(asked, limit_s=0.05).judge([comment(2)], RUN)
    assert ({}, later) == (judgement.verdicts, judgement.later)


async def test_two_merge_requests_are_judged_at_a_time() -> None:
    """A third one is put off at once, and has its turn when a place is free."""
    asked = Asked(wait_s=0.05)
    judge = mending(asked)
    judgements = await asyncio.gather(*(judge.judge([comment(2)], RUN) for _ in range(3)))
    assert [frozenset(), frozenset(), {"f2"}] == [one.later for one in judgements]
    assert 2 == len(asked.prompts)
    assert (await judge.judge([comment(2)], RUN)).verdicts


@pytest.mark.parametrize("changes", [{"fingerprint": "f3"}, {"path": "b.py"}])
async def test_what_is_not_kept_is_not_asked(changes: dict[str, Any]) -> None:
    """The finding or its file is not there any more."""
    asked = Asked()
    assert {} == (await mending(asked).judge([comment(2, **changes)], RUN)).verdicts
    assert [] == asked.prompts


async def test_code_that_is_out_of_reach_is_left_for_later() -> None:
    """Not so code that nobody may have."""
    asked = Asked()
    judgement = await mending(asked, Kept(Transient("the forge is away"))).judge([comment(2)], RUN)
    assert ({}, {"f2"}, []) == (judgement.verdicts, judgement.later, asked.prompts)
    assert frozenset() == (await mending(asked, Kept(Permanent("denied"))).judge([comment(2)], RUN)).later


async def test_a_secret_in_a_name_is_not_shown() -> None:
    """Such a file is left out whole."""
    asked = Asked()
    judge = replace(mending(asked), redact=lambda text: text.replace("a.py", "[masked]"))
    assert {} == (await judge.judge([comment(2)], RUN)).verdicts
    assert [] == asked.prompts
