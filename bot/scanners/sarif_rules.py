"""What a SARIF log says about the rules behind its results, on Cloister's scales."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import ValidationError

from bot.domain.findings import Severity
from bot.scanners.sarif_log import Component, Reference, Result, Rule, Tool

_CWE = re.compile(r"(?i)(?:^|[^a-z])cwe[-/: ]*0*([1-9]\d{0,4})(?:\D|$)")
_OWASP = re.compile(r"\b(A(?:0[1-9]|10))[:-](2017|2021|2025)\b")
_LEVELS = {"error": Severity.high, "warning": Severity.medium, "note": Severity.low, "none": Severity.info}
#: The least CVSS score of each severity, see https://www.first.org/cvss/v3-1/specification-document section 5.
_SCORES = ((9.0, Severity.critical), (7.0, Severity.high), (4.0, Severity.medium), (0.1, Severity.low))
_MAX_TAGS = 10


class Rules:
    """Find the rule of a result: by index, by id, or by the start of a hierarchical id such as ``a/b``."""

    def __init__(self, tool: Tool) -> None:
        self._components = (tool.driver, *tool.extensions)
        self._parsed: dict[tuple[int, int], Rule | None] = {}
        self._by_id: dict[str, tuple[int, int]] = {}
        for number, component in enumerate(self._components):
            for index, data in enumerate(component.rules):
                if isinstance(data, dict) and isinstance(data.get("id"), str):
                    self._by_id.setdefault(data["id"], (number, index))

    def of(self, result: Result) -> Rule:
        """Return the rule of *result*, as far as the log describes it; its id is the result's own."""
        rule_id = result.rule_id or result.rule.id
        place = self._place(result, rule_id)
        rule = (self._rule(place) if place else None) or Rule()
        return rule.model_copy(update={"id": rule_id or rule.id})

    def _place(self, result: Result, rule_id: str) -> tuple[int, int] | None:
        index = result.rule_index if result.rule_index >= 0 else result.rule.index
        number = self._component(result)
        if 0 <= number < len(self._components) and 0 <= index < len(self._components[number].rules):
            return number, index
        while rule_id and rule_id not in self._by_id:
            rule_id = rule_id.rpartition("/")[0]
        return self._by_id.get(rule_id)

    def _component(self, result: Result) -> int:
        """Return which component has the rule: 0 is the driver, extensions follow."""
        named = result.rule.tool_component
        if named.index >= 0:
            return named.index + 1
        if not named.name:
            return 0
        names = [component.name for component in self._components]
        return names.index(named.name) if named.name in names else -1

    def _rule(self, place: tuple[int, int]) -> Rule | None:
        if place not in self._parsed:
            component: Component = self._components[place[0]]
            try:
                self._parsed[place] = Rule.model_validate(component.rules[place[1]])
            except ValidationError:
                self._parsed[place] = None
        return self._parsed[place]


def severity(result: Result, rule: Rule) -> Severity:
    """Return how grave *result* is: by its CVSS score where it has one, else by its level."""
    for properties in (result.properties, rule.properties):
        if (score := properties.security_severity) is not None:
            return next((level for least, level in _SCORES if score >= least), Severity.info)
    return _LEVELS.get(result.level or rule.default_configuration.level, Severity.medium)


def cwes(result: Result, rule: Rule) -> tuple[str, ...]:
    """Return the weaknesses that tags, taxa and relationships name, as ``CWE-79``."""
    named = [*result.properties.tags, *rule.properties.tags]
    targets = (*result.taxa, *(relationship.target for relationship in rule.relationships))
    named += [f"cwe-{one.id}" if one.id.isdecimal() else one.id for one in targets if _is_cwe(one)]
    found = (f"CWE-{match[1]}" for tag in named[:100] if (match := _CWE.search(tag)))
    return _first(found)


def owasp(result: Result, rule: Rule) -> tuple[str, ...]:
    """Return the entries of the OWASP Top 10 that tags name, as ``A03:2021``."""
    tags = (*result.properties.tags, *rule.properties.tags)
    return _first(f"{match[1]}:{match[2]}" for tag in tags[:100] if (match := _OWASP.search(tag)))


def _is_cwe(reference: Reference) -> bool:
    return reference.tool_component.name.upper() == "CWE" or reference.id.upper().startswith("CWE")


def _first(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:_MAX_TAGS]
