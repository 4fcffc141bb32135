"""The one order of findings in reports, and their identity there."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from bot.domain.findings import Finding


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return *findings* by place, then by gravity; equal inputs in any order give the same list."""
    return sorted(findings, key=lambda found: (found.path, found.line, -found.severity.rank, repr(found)))


def identified(findings: Iterable[Finding]) -> Iterator[tuple[str, Finding]]:
    """Yield findings in order, each with an id of 64 hex digits that is unique in the report.

    The id follows the fingerprint; a finding without one is identified by its text and place. Findings
    that share either are told apart by their order.
    """
    seen: Counter[str] = Counter()
    for finding in in_order(findings):
        identity = finding.fingerprint or "\n".join(
            [finding.scanner, finding.rule, finding.path, str(finding.line), finding.title]
        )
        seen[identity] += 1
        text = f"{identity}\n{seen[identity]}"
        yield hashlib.sha256(text.encode(errors="replace")).hexdigest(), finding
