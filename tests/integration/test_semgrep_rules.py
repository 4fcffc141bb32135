"""Every shipped Semgrep rule proves itself on the sample beside it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from bot.adapters.process import ProcessRunner
from bot.scanners.rule_check import Checked, check
from bot.scanners.semgrep_rules import Pack, Rule

RULES = Path(__file__).parents[2] / "rules" / "semgrep"
PACK = Pack(RULES)
ALL = pytest.mark.parametrize("rule", PACK.by_id.values(), ids=lambda rule: rule.id)


@pytest.fixture(scope="module")
def checked() -> Checked:
    """Return what `cloister rules test` says about all rules."""
    return asyncio.run(check(RULES, ProcessRunner()))


def test_nothing_is_wrong_with_any_rule(checked: Checked):
    """All files are read, the engine accepts all rules, and samples and fixes are as promised."""
    assert [str(problem) for problem in checked.problems] == []
    assert checked.rules == len(PACK.by_id)


@ALL
def test_rule_is_complete(rule: Rule):
    """A rule says what it is about, and is named after its place."""
    assert rule.id == f"{rule.file.parent.name}-{rule.file.stem}"
    assert rule.metadata.cwe or rule.metadata.references
    assert all(re.fullmatch(r"CWE-\d+", cwe) for cwe in rule.metadata.cwe)
    assert all(link.startswith("https://") for link in rule.metadata.references)
    assert 60 < len(rule.body["message"]) < 400
    assert not re.search(r"[*+}]\)[*+{]", json.dumps(rule.body)), "nested quantifiers invite backtracking"
