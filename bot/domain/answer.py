"""From the text that a model answered to findings about lines that it was shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain import schema
from bot.domain.excerpt import Excerpt
from bot.domain.findings import Confidence, Evidence, Finding, Rejection, Severity
from bot.domain.noise import noise
from bot.domain.quoting import Misquoted, anchored, located
from bot.domain.repair import FixRefused, RawFix, check_fix
from bot.domain.said import UnusableAnswer, clean, said

CATEGORIES: Final = (
    "correctness",
    "security",
    "concurrency",
    "error-handling",
    "resource-leak",
    "performance",
    "maintainability",
)
#: More than this about one prompt is noise, whatever the model thinks.
MAX_FINDINGS: Final = 8
_MAX_EVIDENCE: Final = 3
_MAX_CHANGES: Final = 12
_MAX_TITLE_CHARS: Final = 120
_MAX_QUOTE_CHARS: Final = 300
_MAX_MESSAGE_CHARS: Final = 800
_MAX_REPLACEMENT_CHARS: Final = 1_500
_MAX_TEST_CHARS: Final = 1_500
_MAX_CHANGE_CHARS: Final = 160

#: A change of lines ``line`` to ``end_line``, as all schemas ask for it.
FIX: Final = schema.record(
    line=schema.LINE, end_line=schema.LINE, replacement=schema.text(_MAX_REPLACEMENT_CHARS, 0)
)

#: JSON Schema of an answer. It has no ``critical``: a model's word alone never outranks a rule's.
SCHEMA: Final = schema.record(
    optional=["changes"],
    findings=schema.several(
        schema.record(
            optional=["fix", "test"],
            path=schema.text(300),
            line=schema.LINE,
            end_line=schema.LINE,
            quote=schema.text(_MAX_QUOTE_CHARS),
            evidence=schema.several(
                schema.record(line=schema.LINE, quote=schema.text(_MAX_QUOTE_CHARS)), _MAX_EVIDENCE
            ),
            category=schema.one_of(CATEGORIES),
            severity=schema.one_of(severity for severity in Severity if severity is not Severity.critical),
            confidence=schema.one_of(Confidence),
            title=schema.text(_MAX_TITLE_CHARS),
            message=schema.text(_MAX_MESSAGE_CHARS),
            fix=FIX,
            test=schema.text(_MAX_TEST_CHARS),
        ),
        MAX_FINDINGS,
    ),
    changes=schema.several(
        schema.record(path=schema.text(300), summary=schema.text(_MAX_CHANGE_CHARS)), _MAX_CHANGES
    ),
)

_MALFORMED: Final = Rejection("it does not have the form that was asked for")


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what an answer is worth. No findings and no rejections: the model sees no defect.

    ``changes`` says per file what changed. ``complete`` is False where the answer broke off.
    """

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True


class _Refused(Exception):
    """Say why one finding cannot be used."""


class _Raw(BaseModel):
    """One finding as the model wrote it: unknown fields are tolerated, wrong types are not."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    path: str
    line: int = Field(gt=0)
    end_line: int | None = None
    quote: str
    evidence: Any = None
    category: str
    severity: str
    confidence: str = "low"
    title: str = Field(min_length=1)
    message: str
    fix: Any = None
    test: Any = None


def read_answer(text: str, excerpts: Sequence[Excerpt]) -> Answer:
    """Return the findings in *text* that hold against what the prompt showed.

    A finding stays if its line is an added line of *excerpts* and its quote is that line's text. A wrong
    line number is mended when exactly one added line of the file is the quoted one. A fix that cannot be
    right is dropped, its finding stays. Severity is at most high. Of several of a category on a line the gravest stays,
    and praise takes the place of none.

    Raises:
        UnusableAnswer: no JSON object with findings, or none of them has the form that was asked for.
    """
    spoken = said(text, "findings")
    findings: dict[tuple[str, int, str], Finding] = {}
    rejected: list[Rejection] = []
    for item in spoken.items[:MAX_FINDINGS]:
        finding, reasons = _judged(item, excerpts)
        rejected.extend(reasons)
        if finding is None:
            continue
        key = (finding.path, finding.line, finding.category)
        twin = findings.setdefault(key, finding)
        if twin is not finding:
            findings[key], spare = sorted((twin, finding), key=_worth)
            reason = noise(spare) or "it repeats another finding"
            rejected.append(Rejection(reason, spare.path, spare.line, title=spare.title))
    if spoken.items and rejected == [_MALFORMED] * len(spoken.items[:MAX_FINDINGS]):
        msg = "no finding in the answer has the form that was asked for"
        raise UnusableAnswer(msg)
    rejected.extend(Rejection(f"more than {MAX_FINDINGS} findings") for _ in spoken.items[MAX_FINDINGS:])
    changes = dict(_changes(spoken.rest.get("changes"), {excerpt.path for excerpt in excerpts}))
    return Answer(tuple(findings.values()), tuple(rejected), changes, complete=spoken.complete)


def _worth(finding: Finding) -> tuple[bool, int]:
    return noise(finding) is not None, -finding.severity.rank


def _changes(value: object, paths: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the files that were shown, each with what is said about it."""
    for item in value[:_MAX_CHANGES] if isinstance(value, list) else ():
        if not isinstance(item, dict):
            continue
        path, summary = item.get("path"), item.get("summary")
        if isinstance(path, str) and path in paths and isinstance(summary, str):
            text = " ".join(clean(summary, _MAX_CHANGE_CHARS).split())
            if text:
                yield path, text


def _judged(item: object, excerpts: Sequence[Excerpt]) -> tuple[Finding | None, list[Rejection]]:
    """Return what is left of one finding, and why the rest was dropped."""
    try:
        raw = _Raw.model_validate(item)
    except (ValidationError, RecursionError):
        return None, [_MALFORMED]
    try:
        return _finding(raw, excerpts)
    except (_Refused, Misquoted) as error:
        title = clean(raw.title, _MAX_TITLE_CHARS)
        return None, [Rejection(str(error), clean(raw.path, 300), min(raw.line, 10**9), title=title)]


def _finding(raw: _Raw, excerpts: Sequence[Excerpt]) -> tuple[Finding, list[Rejection]]:
    if raw.category not in CATEGORIES:
        msg = "its category is unknown"
        raise _Refused(msg)
    of_file = [excerpt for excerpt in excerpts if excerpt.path == raw.path]
    if not of_file:
        msg = "its file was not shown"
        raise _Refused(msg)
    excerpt, line = anchored(raw.line, raw.quote, of_file)
    end_line = _end_line(line, line + max(0, (raw.end_line or 0) - raw.line), excerpt)
    finding = Finding(
        scanner="model",
        rule=raw.category,
        category=raw.category,
        severity=_severity(raw.severity),
        confidence=_confidence(raw.confidence),
        path=excerpt.path,
        line=line,
        end_line=end_line,
        title=" ".join(clean(raw.title, _MAX_TITLE_CHARS).split()) or raw.category,
        message=clean(raw.message, _MAX_MESSAGE_CHARS),
        evidence=tuple(_evidence(raw.evidence, of_file)),
        test=clean(raw.test, _MAX_TEST_CHARS) if isinstance(raw.test, str) else "",
    )
    if raw.fix is None:
        return finding, []
    try:
        fix = check_fix(RawFix.read(raw.fix), finding, excerpt, moved=line - raw.line)
    except FixRefused as error:
        return finding, [Rejection(str(error), excerpt.path, line, "fix", finding.title)]
    return finding.model_copy(update={"fix": fix}), []


def _evidence(value: object, excerpts: Sequence[Excerpt]) -> Iterator[Evidence]:
    """Yield the evidence that holds.

    Raises:
        _Refused: there is some, and none of it does.
    """
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    held = 0
    for item in items[:_MAX_EVIDENCE]:
        line = located(item.get("line"), item.get("quote"), excerpts)
        if line is not None:
            held += 1
            yield Evidence(line=line, quote=clean(item["quote"], _MAX_QUOTE_CHARS))
    if items and not held:
        msg = "none of its evidence reads as quoted"
        raise _Refused(msg)


def _end_line(line: int, wanted: int, excerpt: Excerpt) -> int:
    """Return the last line up to *wanted* that follows *line* without leaving the added lines."""
    end = line
    while end < wanted and end + 1 in excerpt.added:
        end += 1
    return end


def _severity(word: str) -> Severity:
    try:
        return min(Severity(word.lower()), Severity.high, key=lambda severity: severity.rank)
    except ValueError:
        raise _Refused("its severity is unknown") from None


def _confidence(word: str) -> Confidence:
    try:
        return Confidence(word.lower())
    except ValueError:
        return Confidence.low
