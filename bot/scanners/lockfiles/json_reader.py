"""JSON with line numbers, in one pass and within bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.scanners.lockfiles.package import Unreadable
from bot.scanners.lockfiles.tree import MAX_DEPTH, MOST_TOKENS, Node

# Nothing here can backtrack.
_TOKEN = re.compile(
    r'[ \t\r\n]*+(?:([{}\[\],:])|"((?:[^"\\\x00-\x1f]++|\\.)*+)"'
    r"|(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)|($))"
)


class _Token(NamedTuple):
    """``mark`` is a sign of punctuation, ``s`` for a string, ``v`` for another value, empty at the end."""

    mark: str
    text: str
    line: int


def read(text: str) -> Node:
    """Return the document; of a key that appears twice the last value counts, as package managers read it.

    Raises:
        Unreadable: this is not JSON, or it is nested too deeply.
    """
    tokens = _tokens(text)
    first = next(tokens)
    node = _value(first, tokens, first.line, MAX_DEPTH)
    if (token := next(tokens)).mark:
        raise _unexpected(token)
    return node


def _tokens(text: str) -> Iterator[_Token]:
    position, line, counted = 0, 1, 0
    for _ in range(MOST_TOKENS):
        match = _TOKEN.match(text, position)
        if match is None:
            line += text.count("\n", counted, position)
            raise Unreadable(f"not JSON behind line {line}")
        position = match.end()
        line += text.count("\n", counted, position)
        counted = position
        kind = match.lastindex
        if kind == 1:
            yield _Token(match[1], "", line)
        elif kind == 2:
            yield _Token("s", _unescaped(match[2], line), line)
        elif kind == 3:
            yield _Token("v", match[3], line)
        else:
            yield _Token("", "", line)
    raise Unreadable("it holds more than can be read")


def _unescaped(raw: str, line: int) -> str:
    if "\\" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"'))
    except ValueError:
        raise Unreadable(f"not JSON in line {line}") from None


def _value(token: _Token, tokens: Iterator[_Token], line: int, depth: int) -> Node:
    """Return the value that starts with *token*; *line* is where its key stands."""
    if depth == 0:
        raise Unreadable("nested too deeply")
    if token.mark == "{":
        return _object(tokens, line, depth)
    if token.mark == "[":
        return _array(tokens, line, depth)
    if token.mark == "s":
        return Node(token.text, line, token.line)
    if token.mark == "v":
        return Node({"true": True, "false": False}.get(token.text), line, token.line)
    raise _unexpected(token)


def _object(tokens: Iterator[_Token], line: int, depth: int) -> Node:
    found: dict[str, Node] = {}
    token = next(tokens)
    while token.mark != "}":
        if token.mark != "s" or next(tokens).mark != ":":
            raise _unexpected(token)
        found.pop(token.text, None)
        found[token.text] = _value(next(tokens), tokens, token.line, depth - 1)
        token = _after_item(tokens, "}")
    return Node(found, line, token.line)


def _array(tokens: Iterator[_Token], line: int, depth: int) -> Node:
    found: list[Node] = []
    token = next(tokens)
    while token.mark != "]":
        found.append(_value(token, tokens, token.line, depth - 1))
        token = _after_item(tokens, "]")
    return Node(found, line, token.line)


def _after_item(tokens: Iterator[_Token], end: str) -> _Token:
    token = next(tokens)
    if token.mark == end:
        return token
    if token.mark != "," or (following := next(tokens)).mark == end:
        raise _unexpected(token)
    return following


def _unexpected(token: _Token) -> Unreadable:
    return Unreadable(f"not JSON in line {token.line}")
