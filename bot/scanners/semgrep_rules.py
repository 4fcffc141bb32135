"""The rule pack of the Semgrep scanner: one YAML file per rule, loaded and checked once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from pydantic import Field, ValidationError

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Severity
from bot.domain.merge_request import Value

# Semgrep's name of a language -> names of the files that are parsed as that language.
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "bash": ("*.sh", "*.bash"),
    "c": ("*.c", "*.h"),
    "cpp": ("*.cc", "*.cpp", "*.cxx", "*.hh", "*.hpp", "*.hxx"),
    "csharp": ("*.cs",),
    "dockerfile": ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile"),
    "generic": ("*",),
    "go": ("*.go",),
    "html": ("*.html", "*.htm"),
    "java": ("*.java",),
    "javascript": ("*.js", "*.jsx", "*.mjs", "*.cjs"),
    "json": ("*.json",),
    "kotlin": ("*.kt", "*.kts"),
    "php": ("*.php",),
    "python": ("*.py", "*.pyi"),
    "regex": ("*",),
    "ruby": ("*.rb",),
    "rust": ("*.rs",),
    "scala": ("*.scala",),
    "swift": ("*.swift",),
    "terraform": ("*.tf",),
    "typescript": ("*.ts", "*.tsx", "*.mts", "*.cts"),
    "xml": ("*.xml",),
    "yaml": ("*.yaml", "*.yml"),
}


class Metadata(Value):
    """Hold what a rule says about its findings; it stands under ``metadata`` in the rule's file."""

    title: str = Field(min_length=1, max_length=100)
    severity: Severity = Field(strict=False)
    confidence: Confidence = Field(strict=False)
    category: str = Field(min_length=1)
    cwe: tuple[str, ...] = Field(default=(), strict=False)
    references: tuple[str, ...] = Field(default=(), strict=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one rule as Semgrep wants it (``body``) and what Cloister needs to know about it."""

    id: str
    file: Path
    languages: frozenset[str]
    metadata: Metadata
    body: Mapping[str, Any]


class Pack:
    """Hold the rules of a directory and answer which of them concern which files.

    Raises:
        Permanent: a rule is broken; the message names its file and the problem.
    """

    def __init__(self, directory: Path) -> None:
        self._rules = [_load(file) for file in sorted(directory.glob("*/*.yaml"))]
        if not self._rules:
            raise Permanent(f"no Semgrep rules in {directory}; reinstall Cloister or correct its rules path")
        self.by_id = {rule.id: rule for rule in self._rules}
        if len(self.by_id) < len(self._rules):
            raise Permanent(f"two Semgrep rules in {directory} have the same id")
        self._as_json: dict[frozenset[str], bytes] = {}

    @cached_property
    def languages(self) -> frozenset[str]:
        """Return the languages that any rule looks at."""
        return frozenset().union(*(rule.languages for rule in self._rules))

    def languages_of(self, path: str) -> tuple[str, ...]:
        """Return the languages as which the file of that name must be analysed, in a fixed order."""
        name = PurePosixPath(path).name
        return tuple(
            language
            for language in sorted(self.languages)
            if any(fnmatchcase(name, pattern) for pattern in LANGUAGES[language])
        )

    def as_json(self, languages: Iterable[str]) -> bytes:
        """Return a rule file for Semgrep with the rules that concern *languages*."""
        key = frozenset(languages)
        if key not in self._as_json:
            bodies = [rule.body for rule in self._rules if rule.languages & key]
            self._as_json[key] = json.dumps({"rules": bodies}).encode()
        return self._as_json[key]


def _load(file: Path) -> Rule:
    try:
        document = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        (body,) = document["rules"]
        metadata = Metadata.model_validate(body["metadata"])
        rule = Rule(body["id"], file, frozenset(body["languages"]), metadata, body)
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise Permanent(f"{file} does not hold one complete Semgrep rule: {problem!s}") from error
    if unknown := rule.languages - LANGUAGES.keys():
        raise Permanent(f"{file}: Cloister has no file names for {', '.join(sorted(unknown))}")
    return rule
