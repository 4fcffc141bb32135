"""Findings of other tools, which a project's own pipeline leaves behind as SARIF.

A log comes from a job that the merge request itself can change, so nothing in it is believed: it can add
findings on changed lines, and it can neither silence nor resolve anything of another scanner.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Finding, Fix
from bot.domain.fingerprint import lines_of
from bot.scanners.sarif_fix import whole_lines
from bot.scanners.sarif_log import (
    ArtifactLocation,
    Log,
    Message,
    Part,
    PhysicalLocation,
    Result,
    Rule,
    ToolRun,
)
from bot.scanners.sarif_log import Fix as Proposal
from bot.scanners.sarif_paths import Checkout, resolve
from bot.scanners.sarif_rules import Rules, cwes, owasp, severity

_MAX_RESULTS = 10_000
_MESSAGE_CHARS, _TITLE_CHARS, _RULE_CHARS = 1_000, 100, 200
_LINK = re.compile(r"\[((?:[^\]\\]|\\.)*)\]\([^)\s]*\)")
_PLACEHOLDER = re.compile(r"\{(\d{1,3})\}")
#: What is wrong with the code; the other kinds say that all is well, or that nobody can tell.
_KINDS = {"fail", "open", "review"}
_OLD = {"unchanged", "absent"}
_CONFIDENCE = {"very-high": Confidence.high, "high": Confidence.high, "low": Confidence.low}

_Shape = TypeVar("_Shape", bound=Part)


@dataclass
class Imported:
    """Hold what a log says about the changed files, and why it may not be all.

    ``complete`` is False where a tool, or the log itself, broke off: its silence then says nothing.
    """

    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    complete: bool = True


def read(content: bytes, *, scanner: str, files: Mapping[str, bytes], checkout: Checkout) -> Imported:
    """Return the findings of a SARIF log on *files*.

    Args:
        content: the log, JSON in UTF-8 or, with a byte order mark, UTF-16.
        scanner: under which name its findings appear.
        files: the files of the change at the head, by path.
        checkout: where the job had the repository.

    Raises:
        Permanent: this is not SARIF 2.1; the message says what it is instead.
    """
    imported = Imported()
    for run in _log(content).runs:
        imported.problems += _notifications(run)
        imported.complete &= all(invocation.execution_successful for invocation in run.invocations)
        _Reader(run, scanner, files, checkout, imported).read()
    imported.findings = list(dict.fromkeys(imported.findings))
    return imported


def _log(content: bytes) -> Log:
    try:
        data = json.loads(_text(content))
    except (ValueError, RecursionError) as error:
        raise Permanent(f"the report is not JSON ({error})"[:200]) from error
    if not isinstance(data, dict) or "runs" not in data:
        raise Permanent("the report is JSON, but not a SARIF log: it has no runs")
    try:
        log = Log.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise Permanent(f"the report is not valid SARIF: {place}: {problem['msg']}"[:200]) from None
    if not log.version.startswith("2.1"):
        raise Permanent(f"the report is SARIF {log.version[:10]}; let the tool write 2.1.0")
    return log


def _text(content: bytes) -> str:
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if utf16 else "utf-8-sig", "replace")


def _notifications(run: ToolRun) -> Iterator[str]:
    name = run.tool.driver.name[:60] or "a tool without a name"
    if not all(invocation.execution_successful for invocation in run.invocations):
        yield f"{name} says that it did not finish"
    for invocation in run.invocations:
        for notification in invocation.tool_execution_notifications:
            if notification.level == "error":
                yield f"{name} reports an error: {_one_line(notification.message.text, 150)}"


class _Reader:
    """Read the results of one run of a tool."""

    def __init__(
        self, run: ToolRun, scanner: str, files: Mapping[str, bytes], checkout: Checkout, into: Imported
    ) -> None:
        self._run = run
        self._scanner = scanner
        self._files = files
        self._checkout = checkout
        self._into = into
        self._rules = Rules(run.tool)
        self._lines: dict[str, Sequence[str]] = {}

    def read(self) -> None:
        """Add all findings and problems."""
        results = self._run.results
        if len(results) > _MAX_RESULTS:
            self._into.problems.append(f"only the first {_MAX_RESULTS} of {len(results)} results were read")
        broken = lost = 0
        for data in results[:_MAX_RESULTS]:
            result = _valid(Result, data)
            if result is None:
                broken += 1
            elif result.kind in _KINDS and result.baseline_state not in _OLD:
                place = self._place(result)
                lost += place is None
                if place is not None and place[0] in self._files:
                    self._into.findings.append(self._finding(result, *place))
        if broken:
            self._into.problems.append(f"{broken} results are malformed and were left out")
        if lost:
            self._into.problems.append(
                f"{lost} results are on files that cannot be told; set the root of this report in the policy"
            )

    def _place(self, result: Result) -> tuple[str, PhysicalLocation] | None:
        """Return the first place that a changed file has, or else any; None where no path is known."""
        known = None
        for location in result.locations:
            physical = location.physical_location
            path = self._path(physical.artifact_location) if physical else None
            if physical is not None and path is not None:
                known = known or (path, physical)
                if path in self._files:
                    return path, physical
        # Results without any place are about the whole project; they are not lost, just not ours.
        return known or (("", PhysicalLocation()) if not result.locations else None)

    def _path(self, location: ArtifactLocation) -> str | None:
        if not location.uri and 0 <= location.index < len(self._run.artifacts):
            artifact = self._run.artifacts[location.index]
            listed = artifact.get("location") if isinstance(artifact, dict) else None
            location = _valid(ArtifactLocation, listed) or location
        if not location.uri:
            return None
        return resolve(location, self._run.original_uri_base_ids, self._checkout)

    def _finding(self, result: Result, path: str, place: PhysicalLocation) -> Finding:
        rule = self._rules.of(result)
        lines = self._lines_of(path)
        last = max(1, len(lines))
        line = min(place.region.start_line or 1, last)
        message = _message(result.message, rule)
        weaknesses = cwes(result, rule)
        graded = severity(result, rule)
        return Finding(
            scanner=self._scanner,
            rule=_one_line(rule.id, _RULE_CHARS) or "unnamed",
            category="security" if weaknesses or _is_security(result, rule) else "correctness",
            severity=graded,
            confidence=_confidence(result, rule),
            path=path,
            line=line,
            end_line=max(line, min(_last_line(place), last)),
            title=_title(rule, message),
            message=message,
            cwe=weaknesses,
            owasp=owasp(result, rule),
            references=(rule.help_uri,) if rule.help_uri.startswith("https://") else (),
            fix=self._fix(result, path),
            suppressed=any(one.status == "accepted" for one in result.suppressions),
        )

    def _lines_of(self, path: str) -> Sequence[str]:
        if path not in self._lines:
            self._lines[path] = lines_of(self._files[path])
        return self._lines[path]

    def _fix(self, result: Result, path: str) -> Fix | None:
        """Return the first fix that touches nothing but the file of the finding."""
        for data in result.fixes[:3]:
            proposed = _valid(Proposal, data)
            if proposed is None or len(proposed.artifact_changes) != 1:
                continue
            (change,) = proposed.artifact_changes
            if self._path(change.artifact_location) == path:
                utf16 = self._run.column_kind != "unicodeCodePoints"
                return whole_lines(change.replacements, self._lines_of(path), utf16=utf16)
        return None


def _last_line(place: PhysicalLocation) -> int:
    """Return the last line of the region; one that ends before the first character of a line leaves it out."""
    start = place.region.start_line or 1
    end = place.region.end_line or start
    return end - 1 if end > start and place.region.end_column == 1 else end


def _valid(shape: type[_Shape], data: Any) -> _Shape | None:
    try:
        return shape.model_validate(data)
    except (ValidationError, RecursionError):
        return None


def _message(message: Message, rule: Rule) -> str:
    text = message.text or rule.message_strings.get(message.id, Message()).text
    text = text or rule.full_description.text or rule.short_description.text
    arguments = message.arguments

    def argument(match: re.Match[str]) -> str:
        number = int(match[1])
        return arguments[number] if number < len(arguments) else match[0]

    if arguments:
        text = _PLACEHOLDER.sub(argument, text)
    text = _LINK.sub(r"\1", text).strip()
    return text if len(text) <= _MESSAGE_CHARS else f"{text[: _MESSAGE_CHARS - 1]}…"


def _title(rule: Rule, message: str) -> str:
    title = rule.short_description.text or message.partition("\n")[0] or rule.name or rule.id
    return _one_line(title, _TITLE_CHARS).rstrip(".") or "Finding without a description"


def _confidence(result: Result, rule: Rule) -> Confidence:
    if result.kind != "fail":
        return Confidence.low
    return _CONFIDENCE.get(result.properties.precision or rule.properties.precision, Confidence.medium)


def _is_security(result: Result, rule: Rule) -> bool:
    graded = (result.properties.security_severity, rule.properties.security_severity)
    return "security" in rule.properties.tags or any(score is not None for score in graded)


def _one_line(text: str, limit: int) -> str:
    clean = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}…"
