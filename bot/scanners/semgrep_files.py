"""Files of Semgrep rules: which there are in a directory, and what stands in them, problems with their line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.scanners.languages import ALIASES, LANGUAGES
from bot.scanners.semgrep_metadata import Metadata, metadata_of

_MAX_BYTES = 1_000_000
_MAX_VALUES = 200_000  # with aliases followed: a few lines of YAML can stand for more than fits into memory
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
#: Samples of rules for YAML are YAML themselves; some Kubernetes resources have rules of their own.
_RULES = re.compile(rb"^[\"']?rules[\"']?[ \t]*:", re.MULTILINE)
_RESOURCE = re.compile(rb"^apiVersion[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one rule as Semgrep wants it (``body``) and what Cloister needs to know about it.

    ``line`` is where it begins in ``file``, ``pack`` the directory that it was found below.
    """

    id: str
    file: Path
    languages: frozenset[str]
    metadata: Metadata
    body: Mapping[str, Any]
    line: int = 1
    pack: Path = Path()


@dataclass(frozen=True, slots=True)
class Problem:
    """Say what is wrong at ``line`` (1-based) of a rule's file, and what to do; ``rule`` is its id if known.

    A ``warning`` does not change what the rule finds.
    """

    file: Path
    line: int
    message: str
    rule: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class _Broken(Exception):
    """Say what is wrong with a rule, and at which node."""

    def __init__(self, message: str, node: yaml.Node) -> None:
        super().__init__(message)
        self.line = _line(node)


def read_pack(directory: Path) -> tuple[list[Rule], list[Problem]]:
    """Return the rules in *directory*, which may also be one file, and what is wrong with the others."""
    root = rules_root(directory)
    rules, problems = [], []
    for file in [directory] if directory.is_file() else rule_files(root):
        found, wrong = read_file(file, root)
        rules += found
        problems += wrong
    return rules, problems


def rules_root(directory: Path) -> Path:
    """Return the directory that paths of samples are relative to."""
    if directory.is_file():
        return directory.parent
    return directory / "semgrep" if (directory / "semgrep").is_dir() else directory


def rule_files(root: Path) -> Iterator[Path]:
    """Yield the files below *root* that hold rules, in order; hidden ones and samples are left out."""
    for file in sorted(root.rglob("*.y*ml")):
        hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
        if file.suffix in (".yaml", ".yml") and not hidden and file.is_file() and _holds_rules(file):
            yield file


def _holds_rules(file: Path) -> bool:
    if file.stem.endswith((".test", ".fixed")):
        return False
    with file.open("rb") as opened:
        content = opened.read(_MAX_BYTES)
    return bool(_RULES.search(content)) and not _RESOURCE.search(content)


def read_file(file: Path, root: Path) -> tuple[list[Rule], list[Problem]]:
    """Return the rules in *file* and what is wrong with the others."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    try:
        content = file.read_bytes()
    except OSError as error:
        return [], [Problem(file, 1, f"cannot be read: {error.strerror}")]
    if len(content) > _MAX_BYTES:
        return [], [Problem(file, 1, f"the file is larger than {_MAX_BYTES // 1_000_000} MB; split it")]
    try:
        loader = yaml.CSafeLoader(content)
        nodes = _rule_nodes(loader.get_single_node())
    except yaml.YAMLError as error:
        return [], [_unreadable(file, content, error)]
    except _Broken as error:
        return [], [Problem(file, error.line, str(error))]
    for node in nodes:
        try:
            rules.append(_rule(node, loader, file, root))
        except _Broken as error:
            problems.append(Problem(file, error.line, str(error), _id_of(node)))
    return rules, problems


def _unreadable(file: Path, content: bytes, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    why = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
    # The end of the file counts as the line behind the last one.
    line = min(mark.line + 1 if mark else 1, max(1, len(content.splitlines())))
    return Problem(file, line, f"this is not YAML: {why}")


def line_of(rule: Rule, path: Sequence[object]) -> int:
    """Return the line (1-based) of what stands at *path*, the keys below *rule*, as its file is now."""
    try:
        nodes = _rule_nodes(yaml.CSafeLoader(rule.file.read_bytes()).get_single_node())
    except (OSError, yaml.YAMLError, _Broken):
        return rule.line
    found = [_child(node, *path) for node in nodes if _line(node) == rule.line]
    return _line(found[0]) if found and found[0] else rule.line


def _rule_nodes(document: yaml.Node | None) -> list[yaml.Node]:
    if not isinstance(document, yaml.MappingNode):
        raise _Broken("the file is not a mapping; begin with `rules:`", document or yaml.ScalarNode("", ""))
    rules = _child(document, "rules")
    if not isinstance(rules, yaml.SequenceNode) or not rules.value:
        raise _Broken("`rules` is not a list of rules", rules or document)
    _count(rules, _MAX_VALUES)
    return list(rules.value)


def _rule(node: yaml.Node, loader: Any, file: Path, root: Path) -> Rule:
    if not isinstance(node, yaml.MappingNode):
        raise _Broken(
            "a rule is a mapping with the keys id, languages, message, severity and a pattern", node
        )
    try:
        body: dict[str, Any] = loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise _Broken(f"a value cannot be read: {getattr(error, 'problem', error)}", node) from error
    rule_id = body.get("id")
    if not isinstance(rule_id, str) or not _ID.fullmatch(rule_id):
        raise _Broken(
            "`id` is missing or is not made of letters, digits, -, _ and .", _child(node, "id") or node
        )
    languages = _languages(body, node)
    for key in ("message", "severity"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            raise _Broken(f"`{key}` is missing or not a text", _child(node, key) or node)
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise _Broken("`metadata` is not a mapping", _child(node, "metadata") or node)
    try:
        described = metadata_of(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = _child(node, "metadata", *first["loc"]) or node
        name = ".".join(map(str, first["loc"]))
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise _Broken(f"`metadata.{name}`: {message}", place) from error
    return Rule(
        rule_id, file, languages, described, {**body, "languages": sorted(languages)}, _line(node), root
    )


def _languages(body: dict[str, Any], node: yaml.MappingNode) -> frozenset[str]:
    given, place = body.get("languages"), _child(node, "languages") or node
    if not isinstance(given, list) or not given or not all(isinstance(name, str) for name in given):
        raise _Broken("`languages` is missing or not a list of names", place)
    languages = frozenset(ALIASES.get(name.lower(), name.lower()) for name in given)
    for name in sorted(languages - LANGUAGES.keys()):
        close = difflib.get_close_matches(name, [*LANGUAGES, *ALIASES], n=1)
        advice = f"did you mean {close[0]}?" if close else "`generic` takes any text"
        raise _Broken(f"unknown language {name}; {advice}", place)
    return languages


def _id_of(node: yaml.Node) -> str:
    found = _child(node, "id")
    return str(found.value) if isinstance(found, yaml.ScalarNode) else ""


def _child(node: yaml.Node | None, *path: object) -> yaml.Node | None:
    """Return the deepest node on *path*; None if not even its first step is there."""
    found = None
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            values = [value for key, value in node.value if key.value == str(step)]
            if not values:
                return found
            node = values[-1]
        else:
            return found
        found = node
    return found


def _count(node: yaml.Node, left: int) -> int:
    """Return what is left of *left* after the values in *node*, those behind aliases included."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        left -= 1
        if left < 0:
            raise _Broken("the file holds more values than a rule can need; write fewer aliases", node)
        if isinstance(one, yaml.MappingNode):
            waiting += [part for pair in one.value for part in pair]
        elif isinstance(one, yaml.SequenceNode):
            waiting += one.value
    return left


def _line(node: yaml.Node) -> int:
    mark = node.start_mark
    return mark.line + 1 if mark else 1
