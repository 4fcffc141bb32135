"""The policy file ``.cloister.yml`` of the target branch.

A key that is not known is an error rather than ignored: a misspelt gate would otherwise stand open.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from bot.domain.policy import Policy

#: Where the file stands in a repository.
PATH = ".cloister.yml"

#: Scanners that a policy may name unless the caller knows better.
SCANNERS = ("dependencies", "model", "secrets", "semgrep")

_MAX_CHARS = 64_000
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """Say what is wrong with the file at ``line`` (1-based) and what to do about it."""

    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}; {self.remedy}"


def parse(text: str, *, scanners: Collection[str] = SCANNERS) -> Policy | PolicyProblem:
    """Read a policy file; an empty one gives the default policy.

    Args:
        text: the file, YAML without anchors, aliases, tags and further documents.
        scanners: names that ``gate.scanners`` may hold.

    Returns:
        The policy, or the first problem of the file; a half-understood policy is not used.
    """
    if len(text) > _MAX_CHARS:
        return PolicyProblem(
            1, f"the file has {len(text)} characters", f"keep it below {_MAX_CHARS} characters"
        )
    try:
        problem = _unsafe(text)
        if problem is not None:
            return problem
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return _broken(error)
    except ValueError as error:
        return PolicyProblem(1, f"a value cannot be read ({error})", "put text values in quotes")
    if node is None or values is None:
        return Policy()
    return _validated(values, node, scanners)


def _unsafe(text: str) -> PolicyProblem | None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            return PolicyProblem(line, "anchors, aliases and tags are not allowed", "write the value out")
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            return PolicyProblem(
                line, "the file is nested too deeply", f"known keys are {', '.join(Policy.model_fields)}"
            )
        if documents > 1:
            return PolicyProblem(line, "the file holds several documents", "remove the line ---")
    return None


def _broken(error: yaml.YAMLError) -> PolicyProblem:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
    return PolicyProblem(
        mark.line + 1 if mark else 1, f"this is not YAML: {problem}", "check the indentation"
    )


def _validated(values: Any, node: yaml.Node, scanners: Collection[str]) -> Policy | PolicyProblem:
    for key, line in _repeated(node):
        return PolicyProblem(line, f"the key {key!r} appears twice", "remove one of them")
    try:
        policy = Policy.model_validate(values)
    except ValidationError as error:
        # A misspelt key explains the missing one on the same line.
        first = min(
            error.errors(), key=lambda found: (_line(node, found["loc"]), found["type"] != "extra_forbidden")
        )
        return _explained(first["type"], first["loc"], first["msg"], node)
    known = {*scanners, *(report.scanner for report in policy.reports.sarif)}
    for index, name in enumerate(policy.gate.scanners):
        if name not in known:
            line = _line(node, ("gate", "scanners", index))
            return PolicyProblem(line, f"gate.scanners names {name!r}", _did_you_mean(name, known))
    return policy


def _repeated(node: yaml.Node) -> Iterator[tuple[str, int]]:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
        yield from _repeated(value)


def _explained(kind: str, loc: tuple[int | str, ...], message: str, node: yaml.Node) -> PolicyProblem:
    line, where = _line(node, loc), ".".join(map(str, loc))
    if kind in {"extra_forbidden", "invalid_key"}:
        siblings = _keys(loc[:-1])
        return PolicyProblem(line, f"{where!r} is not a known key", _did_you_mean(str(loc[-1]), siblings))
    if not loc:
        return PolicyProblem(line, "the file is not a mapping", "start with a key such as 'gate:'")
    reason = message.removeprefix("Value error, ").replace("tuple", "list")
    reason = reason[:1].lower() + reason[1:]
    if kind == "model_type":
        reason = "this is a section"
    return PolicyProblem(line, f"{where}: {reason}", _purpose(loc))


def _keys(loc: tuple[int | str, ...]) -> list[str]:
    section: type[BaseModel] = Policy
    for key in loc:
        if isinstance(key, str):
            section = _inner(section, key) or section
    return list(section.model_fields)


def _inner(section: type[BaseModel], key: str) -> type[BaseModel] | None:
    """Return the section that *key* leads to, or that the items of its list are; None for a plain value."""
    annotation = section.model_fields[key].annotation
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _purpose(loc: tuple[int | str, ...]) -> str:
    section: type[BaseModel] = Policy
    where = ""
    for key in (key for key in loc if isinstance(key, str)):
        inner = _inner(section, key)
        if inner is None:
            return f"{key} means: {section.model_fields[key].description}"
        section, where = inner, key
    return f"known keys of {where} are {', '.join(section.model_fields)}"


def _did_you_mean(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known))}"


def _line(node: yaml.Node, loc: tuple[int | str, ...]) -> int:
    line = node.start_mark.line + 1
    for step in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(step)]
            if not found:
                return line
            line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line
