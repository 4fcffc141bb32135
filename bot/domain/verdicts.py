"""A second look at findings: claims and code go to a model, and only what it proves counts."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from bot.domain import schema
from bot.domain.claims import FRAME, MAX_REASON_CHARS, NO_RULING, Ruled, rulings
from bot.domain.excerpt import Excerpt, header, visible
from bot.domain.findings import Confidence, Finding, Rejection, Severity
from bot.domain.quoting import located
from bot.domain.said import UnusableAnswer, clean, said
from bot.domain.window import sheet


class Ruling(enum.StrEnum):
    """What a second look comes to."""

    confirmed = "confirmed"
    refuted = "refuted"
    unsure = "unsure"


SCHEMA: Final = schema.record(
    verdicts=rulings(Ruling, severity=schema.one_of(one for one in Severity if one is not Severity.critical))
)


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold what is left of findings after a second look, and what was refuted."""

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class _Verdict:
    ruling: Ruling
    severity: Severity
    reason: str


class _Raw(Ruled):
    severity: str = ""
    reason: str = ""


def question(findings: Sequence[Finding], shown: Sequence[Excerpt]) -> str:
    """Return the prompt about *findings*: the code *shown*, and claims without the arguments for them."""
    fence, data = sheet(shown, [_claim(finding) for finding in findings], "Claims:")
    return FRAME.format(fence=fence, data=data)


def read_verdicts(text: str, findings: Sequence[Finding], shown: Sequence[Excerpt]) -> Judged:
    """Return what the verdicts in *text* leave of *findings*.

    Refuted ones are gone. One is confirmed only by a line of its file that was *shown* and reads as quoted, and
    then is at most as grave as the verdict says, never graver. All others stay with low confidence: a verdict that
    is missing, contradicts another one, or proves nothing.

    Raises:
        UnusableAnswer: there is no verdict in it.
    """
    spoken = said(text, "verdicts")
    verdicts: dict[int, list[_Verdict]] = {}
    for number, verdict in _verdicts(spoken.items, findings, shown):
        verdicts.setdefault(number, []).append(verdict)
    if not verdicts:
        raise UnusableAnswer(NO_RULING)
    kept: list[Finding] = []
    rejected: list[Rejection] = []
    for number, finding in enumerate(findings):
        about = verdicts.get(number, [])
        rulings = {verdict.ruling for verdict in about}
        if rulings == {Ruling.refuted}:
            rejected.append(
                Rejection(
                    "a second look refuted it",
                    finding.path,
                    finding.line,
                    title=finding.title,
                    detail=about[0].reason,
                )
            )
        elif rulings == {Ruling.confirmed}:
            kept.append(_confirmed(finding, about))
        else:
            kept.append(doubted(finding))
    return Judged(tuple(kept), tuple(rejected))


def doubted(finding: Finding) -> Finding:
    """Return *finding* as one that nobody has confirmed: not sure enough for a comment."""
    return finding.model_copy(update={"confidence": Confidence.low})


def _confirmed(finding: Finding, verdicts: Sequence[_Verdict]) -> Finding:
    severity = min([finding.severity, *(verdict.severity for verdict in verdicts)], key=lambda one: one.rank)
    return finding.model_copy(update={"confirmed": True, "severity": severity})


def _claim(finding: Finding) -> str:
    lines = str(finding.line) if finding.line == finding.end_line else f"{finding.line}-{finding.end_line}"
    return f"{header(finding.path)}, line {lines}, {finding.category}: {' '.join(visible(finding.title).split())}"


def _verdicts(
    items: Sequence[object], findings: Sequence[Finding], shown: Sequence[Excerpt]
) -> Iterator[tuple[int, _Verdict]]:
    by_path = _by_path(shown)
    for item in items:
        try:
            raw = _Raw.model_validate(item)
            ruling = Ruling(raw.verdict.lower())
        except (ValidationError, ValueError, RecursionError):
            continue
        if raw.claim >= len(findings):
            continue
        finding = findings[raw.claim]
        if ruling is Ruling.confirmed and located(raw.line, raw.quote, by_path.get(finding.path, ())) is None:
            ruling = Ruling.unsure
        yield (
            raw.claim,
            _Verdict(ruling, _severity(raw.severity, finding), clean(raw.reason, MAX_REASON_CHARS)),
        )


def _by_path(shown: Sequence[Excerpt]) -> Mapping[str, list[Excerpt]]:
    by_path: dict[str, list[Excerpt]] = {}
    for excerpt in shown:
        by_path.setdefault(excerpt.path, []).append(excerpt)
    return by_path


def _severity(word: str, finding: Finding) -> Severity:
    try:
        return Severity(word.lower())
    except ValueError:
        return finding.severity
