"""GitLab's security reports: https://docs.gitlab.com/development/integrations/secure/#report.

Version 15.0.7 of the schemas is declared: GitLab 16 to 19 accept it, and what is written here is valid in 15.2 too.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot import __version__
from bot.domain.findings import Finding, Severity
from bot.domain.markdown import one_line, visible
from bot.domain.remedy import remedy
from bot.domain.reports.occasion import EVERYTHING, Occasion
from bot.domain.reports.order import identified

VERSION = "15.0.7"

#: Each scan has its own report, and packages are neither code nor secrets.
SECRETS, DEPENDENCIES = "secrets", "dependencies"

_SCHEMA = (
    "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v{version}/dist/{name}"
)
#: Ids are made from what identifies the finding, so they stay the same from run to run.
_NAMESPACE = uuid.UUID("5f3b0f0e-3a53-5a0c-9f0e-8f5a4d1c7b21")
_SEVERITIES = {
    Severity.info: "Info",
    Severity.low: "Low",
    Severity.medium: "Medium",
    Severity.high: "High",
    Severity.critical: "Critical",
}
#: Limits of the schema, which counts characters.
_NAME_CHARS, _SOLUTION_CHARS, _DESCRIPTION_CHARS = 255, 7_000, 100_000
_TOOL = {
    "id": "cloister",
    "name": "Cloister",
    "version": __version__,
    "vendor": {"name": "Cloister"},
}


def sast(findings: Iterable[Finding], occasion: Occasion) -> str:
    """Return the SAST report: what was found in code, by whichever scanner."""
    code = [one for one in findings if one.scanner not in (SECRETS, DEPENDENCIES)]
    broken = set(occasion.broken) - {SECRETS, DEPENDENCIES}
    return _report("sast", code, occasion, failed=bool(broken))


def secret_detection(findings: Iterable[Finding], occasion: Occasion) -> str:
    """Return the secret detection report; findings hold a secret's kind and place, never the secret."""
    secrets = [one for one in findings if one.scanner == SECRETS]
    return _report(
        "secret_detection", secrets, occasion, failed=bool({SECRETS, EVERYTHING} & set(occasion.broken))
    )


def _report(kind: str, findings: Iterable[Finding], occasion: Occasion, *, failed: bool) -> str:
    file = f"{kind.replace('_', '-')}-report-format.json"
    report = {
        "version": VERSION,
        "schema": _SCHEMA.format(version=VERSION, name=file),
        "scan": {
            "analyzer": _TOOL,
            "scanner": _TOOL,
            "type": kind,
            "start_time": _moment(occasion.started),
            "end_time": _moment(occasion.ended),
            "status": "failure" if failed else "success",
        },
        "vulnerabilities": [
            _vulnerability(kind, identity, finding, occasion) for identity, finding in identified(findings)
        ],
    }
    return json.dumps(report, indent=2) + "\n"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _vulnerability(kind: str, identity: str, finding: Finding, occasion: Occasion) -> dict[str, Any]:
    title = one_line(finding.title, _NAME_CHARS) or finding.rule[:_NAME_CHARS]
    links = [_address(page) for page in finding.references if page.startswith("https://")]
    return {
        "id": str(uuid.uuid5(_NAMESPACE, identity)),
        "category": kind,
        "name": title,
        "description": visible(finding.message).strip()[:_DESCRIPTION_CHARS] or title,
        "severity": _SEVERITIES[finding.severity],
        "solution": remedy(finding)[:_SOLUTION_CHARS],
        "identifiers": _identifiers(finding),
        **({"links": [{"url": link} for link in links]} if links else {}),
        "location": _location(kind, finding, occasion),
    }


def _identifiers(finding: Finding) -> list[dict[str, str]]:
    """Return what identifies the kind of finding; GitLab tracks findings by the first."""
    rule = f"{finding.scanner}/{finding.rule}"
    cwes = [(name, name.upper().removeprefix("CWE-")) for name in finding.cwe]
    return [
        {"type": "cloister_rule", "name": f"Cloister {rule}", "value": rule},
        *(
            {
                "type": "cwe",
                "name": f"CWE-{number}",
                "value": number,
                "url": f"https://cwe.mitre.org/data/definitions/{number}.html",
            }
            for _, number in cwes
            if number.isascii() and number.isdigit()
        ),
        *({"type": "owasp", "name": f"OWASP {name}", "value": name} for name in finding.owasp if name),
    ]


def _location(kind: str, finding: Finding, occasion: Occasion) -> dict[str, Any]:
    place: dict[str, Any] = {
        # Readers refuse half a character, which a path may hold.
        "file": finding.path.removeprefix("./").encode(errors="replace").decode(),
        "start_line": finding.line,
        "end_line": finding.end_line,
    }
    if kind == "secret_detection":
        # A working tree has no commit; forty zeros are git's own word for none.
        place["commit"] = {"sha": finding.commit or occasion.head_sha or "0" * 40}
    return place


def _address(page: str) -> str:
    return quote(page, safe=":/?#[]@!$&'()*+,;=%~", errors="replace")
