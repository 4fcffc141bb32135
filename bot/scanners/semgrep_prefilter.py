"""Tell which Semgrep rules can match a text, by the formulas with which the engine itself skips files.

Before the engine parses a file it looks for the words of every rule, rule by rule and word by word. Here one
Hyperscan pass looks for the words and expressions of all rules at once, and what cannot match is not sent. Where
the two might disagree a rule counts as a candidate: one too many costs time, one too few a finding.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection
from typing import Any

import hyperscan

from bot.domain.errors import Transient

#: A formula, asked with the numbers of the predicates that hold.
_Test = Callable[[Collection[int]], bool]

_WORD = hyperscan.HS_FLAG_SINGLEMATCH
# Anchors at every line and approximations of what Hyperscan lacks only add matches.
_EXPRESSION = _WORD | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_PREFILTER


class Prefilter:
    """Evaluate the formulas of a pack. Safe to use from several threads.

    Args:
        dump: what ``semgrep-core -prefilter_of_rules`` prints for the pack.

    Raises:
        Transient: that is something else.
    """

    def __init__(self, dump: bytes) -> None:
        self._predicates: dict[tuple[str, str], int] = {}
        try:
            self._tests = {entry["rule_id"]: self._test(entry["filter"]) for entry in json.loads(dump)}
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise Transient("Semgrep's prefilters cannot be read") from error
        self._database, usable = _compile(list(self._predicates))
        numbers = self._predicates.values()
        self._expressions = {n for (kind, _), n in self._predicates.items() if kind == "Regexp"}
        self._always = frozenset(numbers) - usable
        self._local = threading.local()

    def candidates(self, content: bytes, rules: Collection[str]) -> frozenset[str]:
        """Return which of *rules* may have something to say about *content*."""
        holding = self._holding(content)
        if holding is None:
            return frozenset(rules)
        tests = ((rule, self._tests.get(rule)) for rule in rules)
        return frozenset(rule for rule, test in tests if test is None or test(holding))

    def _holding(self, content: bytes) -> Collection[int] | None:
        """Return the predicates that hold; None where that cannot be known."""
        found: set[int] = set(self._always)
        if not content.isascii():
            # The engine counts characters where Hyperscan counts bytes, and fails on what is not UTF-8.
            try:
                content.decode()
            except UnicodeDecodeError:
                return None
            found |= self._expressions
        if self._database is not None:
            scratch = getattr(self._local, "scratch", None)
            if scratch is None:
                scratch = self._local.scratch = hyperscan.Scratch(self._database)
            self._database.scan(
                content, match_event_handler=lambda number, *_: found.add(number), scratch=scratch
            )
        return found

    def _test(self, formula: Any) -> _Test | None:
        """Return the formula of a rule; None if the rule has none, or one that we do not know."""
        return self._node(formula[1]) if formula[0] == "Some" else None

    def _node(self, node: Any) -> _Test | None:
        kind, value = node
        if kind == "Pred":
            return self._predicate(*value)
        tests = [self._node(part) for part in value] if kind in ("And", "Or") else []
        known = [test for test in tests if test is not None]
        if kind == "And" and known:
            return lambda holding: all(test(holding) for test in known)
        if kind == "Or" and known and len(known) == len(tests):
            return lambda holding: any(test(holding) for test in known)
        return None

    def _predicate(self, kind: str, value: Any) -> _Test | None:
        if kind == "Regexp" and isinstance(value, str):
            number = self._number(kind, value)
            return lambda holding: number in holding
        if kind == "Idents" and isinstance(value, list) and value:
            numbers = [self._number(kind, str(word)) for word in value]
            return lambda holding: all(number in holding for number in numbers)
        return None

    def _number(self, kind: str, text: str) -> int:
        return self._predicates.setdefault((kind, text), len(self._predicates))


def _compile(predicates: list[tuple[str, str]]) -> tuple[Any, frozenset[int]]:
    """Return a database that finds them, and the numbers of those that Hyperscan takes."""
    numbered = dict(enumerate(predicates))
    try:
        return _database(numbered), frozenset(numbered)
    except hyperscan.error:
        usable = {number: one for number, one in numbered.items() if _compiles(number, one)}
        return (_database(usable) if usable else None), frozenset(usable)


def _compiles(number: int, predicate: tuple[str, str]) -> bool:
    try:
        _database({number: predicate})
    except hyperscan.error:
        return False
    return True


def _database(predicates: dict[int, tuple[str, str]]) -> Any:
    if not predicates:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[_bytes_of(*predicate) for predicate in predicates.values()],
        ids=list(predicates),
        flags=[_EXPRESSION if kind == "Regexp" else _WORD for kind, _ in predicates.values()],
    )
    return database


def _bytes_of(kind: str, text: str) -> bytes:
    # Hyperscan ends an expression at a NUL byte.
    return (text if kind == "Regexp" else re.escape(text)).replace("\0", r"\x00").encode()
