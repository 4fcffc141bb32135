"""Results in the forms that several frameworks share, from processes that may lie, rave or break off."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

from bot.domain.markdown import one_line
from bot.domain.unit_tests import Outcome, State
from bot.ports import Tried

_DETAIL_CHARS = 200
_LIMITS = {
    "time": "it ran into the time limit",
    "memory": "it ran into the memory limit",
    "processes": "it started too many processes",
    "output": "it wrote too much",
}


def over_limit(tried: Tried) -> Outcome | None:
    """Return the outcome of a run that a limit has ended, None for any other."""
    return Outcome(State.broken, detail=_LIMITS[tried.ended]) if tried.ended else None


def tail(*outputs: bytes) -> str:
    """Return the last line that says something, shortened."""
    lines = [
        line for output in outputs for line in output.decode(errors="replace").splitlines() if line.strip()
    ]
    return one_line(lines[-1], _DETAIL_CHARS) if lines else ""


def counted(tried: Tried, *, tests: int, failed: int, broken: int = 0, detail: str = "") -> Outcome:
    """Return the outcome for these numbers; the exit code must agree that all is well."""
    if tests - broken > 0 and failed:
        return Outcome(State.failed, tests, detail)
    if tests == 0 or broken or failed or tried.returncode != 0:
        said = detail or tail(tried.stderr, tried.stdout) or f"exit code {tried.returncode}"
        return Outcome(State.broken, tests, said)
    return Outcome(State.passed, tests)


def junit_xml(tried: Tried) -> Outcome:
    """Return what a report in JUnit's XML says."""
    # Reports declare no types; whoever declares entities wants them to explode.
    if not tried.report or b"<!" in tried.report.replace(b"<![CDATA[", b""):
        return counted(tried, tests=0, failed=0)
    try:
        root = ET.fromstring(tried.report)  # noqa: S314 - there are no entities in it
    except (ET.ParseError, ValueError, LookupError, RecursionError):
        return counted(tried, tests=0, failed=0)
    cases = list(root.iter("testcase"))
    failures = [found for case in cases for found in case.findall("failure")]
    errors = [found for case in cases for found in case.findall("error")]
    skipped = sum(case.find("skipped") is not None for case in cases)
    said = next((found.get("message", "") for found in (*errors, *failures)), "")
    return counted(
        tried,
        tests=len(cases) - skipped,
        failed=len(failures),
        broken=len(errors),
        detail=one_line(said, _DETAIL_CHARS),
    )


def jest_json(tried: Tried) -> Outcome:
    """Return what a report in Jest's JSON says, which Vitest writes too."""
    try:
        report = json.loads(tried.report or b"{}")
        passed, failed = int(report.get("numPassedTests", 0)), int(report.get("numFailedTests", 0))
        suites = int(report.get("numRuntimeErrorTestSuites", 0))
        results = report.get("testResults") or []
        said = next((str(one.get("message") or "") for one in results if one.get("message")), "")
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return Outcome(State.broken, detail="the report cannot be read")
    detail = one_line(re.sub(r"\x1b\[[0-9;]*m", "", said), _DETAIL_CHARS)
    return counted(tried, tests=passed + failed, failed=failed, broken=suites, detail=detail)
