"""Findings as people read them in a terminal."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.text import Text

from bot.cli.context import printable
from bot.cli.local_review import Reviewed
from bot.domain.findings import Finding, Fix, Severity

#: A long range says little more than its first lines.
QUOTED_LINES = 3
COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


def render(reviewed: Reviewed) -> Iterator[Text]:
    """Yield the lines of the report: findings by file, what was not reviewed, and a summary.

    Nothing in code or findings can steer the terminal.
    """
    for path, found in itertools.groupby(reviewed.findings, key=lambda finding: finding.path):
        lines = reviewed.code.get(path, ())
        yield Text(printable(path), style="bold underline")
        for finding in found:
            yield from _finding(finding, lines)
    for place, reason in reviewed.not_reviewed.items():
        yield Text(printable(f"not reviewed: {place}: {reason}"), style="yellow")
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
        (printable(finding.title), "bold"),
        (printable(f"  [{finding.scanner}: {finding.rule}]"), "dim"),
    )
    if finding.suppressed:
        heading.append("  (the code asks to ignore it)", style="dim")
    yield heading
    for text in lines[finding.line - 1 : min(finding.end_line, finding.line - 1 + QUOTED_LINES)]:
        yield Text(printable(f"      | {_tabs(text)}"), style="dim")
    for text in finding.message.splitlines():
        yield Text(printable(f"      {text}"))
    if finding.fix is not None:
        yield from _fix(finding.fix, lines)
    yield Text()


def _fix(fix: Fix, lines: Sequence[str]) -> Iterator[Text]:
    yield Text("      suggested fix:", style="dim")
    for text in lines[fix.line - 1 : fix.end_line]:
        yield Text(printable(f"      - {_tabs(text)}"), style="red")
    for text in fix.replacement.split("\n") if fix.replacement else []:
        yield Text(printable(f"      + {_tabs(text)}"), style="green")


def _tabs(text: str) -> str:
    return text.removesuffix("\r").expandtabs(4)
