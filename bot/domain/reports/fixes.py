"""Fixes that were proven, as a patch for `git apply`."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of
from bot.domain.reports.order import in_order
from bot.domain.suggestion import Refusal, applied, suggestion

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
#: Git quotes other names, in a way of its own.
_PLAIN = re.compile(r"[\w./+,@=~ -]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fixes:
    """Hold the patch, how many fixes are in it, and which proven ones are not, with the reason."""

    patch: bytes = b""
    count: int = 0
    left_out: tuple[str, ...] = ()


def fixes(findings: Iterable[Finding], contents: Mapping[str, bytes]) -> Fixes:
    """Return the proven fixes of *findings* as changes of *contents*; of those that overlap, the first one.

    Each was proven alone. They are put into the file from its end, so that none moves another.
    """
    chosen: dict[str, list[Finding]] = defaultdict(list)
    left_out: list[str] = []
    for finding in in_order(findings):
        if finding.fix is None or not finding.fix.verified:
            continue
        why = _unfit(finding, chosen[finding.path], contents)
        if why:
            left_out.append(f"{finding.path}:{finding.fix.line}: {why}")
        else:
            chosen[finding.path].append(finding)
    changed = {path: _fixed(found, contents[path]) for path, found in sorted(chosen.items()) if found}
    patch = b"".join(_difference(path, contents[path], after) for path, after in changed.items())
    return Fixes(patch, sum(map(len, chosen.values())), tuple(left_out))


def _unfit(finding: Finding, others: Iterable[Finding], contents: Mapping[str, bytes]) -> str:
    fix = finding.fix
    assert fix is not None, "only findings with a fix are asked about"
    if finding.path not in contents or not _PLAIN.fullmatch(finding.path):
        return "its name cannot be written into a patch"
    if any(one.fix and one.fix.line <= fix.end_line and fix.line <= one.fix.end_line for one in others):
        return "another fix changes the same lines"
    return ""


def _fixed(found: Iterable[Finding], content: bytes) -> bytes:
    ordered = sorted(found, key=lambda one: one.fix.line if one.fix else 0, reverse=True)
    for finding in ordered:
        assert finding.fix is not None, "only findings with a fix are chosen"
        fix = finding.fix
        block = suggestion(fix, path=finding.path, anchor=fix.end_line, lines=lines_of(content))
        if not isinstance(block, Refusal):
            content = applied(content, block, fix.end_line)
    return content


def _difference(path: str, before: bytes, after: bytes) -> bytes:
    name = path.encode()
    rows = difflib.diff_bytes(
        difflib.unified_diff, _LINES.findall(before), _LINES.findall(after), b"a/" + name, b"b/" + name
    )
    return b"".join(row if row.endswith(b"\n") else row + b"\n\\ No newline at end of file\n" for row in rows)
