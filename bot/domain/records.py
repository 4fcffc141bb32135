"""What is remembered about merge requests, threads and model calls."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass
from datetime import datetime

from bot.domain.merge_request import MergeRequestRef


@dataclass(frozen=True, slots=True)
class MergeRequestState:
    """Hold the newest head that we know of a merge request, and what we posted on it.

    ``posting`` is True from before the first draft of a publication until all of it is visible, and for good once
    that was broken off: drafts may be left over then. ``paused`` heads are reviewed only when somebody asks.
    """

    ref: MergeRequestRef
    head_sha: str | None = None
    updated_at: datetime | None = None
    closed: bool = False
    run_id: uuid.UUID | None = None
    summary_note_id: int | None = None
    posting: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class ThreadRecord:
    """Hold what we know of a discussion that we opened, or are about to open."""

    fingerprint: str
    run_id: uuid.UUID
    state: str
    scanner: str
    rule: str
    severity: str
    path: str
    anchor: str
    discussion_id: str | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """Hold that somebody does not want to hear of a finding in a project again, before ``until``.

    ``iid`` is the merge request on which it was said, ``user_id`` who said so, None where that is not known.
    """

    fingerprint: str
    rule: str
    iid: int
    until: datetime
    reason: str = ""
    user_id: int | None = None


class Task(enum.StrEnum):
    """What a model is asked for; each may have a model of its own."""

    review = "review"
    judge = "judge"
    tests = "tests"


class CallOutcome(enum.StrEnum):
    """What became of a model call; ``asked`` stays where no answer was waited for, as when a newer head won."""

    asked = "asked"
    used = "used"
    cached = "cached"
    unusable = "unusable"
    failed = "failed"


@dataclass(frozen=True, slots=True)
class AnsweredComment:
    """Hold that a comment was acted on: a comment is, once, whatever is delivered or edited later."""

    note_id: int
    author_id: int
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelCallRecord:
    """Hold the audit row of one model call: hashes and counts, no text."""

    id: uuid.UUID
    run_id: uuid.UUID
    model: str
    digest: str
    prompt_version: str
    input_sha256: str
    output_sha256: str
    prompt_tokens: int
    output_tokens: int
    duration_s: float
    outcome: CallOutcome
    task: Task = Task.review
