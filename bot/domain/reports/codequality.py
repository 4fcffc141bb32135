"""GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot.domain.findings import Finding, Severity
from bot.domain.markdown import one_line
from bot.domain.reports.order import identified

_SEVERITIES = {
    Severity.info: "info",
    Severity.low: "minor",
    Severity.medium: "major",
    Severity.high: "critical",
    Severity.critical: "blocker",
}


def codequality(findings: Iterable[Finding]) -> str:
    """Return the report as JSON: an array, empty when there is nothing to report."""
    entries = [
        {
            "description": one_line(finding.title) or finding.rule,
            "check_name": finding.rule,
            "fingerprint": identity,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                # GitLab refuses the whole report for half a character, which a path may hold.
                "path": finding.path.removeprefix("./").encode(errors="replace").decode(),
                "lines": {"begin": finding.line, "end": finding.end_line},
            },
        }
        for identity, finding in identified(findings)
    ]
    return json.dumps(entries, indent=2) + "\n"
