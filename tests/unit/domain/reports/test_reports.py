"""Reports are valid in their format, complete, and the same for the same findings."""

from __future__ import annotations

import json
import random
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Finding, Severity
from bot.domain.reports import FORMATS, NO_OCCASION
from bot.domain.reports.codequality import codequality
from bot.domain.reports.listing import Entry, File, listing
from bot.domain.reports.native import native
from bot.domain.reports.sarif import sarif

FINDING = Finding(
    scanner="semgrep",
    rule="python.sql",
    category="security",
    severity=Severity.high,
    path="./src/a b#.py",
    line=3,
    end_line=5,
    title="SQL built\nfrom input",
    message="Use parameters.\x1b[31m",
    cwe=("CWE-89",),
    owasp=("A03:2021",),
    references=("javascript:alert(1)", "https://cwe.mitre.org/89"),
    fingerprint="f1",
)
text = st.text(min_size=1, max_size=8)
findings = st.lists(
    st.builds(
        Finding,
        scanner=st.sampled_from(["semgrep", "model"]),
        rule=st.one_of(st.sampled_from(["r1", "r2"]), text),
        category=st.just("security"),
        severity=st.sampled_from(Severity),
        path=st.one_of(
            st.sampled_from(["a.py", "b/c.py"]), text.filter(lambda path: not path.startswith("/"))
        ),
        line=st.integers(1, 4),
        end_line=st.integers(4, 6),
        title=text,
        message=st.text(max_size=8),
        suppressed=st.booleans(),
        fingerprint=st.sampled_from(["", "f1", "f2"]),
    ),
    max_size=8,
)


@pytest.mark.parametrize("name", FORMATS)
@given(found=findings, shuffler=st.randoms(use_true_random=False))
def test_order_of_input_does_not_matter(name: str, found: list[Finding], shuffler: random.Random) -> None:
    """The same findings give the same bytes, and the bytes are JSON."""
    report = FORMATS[name](found, NO_OCCASION)
    report.encode("ascii")
    assert FORMATS[name](shuffler.sample(found, len(found)), NO_OCCASION) == report
    if name != "junit":
        json.loads(report)


@pytest.mark.parametrize("name", FORMATS)
def test_odd_paths_do_not_break_reports(name: str) -> None:
    """A path that is not Unicode is still reported."""
    assert "a" in FORMATS[name]([FINDING.model_copy(update={"path": "a\udcff.py"})], NO_OCCASION)


def test_code_quality_has_no_half_characters() -> None:
    """GitLab would refuse all of it for one."""
    (entry,) = json.loads(codequality([FINDING.model_copy(update={"path": "a\udcff.py"})]))
    assert "a?.py" == entry["location"]["path"]


def test_code_quality_has_what_gitlab_reads() -> None:
    """Exactly the documented fields, a relative path, one line of text."""
    (entry,) = json.loads(codequality([FINDING]))
    assert len(entry.pop("fingerprint")) == 64
    assert entry == {
        "description": "SQL built from input",
        "check_name": "python.sql",
        "severity": "critical",
        "location": {"path": "src/a b#.py", "lines": {"begin": 3, "end": 5}},
    }
    assert codequality([]) == "[]\n"


@given(findings)
def test_code_quality_fingerprints_are_unique(found: list[Finding]) -> None:
    """GitLab drops entries that share a fingerprint."""
    entries = json.loads(codequality(found))
    assert len({entry["fingerprint"] for entry in entries}) == len(found)
    assert {entry["severity"] for entry in entries} <= {"info", "minor", "major", "critical", "blocker"}


def test_sarif_names_rule_and_place() -> None:
    """One rule with metadata, one result with an encoded relative address."""
    (run,) = json.loads(sarif([FINDING]))["runs"]
    (rule,), (result,) = run["tool"]["driver"]["rules"], run["results"]
    assert rule["id"] == result["ruleId"] == "semgrep/python.sql"
    assert rule["helpUri"] == "https://cwe.mitre.org/89"
    assert rule["properties"] == {
        "tags": ["security", "CWE-89", "OWASP-A03:2021"],
        "security-severity": "8.0",
    }
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "src/a%20b%23.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 3, "endLine": 5}
    assert result["message"]["text"] == "Use parameters.[31m"
    assert "suppressions" not in result


@given(findings)
def test_sarif_is_consistent(found: list[Finding]) -> None:
    """Every result points at its rule, has a text, a level and a relative address."""
    report = json.loads(sarif(found))
    (run,) = report["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert report["version"] == "2.1.0"
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == len(found)
    for result in run["results"]:
        address = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"note", "warning", "error"}
        assert result["message"]["text"]
        assert urlsplit(address)[:2] == ("", "")
        assert unquote(address) in {finding.path.removeprefix("./") for finding in found}


def test_json_holds_every_field() -> None:
    """Our own format gives the findings back."""
    report = json.loads(native([FINDING]))
    assert report["version"] == 1
    assert [Finding.model_validate_json(json.dumps(entry)) for entry in report["findings"]] == [FINDING]


def test_the_listing_is_plain_text() -> None:
    """Files by path, findings by line, nothing that a terminal would obey."""
    late = FINDING.model_copy(update={"line": 4, "title": "Late"})
    first, second = (
        Entry(line, Severity.high, title, "Use parameters.[31m", "semgrep: python.sql")
        for line, title in ((3, "SQL built from input"), (4, "Late"))
    )
    other = late.model_copy(update={"path": "A\x1b.py"})
    assert listing([late, other, FINDING]) == [
        File("./src/a b#.py", (first, second)),
        File("A.py", (second,)),
    ]
