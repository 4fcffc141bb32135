"""Regular expressions made cheap to search for by matching more than they did."""

from __future__ import annotations

import re

from bot.scanners.regex_chars import ALL, OTHER, bit, folded
from bot.scanners.regex_shape import Alt, Apart, Chars, Node, NotUnderstood, Repeat, Seq, parse

#: What the trees cannot say: parts that stand for several characters, that match early, or that call groups.
_UNTOLD = re.compile(r"\(\*|\\[RXC]|\\N\{|\\g['<]")
_ANYTHING = Repeat(Chars(ALL), 0, None)
_MAX_CHARS = 4_000
_BOTH_CASES = frozenset(folded(bit(chr(point))) for point in range(ord("a"), ord("z") + 1))


def loosened(expression: str) -> bytes | None:
    """Return a simple expression for bytes that is found in every text in which *expression* is; None for all texts.

    Anchors, look-around and bounds of repetitions go, back references may be anything, and a set of characters
    takes those outside ASCII too, however many bytes they have. *expression* is for PCRE, of which it is not
    known whether it counts characters or bytes; the result has neither flags nor anything but sets, choices
    and repetitions.
    """
    if _UNTOLD.search(expression):
        return None
    try:
        node = _needed(parse(expression, reference=_ANYTHING))
    except NotUnderstood:
        return None
    text = _written(node)
    return text.encode() if text and len(text) <= _MAX_CHARS else None


def _needed(node: Node) -> Node:
    """Return what remains of *node* when it loses at both ends what may be empty; empty when that is all."""
    match node:
        case Apart(body, empty, look):
            return _needed(body) if not empty or look in ("=", "<=") else Seq()
        case Alt(choices):
            kept = tuple(_needed(choice) for choice in choices)
            return Seq() if Seq() in kept else Alt(kept)
        case Repeat(body, least, _):
            return _needed(body) if least else Seq()
        case Seq(parts):
            return _trimmed(list(parts))
        case _:
            return node


def _trimmed(parts: list[Node]) -> Node:
    """Drop what may be empty at both ends, but for a look back or ahead: what it sees touches the rest."""
    while len(parts) > 1 and not _looks(parts[-1], "=") and _may_be_empty(parts[-1]):
        del parts[-1]
    while len(parts) > 1 and not _looks(parts[0], "<=") and _may_be_empty(parts[0]):
        del parts[0]
    if len(parts) == 1:
        return _needed(parts[0])
    first, *middle, last = parts or [Seq(), Seq()]
    seen = [
        first.body if isinstance(first, Apart) and _looks(first, "<=") else first,
        *middle,
        last.body if isinstance(last, Apart) and _looks(last, "=") else last,
    ]
    return Seq(tuple(part for part in seen if part != Seq()))


def _may_be_empty(node: Node) -> bool:
    return _looks(node, "=", "!", "<=", "<!") or _needed(node) == Seq()


def _looks(node: Node, *ways: str) -> bool:
    return isinstance(node, Apart) and node.look in ways


def _written(node: Node) -> str:
    match node:
        case Chars(chars):
            return _set(chars) if _is_letter(chars) else f"{_set(chars)}+"
        case Alt(choices):
            return f"(?:{'|'.join(map(_written, choices))})"
        case Repeat(body, least, most):
            text = _set(body.chars) if isinstance(body, Chars) else f"(?:{_written(body)})"
            if (least, most) == (1, 1):
                return _written(body)
            return f"{text}{'+' if least else '?' if most == 1 and not isinstance(body, Chars) else '*'}"
        case Apart(body, empty):
            return "" if empty else _written(body)
        case Seq(parts):
            return "".join(map(_written, parts))


def _is_letter(chars: int) -> bool:
    """Say whether *chars* is one character of ASCII, or both cases of one."""
    return (not chars & OTHER and chars.bit_count() == 1) or chars in _BOTH_CASES


def _set(chars: int) -> str:
    """Return a set of bytes; where there is a choice among characters it takes all outside ASCII."""
    points = [point for point in range(128) if chars >> point & 1]
    inside = "".join(
        f"\\x{first:02x}" if first == last else f"\\x{first:02x}-\\x{last:02x}"
        for first, last in _ranges(points)
    )
    if not _is_letter(chars):
        return f"[{inside}\\x80-\\xff]"
    return inside if len(points) == 1 else f"[{inside}]"


def _ranges(points: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1] = (ranges[-1][0], point)
        else:
            ranges.append((point, point))
    return ranges
