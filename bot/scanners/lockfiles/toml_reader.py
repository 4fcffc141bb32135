"""TOML with line numbers, in one pass and within bounds.

Python's own reader tells no lines, and takes time with the square of the length of a dotted key. Of values
that are neither text nor tables this one only finds the end.
"""

from __future__ import annotations

import re
from typing import NoReturn

from bot.scanners.lockfiles.package import Unreadable
from bot.scanners.lockfiles.tree import MAX_DEPTH, Node

_MOST_PARTS = 32
# A possessive group must not fail after its first character: Python before 3.11.5 then finds no match at all.
_BLANK = re.compile(r"[ \t]*+")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_LINE_END = re.compile(r"[ \t]*+(?:#[^\n]*+)?+(?:\r?\n|\Z)")
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_BASIC = re.compile(r'"((?:[^"\\\n]++|\\[^\n])*+)"')
_LITERAL = re.compile(r"'([^'\n]*+)'")
#: Where long text may end, by its quotes: two more of them belong to it.
_LONG = {'"': re.compile(r'\\[\s\S]|"""("{0,2})'), "'": re.compile(r"'''('{0,2})")}
_FIRST_LINE_END = re.compile(r"\r?\n?")
_OTHER = re.compile(r"[0-9A-Za-z+.:_-]++(?: [0-9:.Z+-]++)?")
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(["\\bfnrte])|([ \t\r]*\n\s*)|([\s\S]))')
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "e": "\x1b", '"': '"', "\\": "\\"}


def read(text: str) -> Node:
    """Return the document.

    Raises:
        Unreadable: this is not TOML, or it is nested too deeply.
    """
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0

    def document(self) -> Node:
        root = table = Node({}, 1, 1)
        while True:
            self._take(_BLANK_LINES)
            if self._at == len(self._text):
                return root
            line = self.line
            if self._next("["):
                table = self._header(root, line)
            else:
                self._pair(table, MAX_DEPTH)
            if self._take(_LINE_END) is None:
                self._fail()
            table.end_line = line

    @property
    def line(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _fail(self, why: str = "not TOML") -> NoReturn:
        raise Unreadable(f"{why} in line {self.line}")

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _next(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        if found:
            self._at += len(mark)
        return found

    def _header(self, root: Node, line: int) -> Node:
        many = self._next("[")
        *parents, last = self._key()
        if not self._next("]]" if many else "]"):
            self._fail()
        table = self._descend(root, parents, line)
        if not many:
            return self._descend(table, [last], line)
        assert isinstance(table.value, dict)
        tables = table.value.setdefault(last, Node([], line, line))
        if not isinstance(tables.value, list):
            self._fail()
        tables.value.append(Node({}, line, line))
        return tables.value[-1]

    def _descend(self, node: Node, keys: list[str], line: int) -> Node:
        """Return the table below *node*, made where it is missing; in a list of tables the last one."""
        for key in keys:
            assert isinstance(node.value, dict)
            node = node.value.setdefault(key, Node({}, line, line))
            if isinstance(node.value, list) and node.value:
                node = node.value[-1]
            if not node.is_mapping:
                self._fail()
        return node

    def _pair(self, table: Node, depth: int) -> None:
        line = self.line
        *parents, last = self._key()
        if not self._next("="):
            self._fail()
        self._take(_BLANK)
        table = self._descend(table, parents, line)
        assert isinstance(table.value, dict)
        if last in table.value:
            self._fail("a key that appears twice")
        table.value[last] = self._value(line, depth)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._take(_BLANK)
            if match := self._take(_BARE):
                parts.append(match[0])
            elif match := self._take(_BASIC):
                parts.append(self._unescaped(match[1]))
            elif match := self._take(_LITERAL):
                parts.append(match[1])
            else:
                self._fail()
            self._take(_BLANK)
            if len(parts) > _MOST_PARTS:
                self._fail("nested too deeply")
            if not self._next("."):
                return parts

    def _value(self, line: int, depth: int) -> Node:
        if depth == 0:
            self._fail("nested too deeply")
        if self._next("["):
            return self._array(line, depth)
        if self._next("{"):
            return self._inline_table(line, depth)
        text = self._string()
        if text is None:
            match = self._take(_OTHER)
            if match is None:
                self._fail()
            return Node({"true": True, "false": False}.get(match[0]), line, self.line)
        return Node(text, line, self.line)

    def _string(self) -> str | None:
        for quote in _LONG:
            if self._text.startswith(3 * quote, self._at):
                return self._long(quote)
        if match := self._take(_BASIC):
            return self._unescaped(match[1])
        match = self._take(_LITERAL)
        return match[1] if match else None

    def _long(self, quote: str) -> str:
        first = _FIRST_LINE_END.match(self._text, self._at + 3)
        begin = first.end() if first else self._at + 3
        ends = (one for one in _LONG[quote].finditer(self._text, begin) if one[0].startswith(quote))
        end = next(ends, None)
        if end is None:
            self._fail()
        self._at = end.end()
        raw = self._text[begin : end.start()] + end[1]
        return raw if quote == "'" else self._unescaped(raw)

    def _unescaped(self, raw: str) -> str:
        return _ESCAPE.sub(self._character, raw) if "\\" in raw else raw

    def _character(self, match: re.Match[str]) -> str:
        code, long_code, plain, line_end, _ = match.groups()
        if plain:
            return _PLAIN[plain]
        if line_end:
            return ""
        number = int(code or long_code or "110000", 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            self._fail()
        return chr(number)

    def _array(self, line: int, depth: int) -> Node:
        found: list[Node] = []
        self._take(_BLANK_LINES)
        while not self._next("]"):
            found.append(self._value(self.line, depth - 1))
            self._take(_BLANK_LINES)
            if not self._next(",") and not self._text.startswith("]", self._at):
                self._fail()
            self._take(_BLANK_LINES)
        return Node(found, line, self.line)

    def _inline_table(self, line: int, depth: int) -> Node:
        found = Node({}, line, line)
        self._take(_BLANK_LINES)
        while not self._next("}"):
            self._pair(found, depth - 1)
            self._take(_BLANK_LINES)
            if not self._next(",") and not self._text.startswith("}", self._at):
                self._fail()
            self._take(_BLANK_LINES)
        found.end_line = self.line
        return found
