"""Findings -> those that this merge request is answerable for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import takewhile

from bot.domain.diff import Diff, FileDiff
from bot.domain.findings import MODEL, Finding, better
from bot.domain.sameness import same


def clip(findings: Iterable[Finding], diff: Diff) -> tuple[list[Finding], list[Finding]]:
    """Split *findings* into those on lines that the merge request adds or changes, and those outside.

    A changed line is, in a diff, a removed and an added one; so "adds or changes" means the added lines. A
    finding is kept when its range holds at least one of them, and is narrowed to run from the first to the
    last of them within one hunk, where a comment can stand. What a removal does to the unchanged lines
    around it cannot be told from what was wrong before, so findings there are outside, like those in files
    whose changed lines are not known.

    ``fix``, ``anchor`` and ``fingerprint`` stay those of the whole range.
    """
    kept: list[Finding] = []
    outside: list[Finding] = []
    for finding in findings:
        file = diff.by_new_path.get(finding.path)
        place = _place(finding, file) if file else None
        if place is None:
            outside.append(finding)
        else:
            line, end_line = place
            kept.append(finding.model_copy(update={"line": line, "end_line": end_line}))
    return kept, outside


def deduplicate(
    findings: Iterable[Finding], *, prefer: Callable[[Finding], bool] = lambda _: True
) -> list[Finding]:
    """Keep one finding where several say the same (see `same`), noting who else said it.

    A static scanner wins over the model, then what *prefer* asks for, then what the code does not ask to ignore,
    then the graver, then the surer one. It keeps its own severity and fingerprint, so that a model cannot raise
    what blocks a merge, and takes over a fix if it has none. Each is compared with the winners only: that A and B,
    B and C say the same does not make A and C one. The order of the survivors is that of the input, and which
    survive does not depend on it.
    """
    found = list(findings)
    kept: dict[int, Finding] = {}
    by_path: dict[str, list[int]] = defaultdict(list)
    order = sorted(range(len(found)), key=lambda index: _preference(found[index], prefer))
    for index in order:
        finding = found[index]
        rivals = by_path[finding.path]
        twin = next((rival for rival in rivals if same(kept[rival], finding)), None)
        if twin is None:
            kept[index] = finding
            rivals.append(index)
        else:
            kept[twin] = _folding(kept[twin], finding)
    return [kept[index] for index in sorted(kept)]


def _place(finding: Finding, file: FileDiff) -> tuple[int, int] | None:
    touched = sorted(line for line in file.added_lines if finding.line <= line <= finding.end_line)
    if not touched:
        return None
    last_of_hunk = next(
        hunk.new_start + hunk.new_count - 1
        for hunk in file.hunks
        if hunk.new_start <= touched[0] < hunk.new_start + hunk.new_count
    )
    return touched[0], list(takewhile(lambda line: line <= last_of_hunk, touched))[-1]


def _preference(finding: Finding, prefer: Callable[[Finding], bool]) -> tuple[object, ...]:
    confidences = ("high", "medium", "low")
    return (
        finding.scanner == MODEL,
        not prefer(finding),
        finding.suppressed,
        -finding.severity.rank,
        confidences.index(finding.confidence),
        finding.scanner,
        *(finding.path, finding.line, finding.end_line, finding.rule, finding.fingerprint),
        repr(finding),
    )


def _folding(kept: Finding, dropped: Finding) -> Finding:
    note = f"Also reported by {dropped.scanner}: {dropped.title}"
    said = note in kept.message or (kept.scanner, kept.title) == (dropped.scanner, dropped.title)
    message = kept.message if said else f"{kept.message}\n\n{note}"
    return kept.model_copy(update={"message": message, "fix": better(kept.fix, dropped.fix)})
