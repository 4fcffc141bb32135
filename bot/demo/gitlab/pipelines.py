"""What the server remembers of pipelines, and of checks from outside."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from bot.demo.gitlab.accounts import User


@dataclass(eq=False)
class Pipeline:
    """A pipeline; statuses posted from outside attach to it."""

    id: int
    sha: str
    ref: str
    source: str
    created_at: datetime


@dataclass(eq=False)
class Status:
    """One job of a pipeline as the commit status API shows it."""

    id: int
    pipeline: Pipeline
    name: str
    user: User
    state: str
    description: str | None
    target_url: str | None
    created_at: datetime
    coverage: float | None = None
    retried: bool = False


@dataclass(eq=False)
class Job:
    """A job of a pipeline; ``artifacts`` are the files that it kept, None while it has not ended.

    ``token`` is what it has in ``CI_JOB_TOKEN``; it is good for as long as the job runs.
    """

    id: int
    pipeline: Pipeline
    name: str
    state: str = "created"
    artifacts: dict[str, bytes] | None = None
    retried: bool = False
    token: str = field(default_factory=lambda: f"glcbt-64_{secrets.token_urlsafe(15)}")


@dataclass(eq=False)
class StatusCheck:
    """An external status check of a project; ``answers`` are the states by merge request and head."""

    id: int
    name: str
    url: str = "https://checks.example/"
    answers: dict[tuple[int, str], str] = field(default_factory=dict)
