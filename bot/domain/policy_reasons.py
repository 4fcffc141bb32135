"""Why the gate blocks a finding: the rule that decides, and the level of the policy that has it."""

from __future__ import annotations

import json

from bot.domain.facts import Facts
from bot.domain.findings import Finding
from bot.domain.merge_request import Value
from bot.domain.policy_decision import deciding_rule, mode_by
from bot.domain.policy_gate import GateRule, Mode
from bot.domain.policy_layers import DEFAULT
from bot.domain.policy_model import GATE, Policy, Sections
from bot.domain.policy_scope import applies

_RULES, _SHORTHAND = f"{GATE}.rules", f"{GATE}.block_at"


class Reason(Value):
    """Hold one rule that blocks: the key and, of ``gate.rules``, its number from 1, what it says, and whose it is.

    ``level`` names the level of the policy, as in project or group bank. What is ``enforced`` no lower level can change.
    """

    key: str
    number: int = 0
    says: str = ""
    level: str = DEFAULT
    enforced: bool = False

    def __str__(self) -> str:
        where = f"rule {self.number} of {self.key}" if self.number else self.key
        whose = f"enforced by {self.level}" if self.enforced else f"set by {self.level}"
        return f"{where} ({self.says}), {'the default' if self.level == DEFAULT else whose}"


def reasons(finding: Finding, policy: Policy, facts: Facts) -> tuple[Reason, ...]:
    """Return by which rules the gate blocks *finding*, none if it does not.

    Rules that a level enforces come first: whoever wants to change something must begin there.
    """
    levels = policy.levels or ("",) * len(policy.floors)
    found = [
        _reason(finding, floor, facts, level or "a higher level", enforced=True)
        for floor, level in zip(policy.floors, levels, strict=False)
    ]
    found.append(_reason(finding, policy, facts, "", enforced=False))
    # What lower levels inherit from a level that enforces it is the same rule once more.
    told: dict[tuple[str, int, str], Reason] = {}
    for one in found:
        if one is not None:
            told.setdefault((one.key, one.number, one.says), one)
    return tuple(told.values())


def _reason(finding: Finding, policy: Sections, facts: Facts, level: str, *, enforced: bool) -> Reason | None:
    if not applies(finding, policy) or mode_by(finding, policy, facts) is not Mode.block:
        return None
    decided = deciding_rule(finding, policy, facts)
    if decided is None:
        return None
    place, rule = decided
    number = place + 1 if place < len(policy.gate.rules) else 0
    key = _RULES if number else _SHORTHAND
    origins = policy.origins if isinstance(policy, Policy) else {}
    return Reason(
        key=key,
        number=number,
        says=_said(rule) if number else f"{policy.gate.block_at}, for {', '.join(policy.gate.scanners)}",
        level=level or origins.get(key, DEFAULT),
        enforced=enforced,
    )


def _said(rule: GateRule) -> str:
    """Return the conditions of *rule* as its file has them."""
    asked = rule.when.model_dump(mode="json", exclude_defaults=True)
    parts = [f"{name}: {_value(value)}" for name, value in asked.items()]
    return "; ".join(parts) or "every finding"


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')
