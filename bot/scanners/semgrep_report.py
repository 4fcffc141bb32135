"""Semgrep's answer, translated: matches to findings, errors to files that were not analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError

from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding, Fix, ScanReport
from bot.domain.merge_request import Value
from bot.scanners import Source
from bot.scanners.semgrep_rules import Pack, Rule

# Messages quote the matched code, which may be a megabyte on one line.
_MESSAGE_CHARS = 1_000
_REASONS = {
    "Timeout": "took Semgrep longer than its time limit",
    "Out of memory": "took Semgrep more memory than its limit",
    "PartialParsing": "parsed by Semgrep only in part; it may have a syntax error",
    "Too many matches": "more matches than Semgrep reports",
}


class _Place(Value):
    line: int = Field(gt=0)
    offset: int = Field(ge=0)


class _Extra(Value):
    message: str
    is_ignored: bool = False
    fix: str | None = None


class _Match(Value):
    check_id: str
    path: str
    start: _Place
    end: _Place
    extra: _Extra


class _Location(Value):
    path: str = ""


class _Error(Value):
    error_type: str | list[Any]
    message: str = ""
    location: _Location = _Location()
    rule_id: str | None = None

    @property
    def kind(self) -> str:
        """Return the name; Semgrep gives some errors as a list of name and details."""
        return self.error_type if isinstance(self.error_type, str) else str(self.error_type[:1])[2:-2]


class _Paths(Value):
    scanned: list[str]


class _Answer(Value):
    results: list[_Match]
    errors: list[_Error]
    paths: _Paths


def parse(answer: bytes, sources: Mapping[str, Source], pack: Pack) -> ScanReport:
    """Translate Semgrep's JSON; *sources* maps the names that Semgrep saw to the files.

    Raises:
        Transient: the answer is not what Semgrep writes.
        Permanent: Semgrep does not accept a rule; the message names it.
    """
    try:
        parsed = _Answer.model_validate_json(answer)
        findings = {
            _finding(pack.by_id[match.check_id], match, sources[match.path]): None for match in parsed.results
        }
    except (ValidationError, KeyError) as error:
        raise Transient("semgrep-core gave an answer that Cloister does not understand") from error
    not_analysed = _not_analysed(parsed, sources)
    return ScanReport(
        scanner="semgrep",
        findings=tuple(sorted(findings, key=lambda f: (f.path, f.line, f.end_line, f.rule, f.message))),
        analysed=tuple(s.path for s in sources.values() if s.path not in not_analysed),
        not_analysed=not_analysed,
    )


def _not_analysed(answer: _Answer, sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the reasons by path; Semgrep leaves out files silently, so what it scanned is compared."""
    scanned = set(answer.paths.scanned)
    reasons = {source.path: "skipped by Semgrep" for name, source in sources.items() if name not in scanned}
    for error in answer.errors:
        if source := sources.get(error.location.path):
            reasons[source.path] = _REASONS.get(error.kind, f"Semgrep failed on it ({error.kind[:80]})")
        elif error.rule_id or error.location.path == "rules.json":
            raise Permanent(
                f"Semgrep does not accept rule {error.rule_id or '?'}: {error.kind}: {error.message[:300]}"
            )
        else:
            reasons |= {s.path: f"Semgrep failed ({error.kind[:80]})" for s in sources.values()}
    return reasons


def _finding(rule: Rule, match: _Match, source: Source) -> Finding:
    last_line = source.content.count(b"\n", 0, len(source.content) - 1) + 1
    line = min(match.start.line, last_line)
    end_line = max(line, min(match.end.line, last_line))
    metadata = rule.metadata
    return Finding(
        scanner="semgrep",
        rule=rule.id,
        category=metadata.category,
        severity=metadata.severity,
        confidence=metadata.confidence,
        path=source.path,
        line=line,
        end_line=end_line,
        title=metadata.title,
        message=_capped(match.extra.message.strip()),
        cwe=metadata.cwe,
        owasp=metadata.owasp,
        optional=not metadata.default,
        references=metadata.references,
        fix=_fix(match, source.content),
        suppressed=match.extra.is_ignored,
    )


def _capped(message: str) -> str:
    return message if len(message) <= _MESSAGE_CHARS else f"{message[: _MESSAGE_CHARS - 1]}…"


def _fix(match: _Match, content: bytes) -> Fix | None:
    """Widen Semgrep's replacement of a byte range to whole lines; None where that is not possible."""
    start, end = match.start.offset, match.end.offset
    if match.extra.fix is None or not start <= end <= len(content):
        return None
    first = content.rfind(b"\n", 0, start) + 1
    last = content.find(b"\n", end)
    tail = content[end:] if last < 0 else content[end:last]
    try:
        replacement = content[first:start].decode() + match.extra.fix + tail.decode()
    except UnicodeDecodeError:
        return None
    line = content.count(b"\n", 0, start) + 1
    return Fix(line=line, end_line=line + content.count(b"\n", start, end), replacement=replacement)


def merge(reports: Sequence[ScanReport]) -> ScanReport:
    """Join the reports of disjoint sets of files."""
    return ScanReport(
        scanner="semgrep",
        findings=tuple(finding for report in reports for finding in report.findings),
        analysed=tuple(path for report in reports for path in report.analysed),
        not_analysed={path: why for report in reports for path, why in report.not_analysed.items()},
    )
