"""What dashboards show of single comments, and what one may look for among comments and reviews."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.labels import Censored
from bot.domain.merge_request import MergeRequestRef
from bot.domain.review_detail import Cursor
from bot.domain.review_fact import Reason


class Became(enum.StrEnum):
    """What became of comments; dashboards count each, so each can be looked up."""

    accepted_strong = "accepted_strong"
    accepted_weak = "accepted_weak"
    rejected_strong = "rejected_strong"
    unknown = "unknown"
    censored = "censored"
    decided = "decided"
    """Accepted, probably accepted or rejected."""
    acted_on = "acted_on"
    """Accepted or probably accepted."""
    downvoted = "downvoted"
    suggested = "suggested"
    """It had a suggestion that could be applied."""
    applied = "applied"
    open_critical = "open_critical"
    """A critical one that still held when its merge request was merged."""


class Which(enum.StrEnum):
    """Which reviews: by their verdict, and by what they left."""

    passed = "passed"
    blocked = "blocked"
    undecided = "undecided"
    waived = "waived"
    silent = "silent"
    """It left no comment standing."""
    unread = "unread"
    """Some changed file was not read."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Choose reviews, all where nothing is said; ``unsaid`` is a reason for which something was left unsaid."""

    which: Which | None = None
    unsaid: Reason | None = None


ALL_REVIEWS = Picked()


class Deed(enum.StrEnum):
    """What people did with a comment, or what happened to the lines that it is about."""

    applied = "applied"
    thumbs_up = "thumbs_up"
    thumbs_down = "thumbs_down"
    other_reaction = "other_reaction"
    agreed = "agreed"
    called_wrong = "called_wrong"
    declined = "declined"
    asked = "asked"
    replied = "replied"
    resolved = "resolved"
    changed = "changed"
    gone = "gone"
    waived = "waived"
    ignored = "ignored"


@dataclass(frozen=True, slots=True)
class CommentLine:
    """Hold one comment as a line of a list.

    ``label`` is what became of it (see `bot.domain.labels`), ``did`` how many people did what: nobody is named.
    ``title`` is empty where the finding is not kept any more, ``censored_why`` None until a label says it.
    """

    id: uuid.UUID
    ref: MergeRequestRef
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
    suggested: bool
    did: Mapping[Deed, int] = field(default_factory=dict)
    censored_why: Censored | None = None


@dataclass(frozen=True, slots=True)
class Comments:
    """Hold a page of comments, the newest first; ``following`` is where the next page begins, None at the end."""

    lines: tuple[CommentLine, ...]
    following: Cursor | None = None
