"""What is wrong with a Semgrep rule before it has run: what the engine cannot do, what would stall it, what readers miss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bot.scanners.regex_cost import dangers
from bot.scanners.semgrep_files import Rule

#: Categories that comments, reports and policies know.
CATEGORIES = ("security", "correctness", "performance", "concurrency", "resource", "ci", "container")

_MESSAGE_CHARS = range(60, 401)
_SEARCHED = ("pattern-regex", "pattern-not-regex")
_PATTERNS = ("pattern", "pattern-not", "pattern-inside", "pattern-not-inside", *_SEARCHED)
_METAVARIABLE = re.compile(r"\$(?:\.\.\.)?([A-Z_][A-Z_0-9]*)")
_GROUP = re.compile(r"\(\?P?<([A-Z_][A-Z_0-9]*)>")
_STRING_REGEX = re.compile(r"=~/((?:[^/\\\n]|\\.)*)/")
_CWE, _OWASP = re.compile(r"CWE-[1-9]\d*"), re.compile(r"A(?:0\d|10):20\d\d")


class Remark(NamedTuple):
    """Hold what is wrong at ``path``, the keys below the rule; ``style`` does not change what the rule finds."""

    path: tuple[object, ...]
    message: str
    style: bool = False


def lint(rule: Rule) -> Iterator[Remark]:
    """Yield what is wrong with *rule*, as far as its text tells."""
    yield from _mode(rule.body)
    yield from _expressions(rule.body)
    yield from _conditions(rule.body)
    yield from _words(rule)
    yield from _tags(rule)


def house_rules(rule: Rule) -> Iterator[Remark]:
    """Yield where *rule* is not as the shipped ones are: named after its place, complete, one in a file."""
    expected = f"{rule.file.parent.name}-{rule.file.stem}"
    if rule.id != expected:
        yield Remark(("id",), f"the id is not {expected}, after the rule's place")
    metadata = rule.body.get("metadata") or {}
    for key in ("title", "severity", "confidence", "category"):
        if key not in metadata:
            yield Remark(("metadata",), f"`metadata.{key}` is missing")
    if rule.metadata.category not in CATEGORIES:
        yield Remark(("metadata", "category"), f"the category is none of {', '.join(CATEGORIES)}")


def _mode(body: Mapping[str, Any]) -> Iterator[Remark]:
    mode = body.get("mode", "search")
    if mode not in ("search", "taint"):
        yield Remark(("mode",), f"the free engine has no mode {mode!s:.40}; it has search and taint")
    for key in ("interfile", "interproc"):
        if isinstance(options := body.get("options"), dict) and options.get(key):
            yield Remark(
                ("options", key), f"the free engine ignores `{key}`; it looks at one function at a time"
            )
    if "validators" in body:
        yield Remark(("validators",), "validators use the network; Cloister never runs them")


def _expressions(body: Mapping[str, Any]) -> Iterator[Remark]:
    for path, key, value in _strings(body):
        if key in _SEARCHED or key == "regex":
            # Of a metavariable, only the beginning of its value is tried.
            for danger in dangers(value, anchored=key == "regex"):
                yield Remark(path, f"{danger}: {_short(value)}")
        elif key in _PATTERNS:
            for found in _STRING_REGEX.finditer(value):
                for danger in dangers(found[1]):
                    yield Remark(path, f"{danger}: {_short(found[1])}")


def _conditions(body: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield conditions on metavariables that nothing binds: such a rule never finds anything."""
    bound = _bound(body)
    for path, key, value in _strings(body):
        name = _METAVARIABLE.fullmatch(value)
        if key == "metavariable" and name and name[1] not in bound:
            yield Remark(path, f"no pattern of the rule binds {value}")


def _bound(body: Mapping[str, Any]) -> set[str]:
    names: set[str] = set()
    for _, key, value in _strings(body):
        if key == "regex" or key in _SEARCHED:
            names |= set(_GROUP.findall(value))
        elif key not in ("metavariable", "message", "fix", "id", "comparison"):
            names |= set(_METAVARIABLE.findall(value))
    return names


def _words(rule: Rule) -> Iterator[Remark]:
    message = " ".join(rule.body["message"].split())
    if len(message) not in _MESSAGE_CHARS:
        least, most = _MESSAGE_CHARS[0], _MESSAGE_CHARS[-1]
        yield Remark(
            ("message",), f"the message has {len(message)} characters; {least} to {most} are read", style=True
        )
    elif len(re.findall(r"[.!?](?:\s|$)", message)) < 2:
        yield Remark(
            ("message",),
            "the message is one sentence; say what can happen, and in another what to do",
            style=True,
        )
    bound = _bound(rule.body)
    for key in ("message", "fix"):
        for name in _METAVARIABLE.findall(str(rule.body.get(key, ""))):
            if name not in bound:
                yield Remark(
                    (key,), f"no pattern of the rule binds ${name}, so it is shown as it stands", style=True
                )


def _tags(rule: Rule) -> Iterator[Remark]:
    metadata = rule.metadata
    if not metadata.cwe and not metadata.references:
        yield Remark(("metadata",), "neither `cwe` nor `references` say where to read on", style=True)
    for number, link in enumerate(metadata.references):
        if not link.startswith("https://"):
            place = ("metadata", "references", number)
            yield Remark(place, f"the reference {link:.80} is not an https address", style=True)
    yield from _shaped("cwe", metadata.cwe, _CWE, "CWE-89")
    yield from _shaped("owasp", metadata.owasp, _OWASP, "A03:2021")
    if metadata.title.endswith("."):
        yield Remark(("metadata", "title"), "the title ends with a full stop", style=True)


def _shaped(key: str, tags: Sequence[str], shape: re.Pattern[str], example: str) -> Iterator[Remark]:
    for number, tag in enumerate(tags):
        if not shape.fullmatch(tag):
            yield Remark(("metadata", key, number), f"{tag:.80} is not written like {example}", style=True)


def _strings(
    value: object, path: tuple[object, ...] = (), key: str = ""
) -> Iterator[tuple[tuple[object, ...], str, str]]:
    """Yield each text of a rule, metadata apart, with its path and the last key on it."""
    if isinstance(value, str):
        yield path, key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name != "metadata":
                yield from _strings(inner, (*path, name), str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _strings(inner, (*path, number), key)


def _short(expression: str) -> str:
    return expression if len(expression) <= 80 else f"{expression[:79]}…"
