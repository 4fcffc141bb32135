"""Every shipped rule proves itself: Semgrep's on the sample beside it, those for secrets on what their templates make."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.process import ProcessRunner
from bot.scanners.rule_check import check
from bot.scanners.secret_check import check_secrets
from bot.scanners.semgrep_rules import Pack

RULES = Path(__file__).parents[2] / "rules"


async def test_nothing_is_wrong_with_any_semgrep_rule():
    """The engine accepts all rules, samples and fixes are as promised, and nothing could be written better."""
    checked = await check(RULES, ProcessRunner(), strict=True)
    assert [str(problem) for problem in checked.problems] == []
    assert checked.rules == len(Pack(RULES).by_id) <= checked.samples


async def test_nothing_is_wrong_with_any_secret_rule():
    """Each finds what its templates make, and nothing in the clean ones."""
    checked = await check_secrets(RULES, RULES, ProcessRunner())
    assert [str(problem) for problem in checked.problems] == []
    assert 2 * checked.rules <= checked.samples
