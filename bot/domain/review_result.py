"""What one review came to, for those who read the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.coverage import Covered
from bot.domain.findings import Finding
from bot.domain.policy import Verdict
from bot.domain.risk import Risk


@dataclass(frozen=True, slots=True)
class Listed:
    """Hold a finding that has no thread, and why: over the budget, too mild, or its position was refused."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """Hold what happened to one file; ``what`` is a sentence of the model, or what the diff itself tells."""

    path: str
    added: int
    removed: int
    what: str = ""


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """Hold what one review came to.

    ``project_url`` is the project's page on the configured instance (see `bot.domain.summary.project_url`); without it
    places are not linked. ``skipped`` maps a part of the review to the reason why it did not run, ``not_reviewed`` a
    path; ``reviewed`` counts the other files, ``covered`` says who looked at which. ``pending`` names parts whose
    result is still to come, ``undecided`` those that the gate needs and that gave none. ``failed`` means that nothing
    could be looked at, ``retriable`` that people may ask to try that again, ``left_out`` that nothing was to be,
    ``paused`` that new commits will not be, ``unanswered`` that the model was asked and did not answer, and may be
    asked again, ``withheld`` are findings that people did not want to hear the like of, ``way_out`` is the comment that
    asks to let one of the blocking findings pass, empty where nobody may, ``max_days`` how long a waiver lasts at most,
    ``hushed`` that some of the threads were resolved though what they say stands.
    """

    head_sha: str
    verdict: Verdict
    project_url: str = ""
    inline: Sequence[Finding] = ()
    listed: Sequence[Listed] = ()
    suppressed: Sequence[Finding] = ()
    withheld: Sequence[Listed] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    not_reviewed: Mapping[str, str] = field(default_factory=dict)
    pending: Sequence[str] = ()
    undecided: Sequence[str] = ()
    failed: bool = False
    left_out: bool = False
    retriable: bool = False
    paused: bool = False
    unanswered: bool = False
    hushed: bool = False
    way_out: str = ""
    max_days: int = 30
    risk: Risk | None = None
    changes: Sequence[FileChange] = ()
    reviewed: int = 0
    covered: Sequence[Covered] = ()
    language: str = "en"
    problems: Sequence[str] = ()
    files: int = 0
    added_lines: int = 0
    tokens: int = 0
    seconds: float = 0.0
