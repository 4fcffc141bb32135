"""Every shipped Semgrep rule proves itself on the sample beside it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from bot.adapters.process import ProcessRunner
from bot.domain.findings import ScanReport
from bot.scanners import Source
from bot.scanners.semgrep import SemgrepScanner, _core
from bot.scanners.semgrep_rules import Pack, Rule

RULES = Path(__file__).parents[2] / "rules" / "semgrep"
PACK = Pack(RULES)
ALL = pytest.mark.parametrize("rule", PACK.by_id.values(), ids=lambda rule: rule.id)


def sample_of(rule: Rule) -> Path:
    """Return the sample, named like the rule's file; exactly one must exist."""
    (sample,) = (file for file in rule.file.parent.glob(f"{rule.file.stem}.*") if file != rule.file)
    return sample


def expected_lines(sample: str, mark: str, rule: Rule) -> set[int]:
    """Return the lines below the comments ``<mark>: <rule id>``."""
    wanted = re.compile(rf"\b{mark}: {re.escape(rule.id)}\b")
    return {number + 1 for number, line in enumerate(sample.split("\n"), 1) if wanted.search(line)}


@pytest.fixture(scope="module")
def report() -> ScanReport:
    """Return what one run of the engine says about all samples."""
    import asyncio

    samples = [sample_of(rule) for rule in PACK.by_id.values()]
    sources = [Source(str(file.relative_to(RULES)), file.read_bytes(), frozenset()) for file in samples]
    return asyncio.run(SemgrepScanner(PACK).scan(sources, ProcessRunner()))


def test_samples_are_analysed_whole(report: ScanReport):
    """No sample has a syntax error, so that a quiet rule is quiet for a reason."""
    assert report.not_analysed == {}


@ALL
def test_rule_finds_its_samples_and_nothing_else(rule: Rule, report: ScanReport):
    """A rule reports exactly the lines marked ``ruleid``, at their first line."""
    sample = sample_of(rule)
    text = sample.read_text()
    path = str(sample.relative_to(RULES))
    found = {f.line for f in report.findings if f.path == path and f.rule == rule.id}
    assert found == expected_lines(text, "ruleid", rule) != set()
    assert expected_lines(text, "ok", rule) - found != set()


@ALL
def test_rule_is_complete(rule: Rule):
    """A rule says what it is about, and is named after its place."""
    assert rule.id == f"{rule.file.parent.name}-{rule.file.stem}"
    assert rule.metadata.cwe or rule.metadata.references
    assert all(re.fullmatch(r"CWE-\d+", cwe) for cwe in rule.metadata.cwe)
    assert all(link.startswith("https://") for link in rule.metadata.references)
    assert 60 < len(rule.body["message"]) < 400
    assert not re.search(r"[*+}]\)[*+{]", json.dumps(rule.body)), "nested quantifiers invite backtracking"


def test_fixes_apply(report: ScanReport):
    """Rules with a fix offer one that differs from the code and keeps its indentation."""
    offering = {rule.id for rule in PACK.by_id.values() if {"fix", "fix-regex"} & rule.body.keys()}
    assert offering == {finding.rule for finding in report.findings if finding.fix}
    for finding in report.findings:
        if finding.fix:
            lines = (
                (RULES / finding.path).read_text().split("\n")[finding.fix.line - 1 : finding.fix.end_line]
            )
            fixed = finding.fix.replacement.split("\n")
            assert fixed != lines
            assert re.match(r"\s*", fixed[0]) == re.match(r"\s*", lines[0]) or fixed[0].startswith(
                lines[0][:1]
            )


def test_rules_have_prefilters(tmp_path: Path):
    """Every rule lets the engine skip files that cannot match, without parsing them."""
    file = tmp_path / "rules.json"
    file.write_bytes(PACK.as_json(PACK.languages))
    done = subprocess.run([_core(), "-prefilter_of_rules", str(file)], capture_output=True, check=True)
    filters = {entry["rule_id"]: entry["filter"] for entry in json.loads(done.stdout)}
    assert [rule for rule, prefilter in filters.items() if prefilter == "None"] == []
    assert filters.keys() == PACK.by_id.keys()
