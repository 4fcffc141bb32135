"""The one note per merge request that is edited in place: the verdict and everything not said inline."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from bot.domain.findings import Finding, Severity
from bot.domain.markdown import cell, code_span, neutral_inline
from bot.domain.policy import Verdict
from bot.domain.reconcile import urgency

_PASSED = "**No blocking findings.**"
_BLOCKED = "**Blocked by {count}.** The first: {first}."
_PENDING = "Not finished yet: {steps}. This note will be updated."
_NOTHING = "Nothing to report."
_INLINE = "Commented in the diff ({count}):"
_LISTED = "Not commented in the diff ({count}):"
_SUPPRESSED = "Suppressed by a comment in the code ({count}); check that this is intended:"
_SKIPPED = "Skipped:"
_NOT_REVIEWED = "Not reviewed ({count}):"
_PROBLEMS = "Problems:"
_UNDECIDED = "**Not decided.** No answer from: {steps}."
_PAUSED = "Paused: new commits are reviewed only when somebody asks, until `@cloister resume`."
_FAILED = "**The review could not be carried out.**"
_MORE = "and {count} more"

#: Rows and items beyond these are counted, not shown; nobody reads further.
_ROWS = 50
_ITEMS = 20
_TITLE_LIMIT = 120
_PATH_LIMIT = 200
_REASON_LIMIT = 200

#: What the path of a link may consist of; anything else could end the link early.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True, slots=True)
class Listed:
    """Hold a finding that has no thread, and why: over the budget, too mild, or its position was refused."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """Hold what one review came to.

    ``project_url`` is the project's page on the configured instance (see ``project_url``); without it
    places are not linked. ``skipped`` maps a part of the review to the reason why it did not run,
    ``not_reviewed`` a path. ``pending`` names parts whose result is still to come, ``undecided`` those that
    the gate needs and that gave none. ``failed`` means that nothing could be looked at, ``paused`` that new commits
    will not be.
    """

    head_sha: str
    verdict: Verdict
    project_url: str = ""
    inline: Sequence[Finding] = ()
    listed: Sequence[Listed] = ()
    suppressed: Sequence[Finding] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    not_reviewed: Mapping[str, str] = field(default_factory=dict)
    pending: Sequence[str] = ()
    undecided: Sequence[str] = ()
    failed: bool = False
    paused: bool = False
    problems: Sequence[str] = ()
    files: int = 0
    added_lines: int = 0
    tokens: int = 0
    seconds: float = 0.0


def summary(result: ReviewResult, *, marker: str, redact: Callable[[str], str] = str) -> str:
    """Return the body of the summary note; *marker* is its last line.

    The body stays far below GitLab's limit of a million characters, whatever the result holds. *redact* masks
    secrets in the names of files.
    """
    parts = [
        _headline(result),
        _PENDING.format(steps=", ".join(map(neutral_inline, result.pending[:_ITEMS])))
        if result.pending
        else "",
        _PAUSED if result.paused else "",
        _counts(result),
        _table(_INLINE, [(finding, "") for finding in result.inline], result, redact),
        _table(_LISTED, [(item.finding, item.reason) for item in result.listed], result, redact),
        _table(_SUPPRESSED, [(finding, "") for finding in result.suppressed], result, redact),
        _list(_SKIPPED, [_because(neutral_inline(part), why) for part, why in result.skipped.items()]),
        _list(
            _NOT_REVIEWED,
            [_because(_path(redact(path)), why) for path, why in sorted(result.not_reviewed.items())],
        ),
        _list(_PROBLEMS, [neutral_inline(problem) for problem in result.problems]),
        _footer(result),
        marker,
    ]
    return "\n\n".join(part for part in parts if part)


def project_url(instance_url: str, merge_request_url: str) -> str:
    """Return the project's page, or nothing if it is not below *instance_url*: we link nowhere else."""
    root = instance_url.rstrip("/") + "/"
    project, separator, _ = merge_request_url.partition("/-/merge_requests/")
    plain = _PLAIN_URL.fullmatch(project) and not {".", ".."} & set(project.split("/"))
    return project if separator and plain and project.startswith(root) else ""


def permalink(project: str, sha: str, path: str, line: int, end_line: int) -> str:
    """Return the address of lines of a file at a commit, or nothing if *path* is not a plain relative path."""
    if not project or {"", ".", ".."} & set(path.split("/")):
        return ""
    lines = f"L{line}" if line == end_line else f"L{line}-{end_line}"
    return f"{project}/-/blob/{sha}/{quote(path, safe='/', errors='replace')}#{lines}"


def _headline(result: ReviewResult) -> str:
    blocking = result.verdict.blocking
    if result.failed:
        return _FAILED
    if blocking:
        count = f"{len(blocking)} finding" + ("s" if len(blocking) > 1 else "")
        return _BLOCKED.format(count=count, first=neutral_inline(blocking[0].title, _TITLE_LIMIT))
    if result.undecided:
        return _UNDECIDED.format(steps=", ".join(map(neutral_inline, result.undecided[:_ITEMS])))
    return _PASSED


def _counts(result: ReviewResult) -> str:
    shown = [*result.inline, *(item.finding for item in result.listed)]
    if not shown:
        return "" if result.pending or result.undecided or result.failed else _NOTHING
    severities = Counter(finding.severity for finding in shown)
    return (
        ", ".join(
            f"{severities[severity]} {severity.value}"
            for severity in reversed(Severity)
            if severities[severity]
        )
        + "."
    )


def _table(
    title: str, rows: Iterable[tuple[Finding, str]], result: ReviewResult, redact: Callable[[str], str]
) -> str:
    found = sorted(rows, key=lambda row: (urgency(row[0]), row[1]))
    if not found:
        return ""
    why = any(reason for _, reason in found)
    lines = [
        f"| Severity | Place | Finding |{' Why |' if why else ''}",
        f"|---|---|---|{'---|' if why else ''}",
        *(_row(finding, reason, result, redact(finding.path), why=why) for finding, reason in found[:_ROWS]),
    ]
    more = [_MORE.format(count=len(found) - _ROWS)] if len(found) > _ROWS else []
    return "\n\n".join([title.format(count=len(found)), "\n".join(lines), *more])


def _row(finding: Finding, reason: str, result: ReviewResult, path: str, *, why: bool) -> str:
    place = code_span(f"{path}:{finding.line}".replace("|", "¦"), _PATH_LIMIT)
    project = result.project_url if path == finding.path else ""
    address = permalink(project, finding.commit or result.head_sha, path, finding.line, finding.end_line)
    cells = [
        finding.severity.value,
        f"[{place}]({address})"
        if address and len(address) < 2 * _PATH_LIMIT + len(result.project_url)
        else place,
        f"{cell(finding.title, _TITLE_LIMIT)} ({cell(finding.scanner)})",
    ]
    return f"| {' | '.join([*cells, cell(reason, _REASON_LIMIT)] if why else cells)} |"


def _list(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    more = [_MORE.format(count=len(items) - _ITEMS)] if len(items) > _ITEMS else []
    return "\n".join(
        [title.format(count=len(items)), "", *(f"- {item}" for item in [*items[:_ITEMS], *more])]
    )


def _because(what: str, why: str) -> str:
    return f"{what}: {neutral_inline(why, _REASON_LIMIT)}"


def _path(path: str) -> str:
    return code_span(path, _PATH_LIMIT) or "a file without a visible name"


def _footer(result: ReviewResult) -> str:
    files = f"{result.files} file{'' if result.files == 1 else 's'}"
    lines = f"{result.added_lines} added line{'' if result.added_lines == 1 else 's'}"
    parts = [f"Reviewed {code_span(result.head_sha[:8])}: {files}, {lines}"]
    if result.tokens:
        parts.append(f"{result.tokens} tokens")
    if result.seconds:
        parts.append(f"{result.seconds:.0f} s")
    return ", ".join(parts) + "."
