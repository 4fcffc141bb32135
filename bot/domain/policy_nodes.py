"""Where values stand in a policy file, and those that YAML reads as people do not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

#: What is wrong, and what to do about it.
Remark = tuple[str, str]
#: Keys and numbers of list items that lead to a value.
Place = tuple[int | str, ...]

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_PLAIN = "write it in digits, without a 0 in front, _ or :, or put text in quotes"

#: What YAML takes values without quotes for, by the end of its tags.
_KINDS = {
    "bool": "true or false",
    "float": "a number",
    "int": "a number",
    "null": "nothing",
    "timestamp": "a date",
}


def place(node: yaml.Node, loc: Place) -> tuple[int, int]:
    """Return line and column of what *loc* leads to, or of as much of it as is there."""
    *_, (place, _) = _path(node, loc)
    return _position(place)


def value_at(node: yaml.Node, loc: Place) -> yaml.Node | None:
    """Return the value that *loc* leads to, None if it is not there."""
    path = list(_path(node, loc))
    return path[-1][1] if len(path) == len(loc) + 1 else None


def repeated(node: yaml.Node) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield keys that appear twice in one mapping, and where."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from repeated(item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                yield key.value, _position(key)
            seen.add(key.value)
        yield from repeated(value)


def unreadable(node: yaml.Node | None, loader: yaml.SafeLoader) -> Iterator[tuple[tuple[int, int], Remark]]:
    """Yield where values stand that YAML takes for dates or numbers, and reads not at all, or as people do not."""
    if isinstance(node, yaml.ScalarNode):
        try:
            odd = _odd_number(node, loader.construct_object(node))
        except ValueError:
            odd = ("a date or a number cannot be read", "put text values in quotes")
        if odd is not None:
            yield _position(node), odd
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for part in pair:
                yield from unreadable(part, loader)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from unreadable(item, loader)


def unquoted(node: yaml.Node | None) -> str:
    """Return what to do about a value that should be text and that YAML takes for something else, empty if nothing."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return ""
    kind = node.tag.rpartition(":")[2]
    return f"put {node.value} in quotes, YAML reads it as {_KINDS[kind]}" if kind in _KINDS else ""


def _odd_number(node: yaml.ScalarNode, value: object) -> Remark | None:
    """Return what is odd about a number that YAML reads as another *value* than people do, as 030 for 24."""
    if type(value) is not int or _INTEGER.fullmatch(node.value):
        return None
    return f"YAML reads {node.value} as the number {value}", _PLAIN


def _path(node: yaml.Node, loc: Place) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield what *loc* leads through, as far as it is there: where each begins, which may be its key, and itself."""
    yield node, node
    for step in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            yield node, node
        elif isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if pair is None:
                return
            node = pair[1]
            yield pair


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
