"""Find secrets in text: one Hyperscan pass over all rules, then a look at each place that it names.

Both engines work in linear time, so that hostile text cannot stall them. A place counts once the rule's
own expression (google-re2), its entropy and the words around it agree.
"""

from __future__ import annotations

import bisect
import hashlib
import hmac
import math
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import hyperscan
import re2

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Severity
from bot.scanners.secret_checks import CHECKS
from bot.scanners.secret_rules import SecretRule

_LONG_LINE = 4_000
_BEFORE, _AFTER = 3_000, 1_000  # around a match on a long line; no token of one line is longer
_MULTILINE = 16_000
_NEAR = 300
_PLACEHOLDER: Any = re2.compile(  # type: ignore[no-untyped-call]
    rb"(?i)example|x{5}|\*{4}|\.\.\.|<[^>]*>|0{7}|1234567890|abcdefgh|changeme|placeholder|redacted|your[_-]"
)
_GENERIC_PLACEHOLDER: Any = re2.compile(  # type: ignore[no-untyped-call]
    rb"(?i)pass(?:word|wd)|secret|changeme|change[_-]me|dummy|sample|fake|test|demo|insert|replace"
    rb"|\$[{(\w]|\{\{|%[({s]|\{\w+\}|environ|getenv|process\.env|settings\.|config\.|://|^(?:\$|\.{1,2}/|@[\w-]+/)"
    rb"|(?-i:^/?[a-z]+(?:[_./-][a-z]+)+\d{0,3}$)|^(?:[a-z]+[_.])?\w+\(.*\)$"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Hold one secret: ``start`` and ``end`` are byte offsets, ``subject`` is its HMAC in hex."""

    rule: SecretRule
    start: int
    end: int
    subject: str
    shown: str
    severity: Severity
    confidence: Confidence

    @property
    def mark(self) -> str:
        """Return the first digits of the HMAC, which is what people get to see."""
        return self.subject[:8]


class Detector:
    """Find secrets in bytes. Safe to use from several threads.

    Args:
        rules: specific rules first; where two overlap, the first one wins.
        key: makes marks meaningless to those who do not have it.
    """

    def __init__(self, rules: Sequence[SecretRule], key: bytes) -> None:
        self.rules = rules
        self._key = key
        self._lock = threading.Lock()
        self._database: Any = None
        self._local = threading.local()

    def warm(self) -> None:
        """Compile the rules now (about a second) instead of at first use.

        Raises:
            Permanent: an expression is broken; the message names its rule.
        """
        with self._lock:
            if self._database is None:
                self._database = _compile(self.rules)

    def find(self, data: bytes, *, path: str = "", most: int | None = None) -> tuple[list[Hit], bool]:
        """Return the secrets in order, and whether there may be more than the *most* that were wanted.

        Without *path* the rules hold whatever the file.
        """
        hits: list[Hit] = []
        taken: dict[tuple[int, int], None] = {}
        for index, start, end in self._places(data):
            if not self.rules[index].holds_for(path):
                continue
            for found in self._confirm(self.rules[index], data, start, end):
                if (found.start, found.end) not in taken:
                    taken[found.start, found.end] = None
                    hits.append(found)
            if most is not None and len(hits) > most:
                return _paired(_without_overlaps(hits, self.rules), data)[:most], True
        return _paired(_without_overlaps(hits, self.rules), data), False

    def _places(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        """Yield (rule, start, end) of the stretches that a rule must look at, each once."""
        ends: dict[int, list[int]] = {}

        def collect(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found = ends.setdefault(index, [])
            # An open-ended expression reports every possible end; a few bytes apart say nothing new.
            if not found or end - found[-1] > 8:
                found.append(end)

        self._scan(data, collect)
        for index in sorted(ends):
            done = 0
            multiline = self.rules[index].settings.multiline
            for end in ends[index]:
                if end > done:
                    start, stop, done = _stretch(data, end, multiline)
                    yield index, start, stop

    def _scan(self, data: bytes, collect: Any) -> None:
        self.warm()
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        self._database.scan(data, match_event_handler=collect, scratch=scratch)

    def _confirm(self, rule: SecretRule, data: bytes, start: int, end: int) -> Iterator[Hit]:
        for match in rule.pattern.finditer(data[start:end]):
            group = 1 if rule.pattern.groups else 0
            secret = match.group(group)
            first, last = (start + offset for offset in match.span(group))
            if _plausible(rule, secret) and _accompanied(rule, data[max(0, first - _NEAR) : last + _NEAR]):
                subject = hmac.new(self._key, secret, hashlib.sha256).hexdigest()
                shown = secret[: rule.settings.revealed].decode("ascii", "replace")
                yield Hit(rule, first, last, subject, shown, *_judged(rule, secret))


def _compile(rules: Sequence[SecretRule]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[rule.trigger for rule in rules],
            ids=list(range(len(rules))),
            flags=[hyperscan.HS_FLAG_MULTILINE] * len(rules),
        )
    except (hyperscan.error, re2.error) as error:
        raise Permanent(f"a secret rule is broken: {error}") from error
    return database


class _Stretch(NamedTuple):
    start: int
    stop: int
    done: int  # matches that end up to here need no further look


def _stretch(data: bytes, end: int, multiline: bool) -> _Stretch:
    if multiline:
        return _Stretch(max(0, end - _MULTILINE), min(len(data), end + _MULTILINE), end + _MULTILINE // 2)
    line_start = data.rfind(b"\n", 0, max(0, end - 1)) + 1
    line_end = data.find(b"\n", end)
    line_end = len(data) if line_end < 0 else line_end
    if line_end - line_start <= _LONG_LINE:
        return _Stretch(line_start, line_end, line_end)
    stop = min(line_end, end + _AFTER)
    return _Stretch(max(line_start, end - _BEFORE), stop, end + _AFTER // 2)


def _plausible(rule: SecretRule, secret: bytes) -> bool:
    settings = rule.settings
    if len(set(secret)) < 5 or (settings.min_entropy and entropy(secret) <= settings.min_entropy):
        return False
    if settings.mixed and (secret.isalpha() or not any(48 <= byte <= 57 for byte in secret)):
        return False
    if _PLACEHOLDER.search(secret):
        return False
    if settings.check_required and not CHECKS[settings.check](secret):
        return False
    if rule.allow is not None and rule.allow.search(secret):
        return False
    return not (settings.generic and _GENERIC_PLACEHOLDER.search(secret))


def _judged(rule: SecretRule, secret: bytes) -> tuple[Severity, Confidence]:
    """Return how grave and how sure a secret is: one that fails its check cannot work as it stands."""
    settings = rule.settings
    if not settings.check or CHECKS[settings.check](secret):
        return settings.severity, rule.confidence
    return min(settings.severity, Severity.medium, key=lambda one: one.rank), Confidence.low


def _accompanied(rule: SecretRule, around: bytes) -> bool:
    words = rule.settings.near
    lower = around.lower()
    return not words or any(word.lower().encode() in lower for word in words)


def entropy(data: bytes) -> float:
    """Return Shannon's entropy of *data* in bits per byte."""
    total = len(data)
    return -sum(count / total * math.log2(count / total) for count in Counter(data).values())


def _without_overlaps(hits: Sequence[Hit], rules: Sequence[SecretRule]) -> list[Hit]:
    rank = {rule.settings.id: number for number, rule in enumerate(rules)}
    # Generic rules come last in the ranking; among the others the longest stretch wins.
    order = sorted(
        hits, key=lambda h: (h.rule.settings.generic, h.start - h.end, h.start, rank[h.rule.settings.id])
    )
    kept: list[Hit] = []
    covered = bytearray()
    for hit in order:
        if len(covered) < hit.end:
            covered.extend(bytes(hit.end - len(covered)))
        if not any(covered[hit.start : hit.end]):
            covered[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
            kept.append(hit)
    return sorted(kept, key=lambda hit: hit.start)


def _paired(hits: Sequence[Hit], data: bytes) -> list[Hit]:
    """Play down, or drop, the hits that have no other part close by though their rule asks for one."""
    if not any(hit.rule.settings.pair for hit in hits):
        return list(hits)
    lines = [data.count(b"\n", 0, hit.start) for hit in hits]
    places: dict[str, list[int]] = {}
    for hit, line in zip(hits, lines, strict=True):
        places.setdefault(hit.rule.settings.id, []).append(line)
    kept = []
    for hit, line in zip(hits, lines, strict=True):
        pair = hit.rule.settings.pair
        if pair is None or _close(line, places.get(pair.rule, ()), pair.lines):
            kept.append(hit)
        elif not pair.needed:
            severity = min(hit.severity, pair.alone, key=lambda one: one.rank)
            sure = Confidence.medium if hit.confidence is Confidence.high else hit.confidence
            kept.append(replace(hit, severity=severity, confidence=sure))
    return kept


def _close(line: int, others: Sequence[int], most: int) -> bool:
    """Say whether one of *others*, in order, is at most *most* lines away from *line*."""
    first = bisect.bisect_left(others, line - most)
    return first < len(others) and others[first] <= line + most
