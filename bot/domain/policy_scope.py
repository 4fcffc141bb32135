"""Which files and rules a policy is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from bot.domain.diff import SUBMODULE, Diff
from bot.domain.exclusions import matches, unwritten
from bot.domain.findings import Finding
from bot.domain.policy_model import Policy, Sections

#: Begins a pattern that speaks of all rules of a category.
_CATEGORY = "category:"

TOO_LARGE = "the change is too large to be read"


def left_out(diff: Diff, policy: Policy, *, everywhere: bool = False) -> dict[str, str]:
    """Return the files of *diff* that nobody looks at, with the reason; *everywhere* as in `excluded`."""
    reasons = {
        file.new_path: reason
        for file in diff.files
        if (reason := excluded(file.new_path, policy, everywhere=everywhere))
    }
    elsewhere = {file.new_path: file.unreadable for file in diff.files if file.new_mode == SUBMODULE}
    return elsewhere | reasons | {file.new_path: TOO_LARGE for file in diff.files if file.truncated}


def excluded(path: str, policy: Policy, *, everywhere: bool = False) -> str | None:
    """Return why *path* is not reviewed, or None if it is.

    For a scanner that looks *everywhere* only the policy counts, not the built-in list. What a level that enforces
    its gate does not leave out is looked at, or its gate would be blind.
    """
    if not everywhere and (reason := unwritten(path)):
        return reason
    glob = _excluding(path, policy)
    if glob is None or any(_excluding(path, floor) is None for floor in policy.floors):
        return None
    return f"excluded by the policy ({glob})"


def _excluding(path: str, policy: Sections) -> str | None:
    return next((glob for glob in policy.paths.exclude if matches(glob, path)), None)


def applies(finding: Finding, policy: Sections) -> bool:
    """Say whether the policy wants to hear of *finding* at all.

    An id that is written out wins over globs and categories, and of two alike ``disable`` wins.
    """
    disabled = _exactness(policy.rules.disable, finding.rule, finding.category)
    enabled = _exactness(policy.rules.enable, finding.rule, finding.category)
    if disabled and disabled >= enabled:
        return False
    return bool(enabled) or not finding.optional


def regraded(finding: Finding, policy: Sections) -> Finding:
    """Return *finding* with the severity that the policy gives its rule."""
    grades = policy.rules.severity
    if not grades:
        return finding
    best = max(grades, key=lambda pattern: _exactness((pattern,), finding.rule, finding.category))
    if not _exactness((best,), finding.rule, finding.category):
        return finding
    return finding.model_copy(update={"severity": grades[best]})


def unknown_rules(policy: Policy, known: Collection[str]) -> list[tuple[str, str]]:
    """Return the keys of the policy, each with a pattern in it, that speak of no rule among *known*.

    Nobody knows the rules of other tools, so where their reports count anything may be meant.
    """
    if policy.reports.sarif:
        return []
    rules = policy.rules
    named = [
        (f"rules.{key}", one) for key in ("disable", "enable", "severity") for one in getattr(rules, key)
    ]
    # Those of the model have no names that anybody could list.
    named += [
        (f"gate.rules.{number}", pattern)
        for number, rule in enumerate(policy.gate.rules)
        if not rule.when.scanners
        for pattern in rule.when.rules
    ]
    return [
        (key, pattern)
        for key, pattern in named
        if not pattern.startswith(_CATEGORY) and not any(_exactness((pattern,), rule) for rule in known)
    ]


def _exactness(patterns: Iterable[str], rule: str, category: str = "") -> int:
    """Return 2 if a pattern names *rule*, 1 if one matches it or its *category*, or else 0."""
    most = 0
    for pattern in patterns:
        if pattern == rule:
            return 2
        if fnmatchcase(rule, pattern) or (category and pattern == f"{_CATEGORY}{category}"):
            most = 1
    return most
