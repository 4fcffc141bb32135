"""The rules of the Semgrep scanner: what each says about itself, and which of them concern a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from bot.domain.errors import Permanent
from bot.scanners.languages import LANGUAGES, languages_of
from bot.scanners.semgrep_files import Problem, Rule, read_pack
from bot.scanners.semgrep_metadata import Metadata

__all__ = ["Metadata", "Pack", "Problem", "Rule"]

_ANY_FILE = frozenset(language for language, names in LANGUAGES.items() if names == ("*",))


class Pack:
    """Hold the rules of some directories and answer which of them concern which files.

    A directory has rules in any YAML file below it, or below its ``semgrep`` if there is one. What is broken
    is in ``problems`` and does not keep the others from working. A rule whose id is taken is
    a problem: an earlier directory wins.

    Raises:
        Permanent: there is no rule at all.
    """

    def __init__(self, *directories: Path) -> None:
        self.by_id: dict[str, Rule] = {}
        self.problems: list[Problem] = []
        for directory in directories:
            rules, problems = read_pack(directory)
            self.problems += problems
            for rule in rules:
                self._add(rule)
        if not self.by_id:
            first = f": {self.problems[0]}" if self.problems else "; reinstall Cloister or correct the path"
            raise Permanent(f"no Semgrep rules in {', '.join(map(str, directories))}{first}")
        self._as_json: dict[frozenset[str], bytes] = {}

    def _add(self, rule: Rule) -> None:
        known = self.by_id.setdefault(rule.id, rule)
        if known is not rule:
            message = f"the id {rule.id} is taken by {known.file}:{known.line}; give this rule another one"
            self.problems.append(Problem(rule.file, rule.line, message, rule.id))

    @cached_property
    def languages(self) -> frozenset[str]:
        """Return the languages that any rule looks at."""
        return frozenset().union(*(rule.languages for rule in self.by_id.values()))

    def languages_of(self, path: str, content: bytes | None = None) -> tuple[str, ...]:
        """Return the languages as which the file must be analysed, in a fixed order.

        Without its *content* that is every language that the file may turn out to be written in.
        """
        return tuple(
            language
            for language in languages_of(path, content)
            if language in self.languages and (language not in _ANY_FILE or self._looks_at(language, path))
        )

    def _looks_at(self, language: str, path: str) -> bool:
        """Say whether a rule of a language without file names of its own may look at *path*."""
        parts = path.split("/")
        return any(any(fnmatchcase(part, last) for part in parts) for last in self._last_parts[language])

    @cached_property
    def _last_parts(self) -> dict[str, frozenset[str]]:
        """Return for languages without file names the ends of the paths to which their rules are limited."""
        found: dict[str, set[str]] = {language: set() for language in _ANY_FILE}
        for rule in self.by_id.values():
            included = (rule.body.get("paths") or {}).get("include") or ("*",)
            for language in rule.languages & found.keys():
                found[language].update(pattern.rstrip("/").rpartition("/")[2] for pattern in included)
        return {language: frozenset(ends) for language, ends in found.items()}

    def as_json(self, languages: Iterable[str]) -> bytes:
        """Return a rule file for Semgrep with the rules that concern *languages*."""
        key = frozenset(languages)
        if key not in self._as_json:
            bodies = [rule.body for rule in self.by_id.values() if rule.languages & key]
            self._as_json[key] = json.dumps({"rules": bodies}, default=str).encode()
        return self._as_json[key]

    def without(self, problems: Sequence[Problem]) -> Pack:
        """Return a pack without the rules that *problems* speak of, and with these among its own; it may be empty."""
        ids = {problem.rule for problem in problems}
        rest = object.__new__(Pack)
        rest.by_id = {rule.id: rule for rule in self.by_id.values() if rule.id not in ids}
        rest.problems = [*self.problems, *problems]
        rest._as_json = {}
        return rest
