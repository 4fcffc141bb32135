"""SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from bot.domain.findings import Finding, Fix, Severity
from bot.domain.markdown import one_line, visible
from bot.domain.proof import evidence
from bot.domain.reports.order import identified

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.info: "note",
    Severity.low: "note",
    Severity.medium: "warning",
    Severity.high: "error",
    Severity.critical: "error",
}

#: The middle of each band of CVSS scores, which readers of this property expect.
_SCORES = {
    Severity.info: "0.0",
    Severity.low: "2.0",
    Severity.medium: "5.5",
    Severity.high: "8.0",
    Severity.critical: "9.5",
}


def sarif(findings: Iterable[Finding]) -> str:
    """Return the report as JSON with one run, whose results name files relative to the repository root."""
    found = list(identified(findings))
    rules = _rules([finding for _, finding in found])
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "Cloister", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(identity, finding, index) for identity, finding in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule_id(finding: Finding) -> str:
    return f"{finding.scanner}/{finding.rule}"


def _rules(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    gravest: dict[str, Finding] = {}
    for finding in findings:
        known = gravest.get(_rule_id(finding))
        if known is None or finding.severity.rank > known.severity.rank:
            gravest[_rule_id(finding)] = finding
    return [_rule(rule_id, gravest[rule_id]) for rule_id in sorted(gravest)]


def _rule(rule_id: str, finding: Finding) -> dict[str, Any]:
    pages = [address for address in finding.references if address.startswith("https://")]
    return {
        "id": rule_id,
        "shortDescription": {"text": one_line(finding.title) or rule_id},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        **({"helpUri": quote(pages[0], safe=":/?#[]@!$&'()*+,;=%~", errors="replace")} if pages else {}),
        "properties": {
            # Each once, or readers refuse the whole report.
            "tags": list(
                dict.fromkeys([finding.category, *finding.cwe, *(f"OWASP-{name}" for name in finding.owasp)])
            ),
            "security-severity": _SCORES[finding.severity],
        },
    }


def _result(identity: str, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    rule_id = _rule_id(finding)
    place = {
        "artifactLocation": {"uri": _uri(finding.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": finding.line, "endLine": finding.end_line},
    }
    return {
        "ruleId": rule_id,
        "ruleIndex": index[rule_id],
        "level": _LEVELS[finding.severity],
        "message": {"text": visible(finding.message).strip() or one_line(finding.title) or rule_id},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"cloister/v1": identity},
        "properties": {"severity": finding.severity.value, "confidence": finding.confidence.value},
        **({"suppressions": [{"kind": "inSource"}]} if finding.suppressed else {}),
        **({"fixes": [_fix(finding.fix, finding.path)]} if finding.fix and finding.fix.verified else {}),
    }


def _fix(fix: Fix, path: str) -> dict[str, Any]:
    """Return a fix that was proven; others are for people only."""
    if fix.replacement:
        change: dict[str, Any] = {
            "deletedRegion": {"startLine": fix.line, "endLine": fix.end_line},
            "insertedContent": {"text": fix.replacement},
        }
    else:
        region = {"startLine": fix.line, "startColumn": 1, "endLine": fix.end_line + 1, "endColumn": 1}
        change = {"deletedRegion": region}
    place = {"uri": _uri(path), "uriBaseId": "%SRCROOT%"}
    return {
        "description": {"text": f"Checked: {', '.join(evidence(fix.verified))}"},
        "artifactChanges": [{"artifactLocation": place, "replacements": [change]}],
    }


def _uri(path: str) -> str:
    return quote(path.removeprefix("./"), safe="/", errors="replace")
