"""Which findings a merge request adds, and which were there before and only moved.

Findings are counted, not paired by place: one that is on an added line is new only as far as the number of equal
ones grew, in its own file first, then among the files of the diff from which such code went away.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.findings import Finding

#: What makes findings of one scanner equal: the rule, and what it is about.
Identity = tuple[str, str]

#: What one scanner found at one commit, by path; a file that it could not look at is missing.
Found = Mapping[str, Counter[Identity]]

#: Enough to tell statements apart, few enough that an edit far down in a long block leaves its finding the old one.
_SHAPE_CHARACTERS = 100
_BEFORE_CLOSER = re.compile(r",(?=[)\]}])")


def shape(lines: Iterable[str]) -> str:
    """Return code without what formatters change: white space, line breaks, kind of quotes, trailing commas."""
    joined = "".join("".join(line.split()) for line in lines).replace("'", '"')
    return _BEFORE_CLOSER.sub("", joined)


def identity(finding: Finding, lines: Sequence[str]) -> Identity:
    """Return what makes *finding* equal to others, whatever its place; *lines* are those of its file."""
    code = shape(lines[finding.line - 1 : finding.end_line])[:_SHAPE_CHARACTERS]
    return finding.rule, finding.subject or code


def count(findings: Iterable[Finding], lines_by_path: Mapping[str, Sequence[str]]) -> Found:
    """Count equal findings in each file of *lines_by_path*."""
    found: dict[str, Counter[Identity]] = {path: Counter() for path in lines_by_path}
    for finding in findings:
        if finding.path in found:
            found[finding.path][identity(finding, lines_by_path[finding.path])] += 1
    return found


def fewest(one: Found, other: Found) -> Found:
    """Return what both have found, of each kind as many as the one with fewer."""
    return {path: one[path] & other.get(path, Counter()) for path in one}


def added(
    candidates: Sequence[Finding],
    diff: Diff,
    *,
    head: Found,
    before: Found,
    identify: Callable[[Finding], Identity],
) -> list[Finding]:
    """Return those of *candidates* that are new, in their order.

    Args:
        candidates: findings on lines that *diff* adds; of equal ones in a file the last count as the new ones.
        diff: what changed.
        head: everything found at the head, that which is on other lines included, by the path there.
        before: everything found before, by the path then. A file that is missing here gives no reason to drop
            anything: its findings stay.
        identify: see `identity`.
    """
    gone = _gone(diff, head, before)
    groups: dict[tuple[str, Identity], list[int]] = defaultdict(list)
    for index, finding in enumerate(candidates):
        groups[finding.path, identify(finding)].append(index)
    kept: set[int] = set()
    for (path, kind), group in groups.items():
        more = len(group)
        file = diff.by_new_path.get(path)
        if file is None or not _known_before(file, before):
            kept.update(group)
            continue
        if file.change is not Change.added:
            more = min(more, head.get(path, Counter())[kind] - before[file.old_path][kind])
        moved = min(max(more, 0), gone[kind])
        gone[kind] -= moved
        group.sort(key=lambda index: candidates[index].line)
        kept.update(group[len(group) - max(more - moved, 0) :])
    return [finding for index, finding in enumerate(candidates) if index in kept]


def _known_before(file: FileDiff, before: Found) -> bool:
    return file.change is Change.added or file.old_path in before


def _gone(diff: Diff, head: Found, before: Found) -> Counter[Identity]:
    """Count what went away from the files of *diff*; nothing is known of a file that was not looked at twice."""
    gone: Counter[Identity] = Counter()
    for file in diff.files:
        if file.change is Change.added or file.old_path not in before:
            continue
        if file.change is Change.deleted:
            gone += before[file.old_path]
        elif file.new_path in head:
            gone += before[file.old_path] - head[file.new_path]
    return gone
