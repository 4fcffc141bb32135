"""What dashboards show of single reviews, and of the state of the service."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.dead_letters import DeadLetter
from bot.domain.labels import Censored
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import ModelCallRecord
from bot.domain.review_fact import Reason

#: So many comments and model calls of one review are shown.
MOST = 500
#: The state of a review that retention has removed from the inside.
REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Name the review or the comment after which a page begins, by when it began or was posted."""

    at: datetime
    id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """Hold one review as a line of a list; ``title`` is that of the merge request, secrets masked.

    ``verdict`` is what the gate says in a few words, ``blocks`` are the titles of the first findings that block. Of a
    review whose ``state`` is `REMOVED`, only figures are kept.
    """

    run_id: uuid.UUID
    ref: MergeRequestRef
    project: str
    title: str
    head_sha: str
    state: str
    created_at: datetime
    published_at: datetime | None
    generated: int
    posted: int
    blocking: int
    waived: int
    files: int
    files_read: int
    verdict: str = ""
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reviews:
    """Hold a page of reviews, the newest first; ``following`` is where the next page begins, None at the end."""

    lines: tuple[ReviewLine, ...]
    following: Cursor | None = None


@dataclass(frozen=True, slots=True)
class StepLine:
    """Hold how one part of a review ended."""

    name: str
    outcome: str
    problem: str
    duration_s: float
    tokens: int


@dataclass(frozen=True, slots=True)
class SaidLine:
    """Hold a finding: what became of its thread, or the ``reason`` why it has none.

    ``label`` is empty where there is none yet, ``state`` where there is no thread.
    """

    fingerprint: str
    scanner: str
    rule: str
    severity: str
    path: str
    line: int
    title: str
    state: str = ""
    label: str = ""
    censored_why: Censored | None = None
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReviewDetail:
    """Hold one review: what was done, said and left unsaid.

    ``unread`` says by path why a file was not read, or not whole; ``trace_id`` is empty where no trace was kept.
    ``removed_at`` says when retention took all of this away, None where it did not.
    """

    line: ReviewLine
    steps: tuple[StepLine, ...]
    said: tuple[SaidLine, ...]
    filtered: tuple[SaidLine, ...]
    unread: Mapping[str, str]
    problems: tuple[str, ...]
    calls: tuple[ModelCallRecord, ...]
    trace_id: str = ""
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """Hold how many events wait for a stage, and since when the first of them does."""

    stage: str
    waiting: int
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Hold what an operator looks at; ``due`` counts days of projects that are to be counted anew."""

    letters: tuple[DeadLetter, ...]
    letter_count: int
    queues: tuple[Queue, ...]
    due: int
    due_since: datetime | None
    unknown_share: float | None
    censored_share: float | None
    database_bytes: int
