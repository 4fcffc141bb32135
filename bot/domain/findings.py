"""What a scanner or the model has to say about one place in one file."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from bot.domain.merge_request import Value

#: The scanner of findings that the language model makes.
MODEL = "model"


class Severity(enum.StrEnum):
    """The one severity scale, mild to grave; ``rank`` orders it."""

    info = "info"
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"

    @property
    def rank(self) -> int:
        """Return 0 for info up to 4 for critical."""
        return list(Severity).index(self)


class Confidence(enum.StrEnum):
    """How sure the source is that the finding is real."""

    low = "low"
    medium = "medium"
    high = "high"


class Fix(Value):
    """Replace lines ``line``..``end_line`` of the head (1-based, inclusive) by ``replacement``.

    ``replacement`` holds whole lines joined by newlines, without a final newline. An empty string
    deletes the lines.

    Neither ``verified`` nor ``refusal``: nobody has checked it yet. ``verified`` says what was proven, in the words
    of ``bot.domain.proof``, and only then may it be offered to be applied. ``refusal`` says why it may not, to
    the reader of the comment.
    """

    line: int = Field(gt=0)
    end_line: int = Field(gt=0)
    replacement: str
    verified: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def unchecked(self) -> bool:
        """Say whether it is still to be verified."""
        return not self.verified and not self.refusal

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end_line < self.line:
            msg = f"a fix ends (line {self.end_line}) before it starts (line {self.line})"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class Rejection:
    """Say why a finding was dropped, or only its fix; ``subject`` is ``finding`` or ``fix``.

    ``reason`` is one of ours; ``title`` and ``detail`` are words of the source, for those who look closer.
    """

    reason: str
    path: str = ""
    line: int = 0
    subject: str = "finding"
    title: str = ""
    detail: str = ""


def better(one: Fix | None, other: Fix | None) -> Fix | None:
    """Return the fix that was proven, of two alike the first."""
    return next((fix for fix in (one, other) if fix and fix.verified), one or other)


class Evidence(Value):
    """Name a line that proves a finding, and how it reads."""

    line: int = Field(gt=0)
    quote: str


class Finding(Value):
    """Say one thing about lines ``line``..``end_line`` of ``path`` at the head (1-based, inclusive).

    ``title`` and ``message`` are plain text or simple Markdown from a source that is not trusted; rendering
    neutralises them. They never contain a secret. ``subject`` is the identity of what the finding is about,
    where the scanner knows a better one than the code around it: the mark of a secret, a package and its
    advisory. ``commit`` is set when the place is not at the head but in that commit of the branch. ``anchor`` is the
    identity of the first lines of the flagged code, ``whole`` that of all of them (see ``bot.domain.fingerprint``); both
    are empty until it is stamped.

    A finding that ``explains`` a scanner's only lends that one its message and fix. ``evidence`` are lines of the
    head that were compared with what they are said to be. ``test`` is code that would show the defect, never run.
    ``confirmed``: a second look has found it proven.
    """

    scanner: str = Field(min_length=1, description="semgrep, secrets, dependencies or model")
    rule: str = Field(min_length=1)
    category: str = Field(min_length=1, description="security, correctness, performance, secret, ...")
    severity: Severity
    confidence: Confidence = Confidence.medium
    path: str = Field(min_length=1)
    line: int = Field(gt=0)
    end_line: int = Field(gt=0)
    title: str = Field(min_length=1)
    message: str
    cwe: tuple[str, ...] = ()
    owasp: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    fix: Fix | None = None
    suppressed: bool = Field(
        default=False, description="the code asks its scanner to ignore it, e.g. nosemgrep"
    )
    silenced: bool = Field(
        default=False, description="the code asks some tool to look away, e.g. nosec; that changes nothing"
    )
    subject: str = ""
    commit: str = ""
    optional: bool = Field(default=False, description="counts only where the policy enables its rule")
    existing: bool = Field(
        default=False, description="was there before the change; counts only where the gate asks for such"
    )
    evidence: tuple[Evidence, ...] = ()
    test: str = ""
    confirmed: bool = False
    fingerprint: str = ""
    anchor: str = ""
    whole: str = ""
    explains: str = Field(default="", description="fingerprint of the finding that this one only explains")
    explanation: str = Field(default="", description="what a model adds to a scanner's message")

    @property
    def excused(self) -> bool:
        """Say whether a comment in the code asks for it to be left alone."""
        return self.suppressed or self.silenced

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end_line < self.line:
            msg = f"a finding ends (line {self.end_line}) before it starts (line {self.line})"
            raise ValueError(msg)
        return self


class ScanReport(Value):
    """Hold what one scanner found and, as important, what it could not look at.

    ``not_analysed`` maps a path to the reason; such a file is never reported as clean.
    """

    scanner: str
    findings: tuple[Finding, ...] = ()
    analysed: tuple[str, ...] = ()
    not_analysed: dict[str, str] = Field(default_factory=dict)
