"""YAML with line numbers, from its events: no aliases that could multiply, no tags, bounded depth."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from bot.scanners.lockfiles.package import Unreadable
from bot.scanners.lockfiles.tree import MAX_DEPTH, MOST_TOKENS, Node

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str) -> Node:
    """Return the first document; plain scalars are text, whatever YAML takes them for.

    Raises:
        Unreadable: this is not YAML, it is nested too deeply, or it holds anchors, aliases or tags.
    """
    events = _events(text)
    try:
        first = next(events, None)
        return Node({}, 1, 1) if first is None else _value(first, events, _line(first), MAX_DEPTH)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable(f"not YAML in line {mark.line + 1}" if mark else "not YAML") from None


def _events(text: str) -> Iterator[yaml.Event]:
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if number > MOST_TOKENS:
            raise Unreadable("it holds more than can be read")
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            yield event


def _value(event: yaml.Event, events: Iterator[yaml.Event], line: int, depth: int) -> Node:
    if getattr(event, "anchor", None) or getattr(event, "tag", None):
        raise Unreadable(f"an anchor, alias or tag in line {_line(event)}")
    if depth == 0:
        raise Unreadable("nested too deeply")
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, line, depth)
    if isinstance(event, yaml.SequenceStartEvent):
        found = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(_value(event, events, _line(event), depth - 1))
        return Node(found, line, max(line, _line(event) - 1))
    assert isinstance(event, yaml.ScalarEvent)
    last = event.end_mark.line + 1 if event.end_mark else line
    return Node(event.value, line, max(line, last))


def _mapping(events: Iterator[yaml.Event], line: int, depth: int) -> Node:
    found: dict[str, Node] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise Unreadable(f"a key that is not text in line {_line(event)}")
        found[event.value] = _value(next(events), events, _line(event), depth - 1)
    return Node(found, line, max(line, _line(event) - 1))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
