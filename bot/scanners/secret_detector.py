"""Find secrets in text: one Hyperscan pass over all rules, then a look at each place that it names.

Both engines work in linear time, so that hostile text cannot stall them. A place counts once the rule's own
expression (google-re2) and its judgement agree. What a text holds in disguise is looked at in the same way.
"""

from __future__ import annotations

import bisect
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from bot.domain.findings import Confidence, Severity
from bot.scanners.secret_database import Database
from bot.scanners.secret_judge import judged, milder, plausible
from bot.scanners.secret_kingfisher import Kingfisher
from bot.scanners.secret_rules import SecretRule
from bot.scanners.secret_views import DISGUISES, disguised

_LONG_LINE = 4_000
_BEFORE, _AFTER = 1_500, 500  # around a match on a long line; hardly a token of one line is longer
_NEAR = 300
_LINE_BEFORE = 200
_DEPTH = 2  # of base64 in base64
# What is looked at more closely: some hundred times what ordinary text gives rise to, and well below a second.
_MOST_PLACES = 10_000
_MOST_BYTES = 400_000


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


class Found(NamedTuple):
    """Hold the secrets of a text in order; from the offset ``unchecked`` on there may be more, None if not."""

    hits: list[Hit]
    unchecked: int | None


@dataclass(slots=True)
class _Work:
    """Count what was looked at closely, so that no text can ask for too much of it; ``examples`` are looked for, too."""

    examples: bool = False
    places: int = 0
    size: int = 0

    def allows(self, size: int) -> bool:
        self.places += 1
        self.size += size
        return self.places <= _MOST_PLACES and self.size <= _MOST_BYTES


class Detector:
    """Find secrets in bytes. Safe to use from several threads.

    Args:
        rules: specific rules first; where two overlap, the first one wins.
        key: makes marks meaningless to those who do not have it.
        second: another detector; what both find counts once, as the rules' hit.
    """

    def __init__(self, rules: Sequence[SecretRule], key: bytes, second: Kingfisher | None = None) -> None:
        self.rules = rules
        self.second = second
        self._key = key
        self._database = Database(
            [
                *((rule.settings.id, rule.trigger) for rule in rules),
                *((name, one) for name, one, _ in DISGUISES),
            ]
        )
        self._rank = {rule.settings.id: number for number, rule in enumerate(rules)}
        self._restricted = [number for number, rule in enumerate(rules) if rule.restricted]

    def warm(self) -> None:
        """Compile the rules now (about a second) instead of at first use.

        Raises:
            Permanent: an expression is broken; the message names its rule.
        """
        self._database.warm()
        if self.second is not None:
            self.second.warm()

    def find(self, data: bytes, *, path: str = "", most: int | None = None, examples: bool = False) -> Found:
        """Return the secrets in order, *most* of them at most, with *examples* of them or without.

        Without *path* rules hold whatever the file.
        """
        barred = {number for number in self._restricted if not self.rules[number].holds_for(path)}
        hits: list[Hit] = []
        unchecked = None
        for hit in self._look(data, barred, _DEPTH, _Work(examples)):
            if isinstance(hit, int):
                unchecked = hit if unchecked is None else min(hit, unchecked)
                continue
            hits.append(hit)
            if most is not None and len(hits) > 2 * most:
                break
        hits += self._seconded(data)
        kept = _paired(_without_overlaps(hits, self._rank), data)
        if most is not None and len(kept) > most:
            unchecked = kept[most].start if unchecked is None else min(unchecked, kept[most].start)
            kept = kept[:most]
        return Found(kept, unchecked)

    def _seconded(self, data: bytes) -> Iterator[Hit]:
        if self.second is not None:
            for rule, start, end, subject in self.second.find(data):
                yield Hit(rule, start, end, subject, "", rule.settings.severity, rule.confidence)

    def _look(self, data: bytes, barred: set[int], depth: int, work: _Work) -> Iterator[Hit | int]:
        """Yield hits, and the offset from which on there was too much to look at."""
        places = self._database.scan(data)
        first = len(self.rules)
        direct = [one for one in places if one[1] < first and one[1] not in barred]
        yield from self._direct(data, direct, work)
        if not depth:
            return
        hidden = [(end, number - first) for end, number in places if number >= first]
        for view in disguised(data, hidden):
            for hit in self._look(view.text, barred, depth - 1, work):
                if isinstance(hit, int):
                    yield view.place(hit, hit + 1)[0]
                else:
                    start, end = view.place(hit.start, hit.end)
                    yield replace(hit, start=start, end=end)

    def _direct(self, data: bytes, places: Iterable[tuple[int, int]], work: _Work) -> Iterator[Hit | int]:
        taken: set[tuple[int, int, int]] = set()
        done = [0] * len(self.rules)
        for end, number in places:
            if end <= done[number]:
                continue
            rule = self.rules[number]
            start, stop, done[number] = _stretch(
                data, end, rule.settings.reach if rule.settings.multiline else 0
            )
            if not work.allows(min(stop - start, _LONG_LINE)):
                yield start
                return
            for match in rule.pattern.finditer(data[start:stop]):
                group = 1 if rule.pattern.groups else 0
                place = (start + match.start(group), start + match.end(group))
                if (number, *place) not in taken and self._counts(rule, data, *place, work.examples):
                    taken.add((number, *place))
                    yield self._hit(rule, match.group(group), *place)

    @staticmethod
    def _counts(rule: SecretRule, data: bytes, start: int, end: int, examples: bool) -> bool:
        line = data.rfind(b"\n", max(0, start - _LINE_BEFORE), start) + 1
        before = data[max(line, start - _LINE_BEFORE) : start]
        around = data[max(0, start - _NEAR) : end + _NEAR] if rule.near else b""
        return plausible(rule, data[start:end], before, around, examples=examples)

    def _hit(self, rule: SecretRule, secret: bytes, start: int, end: int) -> Hit:
        subject = hmac.new(self._key, secret, hashlib.sha256).hexdigest()
        shown = secret[: rule.settings.revealed].decode("ascii", "replace")
        return Hit(rule, start, end, subject, shown, *judged(rule, secret))


class _Stretch(NamedTuple):
    start: int
    stop: int
    done: int  # matches that end up to here need no further look


def _stretch(data: bytes, end: int, reach: int) -> _Stretch:
    if reach:
        return _Stretch(max(0, end - reach), min(len(data), end + reach), end + reach // 2)
    earliest, latest = max(0, end - _LONG_LINE), min(len(data), end + _LONG_LINE)
    line_start = data.rfind(b"\n", earliest, max(0, end - 1)) + 1
    line_end = data.find(b"\n", end, latest)
    line_end = latest if line_end < 0 else line_end
    if (line_start or not earliest) and line_end < end + _LONG_LINE:
        return _Stretch(line_start, line_end, line_end)
    stop = min(line_end, end + _AFTER)
    return _Stretch(max(line_start, end - _BEFORE), stop, stop if stop == line_end else end + _AFTER // 2)


def _without_overlaps(hits: Sequence[Hit], rank: Mapping[str, int]) -> list[Hit]:
    # Generic rules come last in the ranking; among the others the longest stretch wins.
    order = sorted(
        hits,
        key=lambda h: (
            h.rule.settings.generic,
            h.rule.settings.id not in rank,
            h.start - h.end,
            h.start,
            rank.get(h.rule.settings.id, 0),
        ),
    )
    kept: list[Hit] = []
    covered = bytearray(max((hit.end for hit in hits), default=0))
    for hit in order:
        if not any(covered[hit.start : hit.end]):
            covered[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
            kept.append(hit)
    return sorted(kept, key=lambda hit: hit.start)


def _paired(hits: Sequence[Hit], data: bytes) -> list[Hit]:
    """Play down, or drop, the hits that have no other part close by though their rule asks for one."""
    if not any(hit.rule.settings.pair for hit in hits):
        return list(hits)
    ends = [0, *(hit.start for hit in hits)]
    steps = (data.count(b"\n", start, end) for start, end in pairwise(ends))
    lines = list(accumulate(steps))
    places: dict[str, list[int]] = {}
    for hit, line in zip(hits, lines, strict=True):
        places.setdefault(hit.rule.settings.id, []).append(line)
    kept = []
    for hit, line in zip(hits, lines, strict=True):
        pair = hit.rule.settings.pair
        if pair is None or _close(line, places.get(pair.rule, ()), pair.lines):
            kept.append(hit)
        elif not pair.needed:
            sure = Confidence.medium if hit.confidence is Confidence.high else hit.confidence
            kept.append(replace(hit, severity=milder(hit.severity, pair.alone), confidence=sure))
    return kept


def _close(line: int, others: Sequence[int], most: int) -> bool:
    """Say whether one of *others*, in order, is at most *most* lines away from *line*."""
    first = bisect.bisect_left(others, line - most)
    return first < len(others) and others[first] <= line + most
