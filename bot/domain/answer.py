"""From the text that a model answered to findings about lines that it was shown."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.errors import Transient
from bot.domain.excerpt import Excerpt
from bot.domain.findings import Confidence, Finding, Severity
from bot.domain.repair import FixRefused, RawFix, check_fix

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
_MAX_ANSWER_CHARS: Final = 200_000
#: llama.cpp turns each length into that many grammar rules and refuses schemas with 2,000 or more.
_MAX_TITLE_CHARS: Final = 120
_MAX_QUOTE_CHARS: Final = 300
_MAX_MESSAGE_CHARS: Final = 800
_MAX_REPLACEMENT_CHARS: Final = 1_500
#: A quote shorter than this matches too much to prove a part of a line.
_TELLING_CHARS: Final = 8
_MAX_JSON_STARTS: Final = 50

_LINE: Final = {"type": "integer", "minimum": 1}


def _text(most: int, least: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _object(optional: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


#: JSON Schema of an answer. It has no ``critical``: a model's word alone never outranks a rule's.
SCHEMA: Final = _object(
    findings={
        "type": "array",
        "maxItems": MAX_FINDINGS,
        "items": _object(
            optional=["fix"],
            path=_text(300),
            line=_LINE,
            end_line=_LINE,
            quote=_text(_MAX_QUOTE_CHARS),
            category={"enum": list(CATEGORIES)},
            severity={"enum": [str(severity) for severity in Severity if severity is not Severity.critical]},
            confidence={"enum": [str(confidence) for confidence in Confidence]},
            title=_text(_MAX_TITLE_CHARS),
            message=_text(_MAX_MESSAGE_CHARS),
            fix=_object(line=_LINE, end_line=_LINE, replacement=_text(_MAX_REPLACEMENT_CHARS, 0)),
        ),
    }
)


class UnusableAnswer(Transient):
    """Say that nothing in an answer can be used; asking again with another seed may help."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Say why a finding, or only its fix, was dropped; ``subject`` is ``finding`` or ``fix``."""

    reason: str
    path: str = ""
    line: int = 0
    subject: str = "finding"


_MALFORMED: Final = Rejection("it does not have the form that was asked for")


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what an answer is worth. No findings and no rejections: the model sees no defect."""

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejection, ...] = ()


class _Refused(Exception):
    """Say why one finding cannot be used."""


class _Raw(BaseModel):
    """One finding as the model wrote it: unknown fields are tolerated, wrong types are not."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    path: str
    line: int = Field(gt=0)
    end_line: int | None = None
    quote: str
    category: str
    severity: str
    confidence: str = "low"
    title: str = Field(min_length=1)
    message: str
    fix: Any = None


def read_answer(text: str, excerpts: Sequence[Excerpt]) -> Answer:
    """Return the findings in *text* that hold against what the prompt showed.

    A finding stays if its line is an added line of *excerpts* and its quote is that line's text. A wrong
    line number is mended when exactly one added line of the file is the quoted one. A fix that cannot be
    right is dropped, its finding stays. Severity is at most high.

    Raises:
        UnusableAnswer: no JSON object with findings, or none of them has the form that was asked for.
    """
    items = _items(text)
    findings: dict[tuple[str, int, str], Finding] = {}
    rejected: list[Rejection] = []
    for item in items[:MAX_FINDINGS]:
        finding, reasons = _judged(item, excerpts)
        rejected.extend(reasons)
        if finding is None:
            continue
        key = (finding.path, finding.line, finding.category)
        if findings.setdefault(key, finding) is not finding:
            rejected.append(Rejection("it repeats another finding", finding.path, finding.line))
    if items and rejected == [_MALFORMED] * len(items[:MAX_FINDINGS]):
        msg = "no finding in the answer has the form that was asked for"
        raise UnusableAnswer(msg)
    rejected.extend(Rejection(f"more than {MAX_FINDINGS} findings") for _ in items[MAX_FINDINGS:])
    return Answer(tuple(findings.values()), tuple(rejected))


def _items(text: str) -> list[Any]:
    if len(text) > _MAX_ANSWER_CHARS:
        msg = f"the answer is longer than {_MAX_ANSWER_CHARS} characters"
        raise UnusableAnswer(msg)
    # What a model thought comes first and may contain drafts of the answer.
    said = re.split(r"</think(?:ing)?>", text)[-1]
    for value in _objects(said):
        if isinstance(items := value.get("findings"), list):
            return items
    msg = "the answer holds no JSON object with findings"
    raise UnusableAnswer(msg)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the complete JSON objects in *text*, prose and code fences around them left out."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    for _ in range(_MAX_JSON_STARTS):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


def _judged(item: object, excerpts: Sequence[Excerpt]) -> tuple[Finding | None, list[Rejection]]:
    """Return what is left of one finding, and why the rest was dropped."""
    try:
        raw = _Raw.model_validate(item)
    except (ValidationError, RecursionError):
        return None, [_MALFORMED]
    try:
        return _finding(raw, excerpts)
    except _Refused as error:
        return None, [Rejection(str(error), raw.path, raw.line)]


def _finding(raw: _Raw, excerpts: Sequence[Excerpt]) -> tuple[Finding, list[Rejection]]:
    if raw.category not in CATEGORIES:
        msg = "its category is unknown"
        raise _Refused(msg)
    excerpt, line = _anchored(raw, excerpts)
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
        title=_clean(raw.title, _MAX_TITLE_CHARS).replace("\n", " ") or raw.category,
        message=_clean(raw.message, _MAX_MESSAGE_CHARS),
    )
    if raw.fix is None:
        return finding, []
    try:
        fix = check_fix(RawFix.read(raw.fix), finding, excerpt, moved=line - raw.line)
    except FixRefused as error:
        return finding, [Rejection(str(error), excerpt.path, line, "fix")]
    return finding.model_copy(update={"fix": fix}), []


def _anchored(raw: _Raw, excerpts: Sequence[Excerpt]) -> tuple[Excerpt, int]:
    """Return where the quoted code is: at the named line, or else at the only added line that reads so."""
    of_file = [excerpt for excerpt in excerpts if excerpt.path == raw.path]
    if not of_file:
        msg = "its file was not shown"
        raise _Refused(msg)
    quote = [folded for part in raw.quote.split("\n") if (folded := _folded(part))]
    if not quote:
        msg = "it quotes nothing"
        raise _Refused(msg)
    for excerpt in of_file:
        if raw.line in excerpt.added and _reads(excerpt, raw.line, quote, exactly=False):
            return excerpt, raw.line
    places = [
        (excerpt, line)
        for excerpt in of_file
        for line in sorted(excerpt.added)
        if _reads(excerpt, line, quote, exactly=True)
    ]
    if len(places) != 1:
        known = any(raw.line in excerpt.added for excerpt in of_file)
        raise _Refused(
            "its line does not read as quoted" if known else "its line was not added by the change"
        )
    return places[0]


def _reads(excerpt: Excerpt, line: int, quote: Sequence[str], *, exactly: bool) -> bool:
    if len(quote) == 1 and not exactly and len(quote[0]) >= _TELLING_CHARS:
        return quote[0] in _folded(excerpt.shown[line].text)
    rows = [excerpt.shown.get(line + offset) for offset in range(len(quote))]
    return all(row is not None and _folded(row.text) == part for row, part in zip(rows, quote, strict=True))


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


def _folded(text: str) -> str:
    return " ".join(text.split())


def _clean(text: str, most: int) -> str:
    """Return *text* without control characters and lone surrogates, cut to *most* characters with a mark."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}).strip()
    return kept if len(kept) <= most else kept[: most - 1] + "…"
