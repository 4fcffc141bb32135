"""What a policy says without meaning it: conditions that ask for nothing, and rules that never count.

Such a file can be read. It would open or shut gates in a way that nobody sees in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.policy_gate import GateRule, When
from bot.domain.policy_nodes import Place, Remark


def pointless(rules: Sequence[GateRule]) -> Iterator[tuple[Place, Remark]]:
    """Yield conditions of rules of the gate that are empty lists, and rules that come after a wider one."""
    for number, rule in enumerate(rules):
        for name in sorted(rule.when.model_fields_set):
            if getattr(rule.when, name) == ():
                remedy = "name what it is about, or leave it out to mean everything"
                yield (number, "when", name), (f"{name} is an empty list", remedy)
        for before, earlier in enumerate(rules[:number]):
            if _covers(earlier.when, rule.when):
                problem = f"rule {number + 1} never counts, since rule {before + 1} fits all that it is about"
                yield (number,), (problem, f"move it before rule {before + 1}, or remove one of them")
                break


def _covers(wide: When, narrow: When) -> bool:
    """Say whether *wide* surely fits all that *narrow* fits; globs are not thought through."""
    newer = wide.newness in {"any", narrow.newness}
    graver = wide.severity is None or (
        narrow.severity is not None and narrow.severity.rank >= wide.severity.rank
    )
    return newer and graver and all(_asks_less(wide, narrow, name) for name in _ALIKE)


def _asks_less(wide: When, narrow: When, name: str) -> bool:
    asked, of_narrow = getattr(wide, name), getattr(narrow, name)
    if isinstance(asked, tuple) and of_narrow:
        return not asked or set(of_narrow) <= set(asked)
    return asked in {None, ()} or asked == of_narrow


_ALIKE = sorted(set(When.model_fields) - {"newness", "severity"})
