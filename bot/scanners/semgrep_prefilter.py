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
from bot.scanners.regex_loose import loosened

#: A formula, asked with the numbers of the predicates that hold.
_Test = Callable[[Collection[int]], bool]

#: The letters outside ASCII that are other cases of ``s`` and ``k``.
_ODD_CASES = ("\u017f".encode(), "\u212a".encode())


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
        self._always = frozenset(self._predicates.values()) - usable
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
        if not content.isascii():
            # The engine's search fails on what is not UTF-8, and then it does not skip the file.
            try:
                content.decode()
            except UnicodeDecodeError:
                return None
            if any(letter in content for letter in _ODD_CASES):
                return None
        found = set(self._always)
        if self._database is not None:
            scratch = getattr(self._local, "scratch", None)
            if scratch is None:
                scratch = self._local.scratch = hyperscan.Scratch(self._database)
            # Hyperscan has been seen to miss some matches of 3 bytes that end with the text.
            self._database.scan(
                content + b"\n", match_event_handler=lambda number, *_: found.add(number), scratch=scratch
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
    """Return a database that finds them, and the numbers of those that it can find."""
    texts = {number: text for number, one in enumerate(predicates) if (text := _sought(*one))}
    try:
        return _database(texts), frozenset(texts)
    except hyperscan.error:
        texts = {number: text for number, text in texts.items() if _compiles(text)}
        return _database(texts), frozenset(texts)


def _sought(kind: str, text: str) -> bytes | None:
    """Return the expression to look for; as they are written, some take Hyperscan seconds to compile."""
    # Hyperscan ends an expression at a NUL byte.
    return loosened(text) if kind == "Regexp" else re.escape(text).replace("\0", r"\x00").encode()


def _compiles(text: bytes) -> bool:
    try:
        _database({0: text})
    except hyperscan.error:
        return False
    return True


def _database(texts: dict[int, bytes]) -> Any:
    if not texts:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [hyperscan.HS_FLAG_SINGLEMATCH] * len(texts)
    database.compile(expressions=list(texts.values()), ids=list(texts), flags=flags)
    return database
