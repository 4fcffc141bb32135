"""What a regular expression costs at worst: which ones a hostile file can make run for ever.

Expressions become automata whose states are the characters of the expression. One that a text can lead
through a loop in two ways takes exponential time in a backtracking engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.scanners.regex_chars import ALL
from bot.scanners.regex_shape import Alt, Apart, Chars, Node, NotUnderstood, Repeat, Seq, parse

#: From here on a bound is as good as none: ten of ten, nested, are ten billion ways.
_AS_GOOD_AS_ENDLESS = 10
_MAX_COPIES = 40
_MAX_STATES = 3_000
_MAX_LOOP_STATES = 250

_NESTED = "nested quantifiers or overlapping alternatives in a repetition make it exponential; let each text match in one way only"
_ADJACENT = "two repetitions without end follow each other and share characters; merge them, or bound one as in {0,99}"
_NEWLINES = "a repetition of anything, line ends included, has no bound; bound it as in {0,999}, or leave out line ends"


def dangers(expression: str, *, anchored: bool = False) -> list[str]:
    """Return what makes *expression* expensive on hostile text, with the remedy; nothing when it is fine.

    One that is *anchored* is tried at the beginning of the text only, not at each of its places, so that it
    may hold one repetition of anything.
    """
    try:
        tree = parse(expression)
        return list(dict.fromkeys(_dangers(tree, anchored=anchored)))
    except NotUnderstood as error:
        return [f"its cost cannot be told: {error}"]


def _dangers(tree: Node, *, anchored: bool) -> Iterator[str]:
    if _endless_over_lines(tree) > anchored:
        yield _NEWLINES
    for part in [tree, *(node.body for node in _walk(tree) if isinstance(node, Apart))]:
        automaton = _Automaton()
        automaton.add(part)
        if automaton.exponential():
            yield _NESTED
        if automaton.adjacent():
            yield _ADJACENT


def _walk(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        match one:
            case Seq(parts) | Alt(parts):
                waiting += parts
            case Repeat(body) | Apart(body):
                waiting.append(body)


def _endless_over_lines(node: Node) -> int:
    """Return how many repetitions of anything without a bound one walk through *node* can pass."""
    match node:
        case Repeat(body, _, most, atomic):
            if most is None and _single(body) == ALL:
                return int(not atomic)
            return _endless_over_lines(body) * (1 if most == 1 else 2)
        case Seq(parts):
            return sum(map(_endless_over_lines, parts))
        case Alt(choices):
            return max(map(_endless_over_lines, choices))
        case Apart(body):
            return _endless_over_lines(body)
        case _:
            return 0


def _single(node: Node) -> int:
    """Return the characters that *node* matches alone, for a class or a choice between classes."""
    match node:
        case Chars(chars):
            return chars
        case Alt(choices):
            found = 0
            for choice in choices:
                found |= _single(choice)
            return found
    return 0


@dataclass(frozen=True, slots=True)
class _Part:
    """Hold where a part of the expression can begin and end, and whether it can be empty."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    empty: bool = True


@dataclass(slots=True)
class _Automaton:
    """Hold the states (the set of characters of each) and how many ways lead from one to the next."""

    chars: list[int] = field(default_factory=list)
    ways: Counter[tuple[int, int]] = field(default_factory=Counter)
    #: States that a repetition without any bound leads back to themselves.
    endless: set[int] = field(default_factory=set)

    def add(self, node: Node) -> _Part:
        match node:
            case Chars(chars):
                return self._state(chars)
            case Seq(parts):
                return self._in_a_row(self.add(part) for part in parts)
            case Alt(choices):
                return self._either([self.add(choice) for choice in choices])
            case Repeat():
                return self._again(node)
            case Apart(body, empty):
                return _Part() if empty else self.add(_once(body))

    def _state(self, chars: int) -> _Part:
        if len(self.chars) >= _MAX_STATES:
            raise NotUnderstood("it is too long, or repeats long parts too often")
        self.chars.append(chars)
        state = len(self.chars) - 1
        return _Part((state,), (state,), empty=False)

    def _join(self, last: Iterable[int], first: Sequence[int]) -> None:
        self.ways.update((one, next_one) for one in last for next_one in first)

    def _in_a_row(self, parts: Iterable[_Part]) -> _Part:
        whole = _Part()
        for part in parts:
            self._join(whole.last, part.first)
            whole = _Part(
                whole.first + part.first if whole.empty else whole.first,
                part.last + whole.last if part.empty else part.last,
                whole.empty and part.empty,
            )
        return whole

    @staticmethod
    def _either(parts: Sequence[_Part]) -> _Part:
        return _Part(
            tuple(state for part in parts for state in part.first),
            tuple(state for part in parts for state in part.last),
            any(part.empty for part in parts),
        )

    def _again(self, node: Repeat) -> _Part:
        body = _once(node.body) if node.atomic else node.body
        most, least = node.most, min(node.least, _MAX_COPIES)
        if node.atomic:
            return self._optional(self.add(body), optional=least == 0)
        if most is not None and (most == least or most < _AS_GOOD_AS_ENDLESS):
            return self._copies(body, least, min(most, _MAX_COPIES))
        looped = self.add(body)
        self._join(looped.last, looped.first)
        if most is None:
            self.endless.update(set(looped.first) & set(looped.last))
        whole = self._optional(looped, optional=least == 0)
        return self._in_a_row([*(self.add(body) for _ in range(least - 1)), whole]) if least > 1 else whole

    def _copies(self, body: Node, least: int, most: int) -> _Part:
        """Return ``least`` copies in a row and the others nested, each only behind the one before it."""
        tail = _Part()
        for number in range(most, 0, -1):
            tail = self._optional(self._in_a_row([self.add(body), tail]), optional=number > least)
        return tail

    @staticmethod
    def _optional(part: _Part, *, optional: bool) -> _Part:
        return _Part(part.first, part.last, part.empty or optional)

    def exponential(self) -> bool:
        """Say whether some text leads round a loop in two ways."""
        following: dict[int, list[int]] = {}
        for one, next_one in self.ways:
            following.setdefault(one, []).append(next_one)
        for loop in _loops(len(self.chars), following):
            inside = {one: [next_one for next_one in following[one] if next_one in loop] for one in loop}
            if any(self.ways[one, next_one] > 1 for one, more in inside.items() for next_one in more):
                return True
            if self._ambiguous(loop, inside):
                return True
        return False

    def _ambiguous(self, loop: frozenset[int], inside: Mapping[int, Sequence[int]]) -> bool:
        """Say whether two walks through *loop* can part and meet again on the same text."""
        if len(loop) > _MAX_LOOP_STATES:
            raise NotUnderstood("a repetition in it is too long")
        waiting = [
            (one, other)
            for state in loop
            for one in inside[state]
            for other in inside[state]
            if one < other and self.chars[one] & self.chars[other]
        ]
        seen = set(waiting)
        while waiting:
            here, there = waiting.pop()
            for one in inside[here]:
                for other in inside[there]:
                    if not self.chars[one] & self.chars[other]:
                        continue
                    if one == other:
                        return True
                    pair = (min(one, other), max(one, other))
                    if pair not in seen:
                        seen.add(pair)
                        waiting.append(pair)
        return False

    def adjacent(self) -> bool:
        """Say whether a run of one character can be split between two repetitions anywhere."""
        return any(
            one != next_one
            and one in self.endless
            and next_one in self.endless
            and (next_one, one) not in self.ways
            and self.chars[one] & self.chars[next_one]
            for one, next_one in self.ways
        )


def _once(node: Node) -> Node:
    """Return *node* as it is passed when nothing is given back: each repetition runs once."""
    match node:
        case Seq(parts):
            return Seq(tuple(map(_once, parts)))
        case Alt(choices):
            return Alt(tuple(map(_once, choices)))
        case Repeat(body, least, most):
            return Repeat(_once(body), min(least, 1), 1 if most is None else min(most, 1))
        case _:
            return node


def _loops(count: int, following: Mapping[int, Sequence[int]]) -> Iterator[frozenset[int]]:
    """Yield the sets of states that can all reach each other (Kosaraju's algorithm)."""
    preceding: dict[int, list[int]] = {}
    for one, more in following.items():
        for next_one in more:
            preceding.setdefault(next_one, []).append(one)
    left: list[int] = []
    seen: set[int] = set()
    for state in range(count):
        left += _left_in_order(state, following, seen)
    assigned: set[int] = set()
    for state in reversed(left):
        loop = frozenset(_left_in_order(state, preceding, assigned))
        if len(loop) > 1 or (loop and state in following.get(state, ())):
            yield loop


def _left_in_order(start: int, following: Mapping[int, Sequence[int]], seen: set[int]) -> list[int]:
    """Return what can be reached from *start* and was not *seen*, in the order in which it is left for good."""
    if start in seen:
        return []
    seen.add(start)
    left = []
    path = [(start, iter(following.get(start, ())))]
    while path:
        state, rest = path[-1]
        fresh = next((one for one in rest if one not in seen), None)
        if fresh is None:
            left.append(state)
            path.pop()
        else:
            seen.add(fresh)
            path.append((fresh, iter(following.get(fresh, ()))))
    return left
