"""Semgrep's answer, translated: matches to findings, errors to files that were not analysed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, Field, ValidationError

from bot.domain.errors import Transient
from bot.domain.findings import Finding, Fix, ScanReport
from bot.domain.merge_request import Value
from bot.scanners import Source
from bot.scanners.semgrep_files import Rule
from bot.scanners.semgrep_nosem import ignored
from bot.scanners.semgrep_paths import applies, plain_path

# Messages quote the matched code, which may be a megabyte on one line.
_MESSAGE_CHARS = 1_000
_NAMED_RULE = re.compile(r"[\w ]{1,40} in rule ([\w.-]{1,250}):")
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
    """Hold an error as the engine reports it, or as the command does, which has other names for the same."""

    error_type: str | list[Any] = Field(validation_alias=AliasChoices("error_type", "type"))
    message: str = ""
    location: _Location = _Location()
    path: str = ""
    rule_id: str | None = None

    @property
    def kind(self) -> str:
        """Return the name; Semgrep gives some errors as a list of name and details."""
        return self.error_type if isinstance(self.error_type, str) else str(self.error_type[:1])[2:-2]

    @property
    def place(self) -> str:
        """Return the file that it is about."""
        return self.location.path or self.path

    @property
    def rule(self) -> str:
        """Return the rule that it is about; the command tells it in words only."""
        named = _NAMED_RULE.match(self.message)
        return self.rule_id or (named[1].lstrip(".") if named else "")


class _Paths(Value):
    scanned: list[str]


class _Answer(Value):
    results: list[_Match]
    errors: list[_Error]
    paths: _Paths


@dataclass(frozen=True, slots=True)
class Parsed:
    """Hold what an answer says: ``refused`` maps rules to why they were left out, ``broke`` is why all of it was."""

    report: ScanReport
    refused: Mapping[str, str]
    broke: str = ""


def parse(answer: bytes, names: Mapping[str, Source], rules: Mapping[str, Rule], *, engine: bool) -> Parsed:
    """Translate Semgrep's JSON; *names* maps the names that Semgrep saw to the files.

    Without the *engine* itself we decide what it would: which rules are for files of that name, and what
    comments ask to ignore.

    Raises:
        Transient: the answer is not what Semgrep writes.
    """
    try:
        # Errors quote the file as it is, in whatever encoding.
        parsed = _Answer.model_validate_json(answer.decode(errors="replace"))
        matches = [(rules[one.check_id], one, names[one.path]) for one in parsed.results]
    except (ValidationError, KeyError) as error:
        raise Transient("Semgrep gave an answer that Cloister does not understand") from error
    if not engine:
        matches = list(_as_the_engine(matches))
    findings = dict.fromkeys(_finding(rule, match, source) for rule, match, source in matches)
    reasons, refused, broke = _errors(parsed, names, rules)
    paths = dict.fromkeys(source.path for source in names.values())
    not_analysed = dict.fromkeys(paths, broke) if broke else reasons
    report = ScanReport(
        scanner="semgrep",
        findings=tuple(findings),
        analysed=tuple(path for path in paths if path not in not_analysed),
        not_analysed=not_analysed,
    )
    return Parsed(report, refused, broke)


def _as_the_engine(matches: Iterable[tuple[Rule, _Match, Source]]) -> Iterator[tuple[Rule, _Match, Source]]:
    lines: dict[str, list[bytes]] = {}
    for rule, match, source in matches:
        if not applies(rule.body, plain_path(source.name)):
            continue
        if source.path not in lines:
            lines[source.path] = source.content.split(b"\n")
        line = min(match.start.line, len(lines[source.path]))
        extra = match.extra.model_copy(update={"is_ignored": ignored(lines[source.path], line, rule.id)})
        yield rule, match.model_copy(update={"extra": extra}), source


def _errors(
    answer: _Answer, names: Mapping[str, Source], rules: Mapping[str, Rule]
) -> tuple[dict[str, str], dict[str, str], str]:
    """Return why files were not analysed, why rules were refused, and why nothing at all was done.

    Semgrep leaves out files silently, so what it scanned is compared.
    """
    scanned = set(answer.paths.scanned)
    reasons = {source.path: "skipped by Semgrep" for name, source in names.items() if name not in scanned}
    refused: dict[str, str] = {}
    broke = ""
    for error in answer.errors:
        if source := names.get(error.place):
            reasons[source.path] = _REASONS.get(error.kind, f"Semgrep failed on it ({error.kind[:80]})")
        elif error.rule in rules:
            refused[error.rule] = (
                f"Semgrep does not accept the rule: {error.message.strip()[:300] or error.kind[:80]}"
            )
        else:
            broke = f"Semgrep failed ({error.kind[:80]})"
    return reasons, refused, broke


def _finding(rule: Rule, match: _Match, source: Source) -> Finding:
    last_line = _last_line(source.content)
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


def _last_line(content: bytes) -> int:
    return content.count(b"\n", 0, len(content) - 1) + 1


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
    line, last_line = content.count(b"\n", 0, start) + 1, _last_line(content)
    if line > last_line:
        return None
    # What ends with the last line break ends in that line: no other follows.
    end_line = min(line + content.count(b"\n", start, end), last_line)
    return Fix(line=line, end_line=end_line, replacement=replacement)


def merge(reports: Iterable[ScanReport], paths: Iterable[str]) -> ScanReport:
    """Join the reports of disjoint sets of files, in the order of *paths* whatever came first."""
    reports = list(reports)
    order = {path: number for number, path in enumerate(dict.fromkeys(paths))}
    findings = [finding for report in reports for finding in report.findings]
    not_analysed = {path: why for report in reports for path, why in report.not_analysed.items()}
    return ScanReport(
        scanner="semgrep",
        findings=tuple(
            sorted(findings, key=lambda f: (order[f.path], f.line, f.end_line, f.rule, f.message))
        ),
        analysed=tuple(sorted((path for one in reports for path in one.analysed), key=order.__getitem__)),
        not_analysed=dict(sorted(not_analysed.items(), key=lambda item: order[item[0]])),
    )
