"""What lists and single reviews answer, field by field."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from pydantic import AliasPath, Field

from bot.domain.comment_lines import Deed
from bot.domain.findings import Severity
from bot.domain.labels import Censored
from bot.domain.records import CallOutcome, Task
from bot.domain.review_fact import Reason
from bot.domain.token_names import Scope
from bot.domain.viewer import Via
from bot.domain.waivers import State
from bot.web.api.shown import NEXT, Shown

_CENSORED = "Why nothing can be told of what people think; null where that is told, or not known yet."


class CommentLine(Shown):
    """One comment: what became of it, and in `did` how many people did what."""

    id: uuid.UUID
    project_id: int = Field(validation_alias=AliasPath("ref", "project_id"))
    iid: int = Field(validation_alias=AliasPath("ref", "iid"))
    project: str
    run_id: uuid.UUID
    posted_at: datetime
    scanner: str
    rule: str
    category: str
    severity: str
    language: str
    path: str
    line: int
    title: str
    label: str
    censored_why: Censored | None = Field(description=_CENSORED)
    suggested: bool
    did: dict[Deed, int]


class Comments(Shown):
    """A page of comments, the newest first."""

    comments: list[CommentLine]
    next: str | None = Field(description=NEXT)


class ReviewLine(Shown):
    """One review of one head."""

    run_id: uuid.UUID
    project_id: int = Field(validation_alias=AliasPath("ref", "project_id"))
    iid: int = Field(validation_alias=AliasPath("ref", "iid"))
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
    verdict: str = Field(description="What the gate says, in a few words.")
    blocks: list[str] = Field(description="Titles of the first findings that block.")


class Reviews(Shown):
    """A page of reviews, the newest first."""

    reviews: list[ReviewLine]
    next: str | None = Field(description=NEXT)


class StepLine(Shown):
    """How one part of a review ended."""

    name: str
    outcome: str
    problem: str
    duration_s: float
    tokens: int


class SaidLine(Shown):
    """A finding: what became of its thread, or the `reason` why it has none."""

    fingerprint: str
    scanner: str
    rule: str
    severity: str
    path: str
    line: int
    title: str
    state: str
    label: str
    censored_why: Censored | None = Field(description=_CENSORED)
    reason: Reason | None
    detail: str


class Unread(Shown):
    """A file that was not read, or not whole."""

    path: str
    reason: str


class ModelCall(Shown):
    """One call of a model: hashes and counts, no text."""

    id: uuid.UUID
    model: str
    digest: str
    prompt_version: str
    input_sha256: str
    output_sha256: str
    prompt_tokens: int
    output_tokens: int
    duration_s: float
    outcome: CallOutcome
    task: Task


class Review(Shown):
    """One review from the inside: what was done, said and left unsaid."""

    line: ReviewLine
    steps: list[StepLine]
    said: list[SaidLine]
    filtered: list[SaidLine]
    unread: list[Unread]
    problems: list[str]
    calls: list[ModelCall]
    trace_id: str
    removed_at: datetime | None = Field(
        description="When retention removed all but figures; null where it is kept."
    )


class Waiver(Shown):
    """A finding that may pass the gate until a day, or that somebody has asked to let pass."""

    id: uuid.UUID
    state: State
    until: date | None
    project_id: int
    iid: int
    target_branch: str
    merged: bool
    fingerprint: str
    severity: Severity
    scanner: str
    rule: str
    path: str
    line: int
    title: str
    granted_by: str | None
    reason: str


class Waivers(Shown):
    """A page of waivers, the newest first, with those that have ended."""

    waivers: list[Waiver]
    next: str | None = Field(description=NEXT)


class Project(Shown):
    """A project that was reviewed; `leads` says whether you decide about its findings."""

    id: int
    path: str
    leads: bool


class Projects(Shown):
    """A page of projects in which you see anything, by number."""

    projects: list[Project]
    next: str | None = Field(description=NEXT)


class DeadLetter(Shown):
    """An event that was given up; `cloister dlq` shows all of it and hands it out again."""

    number: int
    stage: str
    kind: str
    project_id: int | None = Field(None, validation_alias=AliasPath("ref", "project_id"))
    iid: int | None = Field(None, validation_alias=AliasPath("ref", "iid"))
    event_id: uuid.UUID
    attempts: int
    error: str
    reason: str
    parked_at: datetime
    trace_id: str


class DeadLetters(Shown):
    """A page of dead letters, the newest first."""

    letters: list[DeadLetter]
    next: str | None = Field(description=NEXT)


class AuditEntry(Shown):
    """Who used a privilege, and when; `hash` binds it to all entries before it."""

    number: int
    at: datetime
    actor: str = Field(validation_alias=AliasPath("act", "actor"))
    action: str = Field(validation_alias=AliasPath("act", "action"))
    subject: str = Field(validation_alias=AliasPath("act", "subject"))
    project_id: int | None = Field(validation_alias=AliasPath("act", "project_id"))
    details: dict[str, Any] = Field(validation_alias=AliasPath("act", "details"))
    previous: str
    hash: str


class Audit(Shown):
    """A page of the audit log, the newest first."""

    entries: list[AuditEntry]
    next: str | None = Field(description=NEXT)


class Broken(Shown):
    """Where the chain of the audit log breaks first, and how."""

    number: int
    reason: str


class Chain(Shown):
    """Whether entries of the audit log are as they were written; `first` is the oldest that was looked at."""

    first: int
    head: str | None = Field(description="Number and hash of the last entry that is in order.")
    broken: Broken | None = Field(description="Null where all of them follow each other unchanged.")


class Queue(Shown):
    """How many events wait for a stage, and since when the first of them does."""

    stage: str
    waiting: int
    oldest: datetime | None


class Health(Shown):
    """The state of the service; `due` counts days of projects that are to be counted anew."""

    letter_count: int
    queues: list[Queue]
    due: int
    due_since: datetime | None
    unknown_share: float | None
    censored_share: float | None
    database_bytes: int


class Me(Shown):
    """Who asks, and what they see; `form_token` goes into the header X-Cloister-Form of what changes something."""

    name: str
    role: str
    via: Via
    reads_all: bool
    scopes: list[Scope] | None = Field(description="What a token is for; null for people.")
    form_token: str
