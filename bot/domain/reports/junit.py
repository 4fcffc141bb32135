"""JUnit's XML, which GitLab shows on every tier: https://docs.gitlab.com/ci/testing/unit_test_reports/.

One test case is one rule in one file, so that a case stays the same while lines move. It fails if one of its findings
blocks; the others are told in its output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from bot.domain.findings import Finding
from bot.domain.markdown import one_line, visible
from bot.domain.remedy import remedy
from bot.domain.reports.occasion import Occasion
from bot.domain.reports.order import in_order

_PATH_CHARS = 1_000


def junit(findings: Iterable[Finding], occasion: Occasion) -> str:
    """Return the report; without findings it has the one case that the gate was asked."""
    blocking = frozenset(occasion.blocking)
    cases = [_case(list(group), blocking) for _, group in groupby(_sorted(findings), key=_key)]
    cases += [_broken(name, why) for name, why in sorted(occasion.broken.items())]
    seconds = f"{max((occasion.ended - occasion.started).total_seconds(), 0):.3f}"
    counts = {
        "tests": str(max(len(cases), 1)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(len(occasion.broken)),
        "time": seconds,
    }
    suite = ET.Element("testsuite", {"name": "cloister", **counts})
    suite.extend(cases or [ET.Element("testcase", {"classname": "cloister", "name": "gate"})])
    root = ET.Element("testsuites", {"name": "cloister", **counts})
    root.append(suite)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.path, finding.scanner, finding.rule


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(in_order(findings), key=_key)


def _case(found: Sequence[Finding], all_blocking: Collection[Finding]) -> ET.Element:
    first = found[0]
    path = one_line(first.path, _PATH_CHARS)
    name = one_line(f"{first.scanner}: {first.rule}")
    case = ET.Element("testcase", {"classname": path, "name": name, "file": path})
    blocking = [one for one in found if one in all_blocking]
    if blocking:
        failure = ET.SubElement(case, "failure", {"message": one_line(blocking[0].title), "type": "blocks"})
        failure.text = "\n\n".join(map(_told, blocking))
    if others := [one for one in found if one not in blocking]:
        ET.SubElement(case, "system-out").text = "\n\n".join(map(_told, others))
    return case


def _told(finding: Finding) -> str:
    place = f"{one_line(finding.path, _PATH_CHARS)}:{finding.line}"
    return (
        f"{place}: {finding.severity}: {one_line(finding.title)}\n{visible(finding.message).strip()}\n"
        f"{remedy(finding)}"
    )


def _broken(name: str, why: str) -> ET.Element:
    case = ET.Element("testcase", {"classname": "cloister", "name": one_line(name)})
    ET.SubElement(case, "error", {"message": "gave no answer", "type": "undecided"}).text = visible(why)
    return case
