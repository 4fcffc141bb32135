"""Regular expressions of rules as trees: what they repeat, over which characters.

Semgrep's engine has PCRE, whose syntax Python's own parser does not know. What does not matter to the
cost of a match is left out: anchors, back references and the contents of look-around count as empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.scanners.regex_chars import ALL, CLASSES, CONTROLS, NEWLINE, OTHER, POSIX, among, bit, folded

_MAX_DEPTH = 60
_MAX_CHARS = 20_000


class NotUnderstood(ValueError):
    """Say that an expression has a construct whose cost cannot be told."""


@dataclass(frozen=True, slots=True)
class Chars:
    """Match one of the characters of a set."""

    chars: int


@dataclass(frozen=True, slots=True)
class Seq:
    """Match one after the other; nothing when empty."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Alt:
    """Match one of several."""

    choices: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Match again and again; ``most`` None is without end, ``atomic`` never gives back."""

    body: Node
    least: int
    most: int | None
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Apart:
    """Match on its own: an atomic group, which is not re-entered, or (``empty``) a look around.

    ``look`` is how that is written: ``=`` or ``!``, after ``<`` where it looks back.
    """

    body: Node
    empty: bool
    look: str = ""


Node = Chars | Seq | Alt | Repeat | Apart


_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d+)(?:(,)(\d*))?\}|\{,(\d+)\})([?+]?)")
_CODE = re.compile(r"x\{([0-9a-fA-F]*)\}|x([0-9a-fA-F]{0,2})|o\{([0-7]*)\}|(0[0-7]{0,2})")
_PROPERTY = re.compile(r"[pP](?:\{\^?[\w&=:-]+\}|[A-Z])")
_REFERENCE = re.compile(r"g(?:-?\d+|\{[\w+-]+\})|k(?:\{\w+\}|<\w+>|'\w+')|[1-9]\d*")
_SWITCHES = re.compile(r"\?(\^?[imsxnJUu]*)(?:-([imsxnJUu]*))?([:)])")
_OPENING = re.compile(r"\?(?:(?P<look><?[=!])|(?P<atomic>>)|(?::|\||P?<\w+>|'\w+'))")
_CALL = re.compile(r"\?(?:R|[+-]?\d+|&|P>|C)|\*")


@dataclass(slots=True)
class _Reader:
    text: str
    reference: Node = Seq()
    at: int = 0
    flags: frozenset[str] = frozenset()
    depth: int = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found


def parse(expression: str, *, reference: Node = Seq()) -> Node:
    """Return the tree of *expression*; a back reference counts as *reference*.

    Raises:
        NotUnderstood: it recurses, has a condition, is not closed, or is longer or deeper than anybody writes.
    """
    if len(expression) > _MAX_CHARS:
        raise NotUnderstood(f"it has more than {_MAX_CHARS} characters")
    reader = _Reader(expression, reference)
    node = _choices(reader)
    if reader.at < len(expression):
        raise NotUnderstood("a parenthesis is closed that was not opened")
    return node


def _choices(reader: _Reader) -> Node:
    reader.depth += 1
    if reader.depth > _MAX_DEPTH:
        raise NotUnderstood(f"it is nested more than {_MAX_DEPTH} deep")
    flags = reader.flags
    choices = [_sequence(reader)]
    while reader.peek() == "|":
        reader.at += 1
        choices.append(_sequence(reader))
    # A switch in the middle of a group holds up to its end.
    reader.flags = flags
    reader.depth -= 1
    return choices[0] if len(choices) == 1 else Alt(tuple(choices))


def _sequence(reader: _Reader) -> Node:
    parts: list[Node] = []
    while (char := reader.peek()) and char not in "|)":
        if "x" in reader.flags and (char.isspace() or char == "#"):
            _skip_comment(reader)
            continue
        atom = _atom(reader)
        if "x" in reader.flags:
            while reader.peek().isspace():
                reader.at += 1
        while quantifier := reader.take(_QUANTIFIER):
            atom = _repeated(atom, quantifier)
        parts.append(atom)
    return parts[0] if len(parts) == 1 else Seq(tuple(parts))


def _skip_comment(reader: _Reader) -> None:
    if reader.peek() != "#":
        reader.at += 1
        return
    end = reader.text.find("\n", reader.at)
    reader.at = len(reader.text) if end < 0 else end + 1


def _repeated(atom: Node, quantifier: re.Match[str]) -> Node:
    exactly, comma, most, up_to, suffix = quantifier.groups()
    sign = quantifier[0][0]
    if sign in "*+?":
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
    elif up_to is not None:
        bounds = (0, int(up_to))
    else:
        bounds = (int(exactly), int(exactly) if comma is None else int(most) if most else None)
    return Repeat(atom, *bounds, atomic=suffix == "+")


def _atom(reader: _Reader) -> Node:
    char = reader.peek()
    reader.at += 1
    match char:
        case "(":
            return _group(reader)
        case "[":
            return Chars(_class(reader))
        case "\\":
            return _escape(reader)
        case "^" | "$":
            return Seq()
        case ".":
            return Chars(ALL if "s" in reader.flags else ALL & ~NEWLINE)
        case _:
            return Chars(_folded(bit(char), reader))


def _group(reader: _Reader) -> Node:
    if reader.text.startswith("?#", reader.at):
        end = reader.text.find(")", reader.at)
        reader.at = len(reader.text) if end < 0 else end + 1
        return Seq()
    if switches := reader.take(_SWITCHES):
        return _switched(reader, switches)
    if reader.take(re.compile(r"\?P=\w+\)")):
        return reader.reference
    if reader.take(re.compile(r"\*[A-Z_]+(?::\w*)?\)")):
        return Seq()
    opening = reader.take(_OPENING)
    if opening is None and (reader.peek() == "?" or _CALL.match(reader.text, reader.at)):
        raise NotUnderstood("it calls itself or has a condition")
    body = _choices(reader)
    _close(reader)
    if opening and (opening["look"] or opening["atomic"]):
        return Apart(body, empty=bool(opening["look"]), look=opening["look"] or "")
    return body


def _switched(reader: _Reader, switches: re.Match[str]) -> Node:
    before = reader.flags
    on, off, end = switches.groups()
    reader.flags = (reader.flags | frozenset(on)) - frozenset(off or "")
    if end == ")":
        return Seq()
    body = _choices(reader)
    reader.flags = before
    _close(reader)
    return body


def _close(reader: _Reader) -> None:
    if reader.peek() != ")":
        raise NotUnderstood("a parenthesis is not closed")
    reader.at += 1


def _escape(reader: _Reader) -> Node:
    char = reader.peek()
    if not char:
        raise NotUnderstood("it ends in a backslash")
    if char == "Q":
        end = reader.text.find("\\E", reader.at)
        quoted = reader.text[reader.at + 1 : end if end >= 0 else None]
        reader.at = end + 2 if end >= 0 else len(reader.text)
        return Seq(tuple(Chars(_folded(bit(one), reader)) for one in quoted))
    if char in "bBAZzGKE":
        reader.at += 1
        return Seq()
    if reader.take(_REFERENCE):
        return reader.reference
    return Chars(_folded(_escaped_set(reader), reader))


def _escaped_set(reader: _Reader) -> int:
    if reader.take(_PROPERTY):
        return ALL & ~NEWLINE
    if code := reader.take(_CODE):
        braced, plain, octal, zero = code.groups()
        number = int(octal or zero or "0", 8) if octal or zero else int(braced or plain or "0", 16)
        return 1 << number if number < 128 else OTHER
    char = reader.peek()
    reader.at += 1
    if char == "c":
        reader.at += 1
        return ALL & among("".join(map(chr, range(32))))
    return CLASSES.get(char) or bit(CONTROLS.get(char, char))


def _class(reader: _Reader) -> int:
    negated = reader.peek() == "^"
    reader.at += negated
    chars, first = 0, True
    while (char := reader.peek()) != "]" or first:
        if not char:
            raise NotUnderstood("a character class is not closed")
        first = False
        chars |= _class_item(reader)
    reader.at += 1
    chars = _folded(chars, reader)
    return ALL & ~chars | (chars & OTHER) if negated else chars


def _class_item(reader: _Reader) -> int:
    if posix := reader.take(re.compile(r"\[:(\^?)([a-z]+):\]")):
        named = POSIX.get(posix[2], ALL)
        return ALL & ~named if posix[1] else named
    low = _class_char(reader)
    if not reader.text.startswith("-", reader.at) or reader.text[reader.at + 1 : reader.at + 2] in ("]", ""):
        return low
    reader.at += 1
    high = _class_char(reader)
    if low.bit_count() != 1 or high.bit_count() != 1 or high < low:
        return low | high | among("-")
    return (high << 1) - low


def _class_char(reader: _Reader) -> int:
    char = reader.peek()
    reader.at += 1
    if char != "\\":
        return bit(char)
    if reader.peek() == "b":
        reader.at += 1
        return 1 << 8
    return _escaped_set(reader) if reader.peek() else among("\\")


def _folded(chars: int, reader: _Reader) -> int:
    return folded(chars) if "i" in reader.flags else chars
