"""Files with a policy: ``.cloister.yml`` of the target branch, and those of groups and of the instance.

A key that is not known is an error rather than ignored: a misspelt gate would otherwise stand open.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from bot.domain.policy_meaning import pointless
from bot.domain.policy_model import Policy, Sections, SharedFile
from bot.domain.policy_nodes import Place, place, repeated, unquoted, unreadable, value_at
from bot.domain.policy_sections import SARIF_PREFIX

#: Where the file stands in a repository.
PATH = ".cloister.yml"

#: Scanners that a policy may name unless the caller knows better.
SCANNERS = ("dependencies", "model", "secrets", "semgrep")

#: Ends the names of scanners in files for many projects: whose jobs have which names is not known there.
ANY_REPORT = f"{SARIF_PREFIX}*"

_File = TypeVar("_File", bound=Sections)

_MAX_CHARS = 64_000
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """Say what is wrong with the file at ``line`` and ``column`` (1-based) and what to do about it."""

    line: int
    message: str
    remedy: str
    column: int = 1

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}; {self.remedy}"


def parse(text: str | bytes, *, scanners: Collection[str] = SCANNERS) -> Policy | PolicyProblem:
    """Read the policy file of a project; an empty one gives the default policy.

    Args:
        text: the file, YAML without anchors, aliases, tags and further documents.
        scanners: names that the gate may hold, and globs of them.

    Returns:
        The policy, or the first problem of the file; a half-understood policy is not used.
    """
    found = parse_sections(text, scanners=scanners)
    return found if isinstance(found, PolicyProblem) else Policy(**dict(found))


def parse_sections(text: str | bytes, *, scanners: Collection[str] = SCANNERS) -> Sections | PolicyProblem:
    """Do as `parse`, but return what the file itself says: its sections know which keys it sets."""
    return _read(text, Sections, scanners)


def parse_shared(text: str | bytes) -> SharedFile | PolicyProblem:
    """Read a file for many projects, that of the instance or of a group; otherwise like `parse`."""
    return _read(text, SharedFile, (*SCANNERS, ANY_REPORT))


def _read(said: str | bytes, model: type[_File], scanners: Collection[str]) -> _File | PolicyProblem:
    text = _decoded(said) if isinstance(said, bytes) else said
    if isinstance(text, PolicyProblem):
        return text
    if len(text) > _MAX_CHARS:
        return PolicyProblem(
            1, f"the file has {len(text)} characters", f"keep it below {_MAX_CHARS} characters"
        )
    try:
        problem = _unsafe(text, model)
        if problem is not None:
            return problem
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        for (line, column), (message, remedy) in unreadable(node, yaml.SafeLoader("")):
            return PolicyProblem(line, message, remedy, column)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return _broken(error)
    if node is None or values is None:
        return model()
    return _validated(values, node, model, scanners)


def _decoded(content: bytes) -> str | PolicyProblem:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return PolicyProblem(line, "the file is not in UTF-8", "save it as UTF-8")
    if "\0" in text:
        return PolicyProblem(1, "the file is not in UTF-8, it may be in UTF-16", "save it as UTF-8")
    return text


def _unsafe(text: str, model: type[Sections]) -> PolicyProblem | None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            return PolicyProblem(line, "anchors, aliases and tags are not allowed", "write the value out")
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<":
            return PolicyProblem(line, "merges with << are not allowed", "write the keys out")
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            return PolicyProblem(
                line, "the file is nested too deeply", f"known keys are {', '.join(model.model_fields)}"
            )
        if documents > 1:
            return PolicyProblem(line, "the file holds several documents", "remove the line ---")
    return None


def _broken(error: yaml.YAMLError) -> PolicyProblem:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return PolicyProblem(line, f"this is not YAML: {problem}", "check the indentation", column)


def _validated(
    values: Any, node: yaml.Node, model: type[_File], scanners: Collection[str]
) -> _File | PolicyProblem:
    for key, (line, column) in repeated(node):
        return PolicyProblem(line, f"the key {key!r} appears twice", "remove one of them", column)
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        # A misspelt key explains the missing one on the same line.
        first = min(
            error.errors(),
            key=lambda found: (place(node, found["loc"])[0], found["type"] != "extra_forbidden"),
        )
        return _explained(first["type"], first["loc"], first["msg"], node, model)
    return _unknown_scanner(found, node, scanners) or _pointless(found, node) or found


def _pointless(found: Sections, node: yaml.Node) -> PolicyProblem | None:
    """Return the first rule of the gate that does not mean what it says, or None."""
    for loc, (message, remedy) in pointless(found.gate.rules):
        line, column = place(node, ("gate", "rules", *loc))
        return PolicyProblem(line, message, remedy, column)
    return None


def _unknown_scanner(found: Sections, node: yaml.Node, scanners: Collection[str]) -> PolicyProblem | None:
    """Return the first name of a scanner that nobody has, in the gate or among what is never waived, or None."""
    gate = found.gate
    known = {*scanners, *(report.scanner for report in found.reports.sarif)}
    named: list[tuple[Place, str]] = [
        (("gate", "scanners", index), name) for index, name in enumerate(gate.scanners)
    ]
    named += [(("waivers", "never", index), name) for index, name in enumerate(found.waivers.never)]
    named += [
        (("gate", "rules", number, "when", "scanners", index), name)
        for number, rule in enumerate(gate.rules)
        for index, name in enumerate(rule.when.scanners)
    ]
    for loc, name in named:
        if name in known or (name.startswith(SARIF_PREFIX) and ANY_REPORT in known):
            continue
        line, column = place(node, loc)
        where = ".".join(str(step) for step in loc[:-1])
        return PolicyProblem(line, f"{where} names {name!r}", _did_you_mean(name, known), column)
    return None


def _explained(kind: str, loc: Place, message: str, node: yaml.Node, model: type[Sections]) -> PolicyProblem:
    (line, column), where = place(node, loc), ".".join(map(str, loc))
    if kind in {"extra_forbidden", "invalid_key"}:
        remedy = _did_you_mean(str(loc[-1]), _keys(model, loc[:-1]))
        return PolicyProblem(line, f"{where!r} is not a known key", _elsewhere(loc) or remedy, column)
    if not loc:
        # Of a link, git has the path as its content.
        linked = "; links and Git LFS are not followed" if isinstance(node, yaml.ScalarNode) else ""
        remedy = f"start with a key such as 'gate:'{linked}"
        return PolicyProblem(line, "the file is not a mapping", remedy, column)
    reason = message.removeprefix("Value error, ").replace("tuple", "list")
    reason = reason[:1].lower() + reason[1:]
    if kind == "model_type":
        reason = "this is a section"
    remedy = (unquoted(value_at(node, loc)) if kind == "string_type" else "") or _purpose(model, loc)
    return PolicyProblem(line, f"{where}: {reason}", remedy, column)


def _elsewhere(loc: Place) -> str:
    """Return where a key belongs that other files may hold, empty if none may."""
    return "only files of the instance and of groups enforce keys" if loc == ("enforced",) else ""


def _keys(model: type[BaseModel], loc: Place) -> list[str]:
    section = model
    for key in loc:
        if isinstance(key, str):
            section = _inner(section, key) or section
    return list(section.model_fields)


def _inner(section: type[BaseModel], key: str) -> type[BaseModel] | None:
    """Return the section that *key* leads to, or that the items of its list are; None for a plain value."""
    annotation = section.model_fields[key].annotation
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _purpose(model: type[BaseModel], loc: Place) -> str:
    section, where = model, ""
    for key in (key for key in loc if isinstance(key, str)):
        inner = _inner(section, key)
        if inner is None:
            return f"{key} means: {section.model_fields[key].description}"
        section, where = inner, key
    return f"known keys of {where} are {', '.join(section.model_fields)}"


def _did_you_mean(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known))}"
