"""Findings as people read them in a terminal."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.text import Text

from bot.cli.context import printable
from bot.cli.local_review import Reviewed
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.proof import evidence
from bot.domain.suggestion import Refusal

#: A long range says little more than its first lines.
QUOTED_LINES = 3
COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


def render(reviewed: Reviewed) -> Iterator[Text]:
    """Yield the lines of the report: findings by file, what was not reviewed, and a summary.

    Nothing in code or findings can steer the terminal.
    """
    for path, found in itertools.groupby(reviewed.findings, key=lambda finding: finding.path):
        lines = reviewed.code.get(path, ())
        yield Text(_shown(path), style="bold underline")
        for finding in found:
            yield from _finding(finding, lines)
    for place, reason in reviewed.not_reviewed.items():
        yield Text(_shown(f"not reviewed: {place}: {reason}"), style="yellow")
    yield Text(summary(reviewed), style="bold")


def summary(reviewed: Reviewed) -> str:
    """Return one line that counts the findings by severity, gravest first."""
    counts = Counter(finding.severity for finding in reviewed.findings)
    parts = [f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity]]
    total = len(reviewed.findings)
    found = f"{total} finding{'' if total == 1 else 's'}" if total else "no findings"
    return f"{found}: {', '.join(parts)}" if parts else found


def _finding(finding: Finding, lines: Sequence[str]) -> Iterator[Text]:
    place = f"{finding.line}" if finding.line == finding.end_line else f"{finding.line}-{finding.end_line}"
    heading = Text.assemble(
        f"  {place}  ",
        (str(finding.severity), COLOURS[finding.severity]),
        "  ",
        (_shown(finding.title), "bold"),
        (_shown(f"  [{finding.scanner}: {finding.rule}]"), "dim"),
    )
    if finding.excused:
        heading.append("  (the code asks to ignore it)", style="dim")
    yield heading
    for text in lines[finding.line - 1 : min(finding.end_line, finding.line - 1 + QUOTED_LINES)]:
        yield Text(f"      | {_shown(text)}", style="dim")
    for text in printable(finding.message).splitlines():
        yield Text(f"      {text}")
    for text in printable(finding.explanation).splitlines():
        yield Text(f"      {text}", style="italic")
    if finding.fix is not None:
        yield from _fix(finding.fix, lines)
    yield Text()


def _fix(fix: Fix, lines: Sequence[str]) -> Iterator[Text]:
    if fix.verified:
        heading = f"suggested fix (checked: {', '.join(evidence(fix.verified))}):"
    else:
        heading = f"possible change, to be made by hand because {fix.refusal or Refusal.unchecked}:"
    yield Text(f"      {_shown(heading)}", style="dim")
    for text in lines[fix.line - 1 : fix.end_line]:
        yield Text(f"      - {_shown(text)}", style="red")
    for text in fix.replacement.split("\n") if fix.replacement else []:
        yield Text(f"      + {_shown(text)}", style="green")


def _shown(text: str) -> str:
    """Return one line of code as exactly one line."""
    return printable(text.removesuffix("\r").expandtabs(4)).replace("\n", " ")
