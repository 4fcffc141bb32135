"""The rules of the secret scanner, one table per kind of secret in ``rules/secrets/*.toml``."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import re2
from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Severity
from bot.domain.merge_request import Value
from bot.scanners.secret_checks import CHECKS

RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
Words = tuple[Annotated[str, StringConstraints(min_length=2)], ...]

#: How a value is assigned to a name in code, JSON, YAML, TOML, properties, XML, headers and shells. The secret is
#: the only group. A space in a name stands for any separator or none.
_ASSIGNED = (
    r"(?i:(?:{names}))[\w.-]{{0,40}}[\"'\])]{{0,3}}[ \t]{{0,8}}"
    r"(?:=>|->|:=|={{1,3}}|[:,(>])[ \t]{{0,8}}(?:[(\[{{]|[rbfuRBFU])?[\"'`]?({value})(?:\W|$)"
)


def _compiled(expression: str) -> Any:
    return re2.compile(expression.encode())  # type: ignore[no-untyped-call]


def _known_check(name: str) -> str:
    if name and name not in CHECKS:
        raise ValueError(f"there is no check {name}; there are {', '.join(sorted(CHECKS))}")
    return name


class Pair(Value):
    """Tie a secret to another one, such as a key id to its key.

    Within ``lines`` of a hit of the rule ``rule`` both count in full. Alone this one is only as severe as ``alone``,
    with medium confidence at most; with ``needed`` it does not count alone.
    """

    rule: RuleId
    lines: int = Field(default=5, ge=0, le=50)
    alone: Severity = Field(default=Severity.medium, strict=False)
    needed: bool = False


class Settings(Value):
    r"""Hold one table of a rule file.

    What is looked for:

    - ``pattern`` finds the secret: its first group, or all of it. Both Hyperscan and RE2 must know the expression
      (no look-around, no back references). Without ``multiline`` it sees one line.
    - ``names``, for secrets without a shape of their own: words of which one is in the name that the secret is
      assigned to. ``pattern`` is then the value alone, without groups: ``names = ["datadog"]`` with
      ``pattern = '[0-9a-f]{32}'`` finds ``DATADOG_API_KEY: "..."`` in any language. A space in a name stands for
      any separator or none.
    - ``trigger`` is a cheaper expression for the first pass where it differs from the pattern. It must match
      wherever the pattern does, on the same line or, with ``multiline``, within ``reach`` bytes.

    What must hold for a match to count:

    - ``near``: one of these words stands within 300 bytes, in upper or lower case.
    - ``min_entropy`` in bits per character; ``mixed``: letters and digits.
    - ``looks``: ``random``, as a machine makes it; ``password``, also as people make it up; ``any``, whatever is no
      reference, no word about secrets and no sequence. For values without a shape of their own.
    - ``check`` names a function of ``bot.scanners.secret_checks``. A secret that fails it is reported with medium
      confidence and at most high severity, since it may be made up or mistyped; with ``check_required`` it does not
      count at all.
    - ``stop``: the secret contains none of these words, in upper or lower case. ``allow``: none of these expressions
      matches within the secret. Both come on top of the placeholders that hold for all rules.
    - ``unless``: none of these expressions matches the line before the secret, its last 200 bytes.
    - ``paths``: globs for the path or the name of the file, in upper or lower case; ``except_paths`` are those that
      it does not hold for. Where the path is not known, as in a prompt, the rule holds.
    - ``pair``: see ``Pair``.

    What is said:

    - ``title``, ``severity`` and ``confidence``; ``revoke`` is the https address where the provider explains how to
      revoke such a secret.
    - ``revealed`` is the number of leading characters that may be shown: only as many as belong to a fixed prefix.

    A ``generic`` rule gives way to the others and has medium confidence by default.

    ``samples`` and ``clean`` are templates (see ``bot.scanners.secret_samples``), so that no rule file contains
    anything like a secret. Each of the ``samples`` must be found, on a line among others; nothing may be found in
    any of ``clean``. A clean sample says which look-alike the rule is not to be taken in by.
    """

    id: RuleId
    title: str = Field(min_length=1)
    pattern: str = Field(min_length=1, max_length=2_000)
    samples: tuple[str, ...] = Field(min_length=1, strict=False)
    clean: tuple[str, ...] = Field(min_length=1, strict=False)
    names: Words = Field(default=(), strict=False)
    trigger: str = Field(default="", max_length=2_000)
    multiline: bool = False
    reach: int = Field(default=16_000, ge=100, le=16_000)
    near: Words = Field(default=(), strict=False)
    min_entropy: float = Field(default=0.0, ge=0, le=8)
    mixed: bool = False
    check: Annotated[str, AfterValidator(_known_check)] = ""
    check_required: bool = False
    stop: Words = Field(default=(), strict=False)
    allow: tuple[str, ...] = Field(default=(), strict=False)
    unless: tuple[str, ...] = Field(default=(), strict=False)
    paths: tuple[str, ...] = Field(default=(), strict=False)
    except_paths: tuple[str, ...] = Field(default=(), strict=False)
    pair: Pair | None = None
    severity: Severity = Field(default=Severity.critical, strict=False)
    confidence: Confidence | None = Field(default=None, strict=False)
    revoke: str = Field(default="", pattern=r"^(https://\S+)?$")
    revealed: int = Field(default=4, ge=0, le=4)
    generic: bool = False
    looks: Literal["", "random", "password", "any"] = ""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.check_required and not self.check:
            raise ValueError("check_required needs a check")
        for text in (self.expression, self.trigger, *self.allow, *self.unless):
            try:
                groups = _compiled(text).groups
            except re2.error as error:
                raise ValueError(f"RE2 does not understand {text!r}: {error}") from error
            if text == self.expression and groups > 1:
                raise ValueError("only one group can be the secret; write the others as (?:...)")
        return self

    @property
    def expression(self) -> str:
        """Return the whole expression that finds the secret."""
        if not self.names:
            return self.pattern
        names = "|".join(re.escape(name).replace(r"\ ", "[ _.-]?") for name in self.names)
        return _ASSIGNED.format(names=names, value=self.pattern)


@dataclass(frozen=True)
class SecretRule:
    """Hold one rule; expressions work on bytes."""

    settings: Settings

    @property
    def trigger(self) -> bytes:
        """Return the expression of the first pass."""
        return (self.settings.trigger or self.settings.expression).encode()

    @cached_property
    def pattern(self) -> Any:
        """Return the compiled expression that finds the secret itself, in linear time."""
        return _compiled(self.settings.expression)

    @cached_property
    def allow(self) -> Any | None:
        """Return the compiled expression of what is no secret after all, if there is one."""
        words = [f"(?i:{re.escape(word)})" for word in self.settings.stop]
        expressions = "|".join([*words, *self.settings.allow])
        return _compiled(expressions) if expressions else None

    @cached_property
    def unless(self) -> Any | None:
        """Return the compiled expression of what must not stand before the secret, if there is one."""
        return (
            _compiled("|".join(f"(?:{one})" for one in self.settings.unless))
            if self.settings.unless
            else None
        )

    @cached_property
    def near(self) -> tuple[bytes, ...]:
        """Return the words of which one must stand close by, in lower case."""
        return tuple(word.lower().encode() for word in self.settings.near)

    @property
    def confidence(self) -> Confidence:
        """Return how sure a hit is."""
        return self.settings.confidence or (Confidence.medium if self.settings.generic else Confidence.high)

    @property
    def restricted(self) -> bool:
        """Say whether the rule does not hold for every file."""
        return bool(self.settings.paths or self.settings.except_paths)

    def holds_for(self, path: str) -> bool:
        """Say whether the rule holds in a file of that name; an empty one is not known."""
        if not path or not self.restricted:
            return True
        lower = path.lower()
        names = (lower, lower.rpartition("/")[2])
        if self.settings.paths and not _matches(names, self.settings.paths):
            return False
        return not _matches(names, self.settings.except_paths)


def _matches(names: Iterable[str], globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob.lower()) for glob in globs for name in names)


def load_rules(*directories: Path) -> tuple[SecretRule, ...]:
    """Return the rules of all files in *directories*, generic ones last.

    Raises:
        Permanent: a rule is broken; the message names its file and line.
    """
    rules: dict[str, SecretRule] = {}
    for file in (file for directory in directories for file in sorted(directory.glob("*.toml"))):
        for rule in _load(file):
            if rules.setdefault(rule.settings.id, rule) is not rule:
                raise Permanent(f"{file}: there is already a secret rule {rule.settings.id}")
    if not rules:
        places = ", ".join(map(str, directories))
        raise Permanent(f"no secret rules in {places}; reinstall Cloister or correct its rules path")
    for rule in rules.values():
        if rule.settings.pair and rule.settings.pair.rule not in rules:
            raise Permanent(
                f"secret rule {rule.settings.id}: there is no rule {rule.settings.pair.rule} to pair with"
            )
    return tuple(sorted(rules.values(), key=lambda rule: rule.settings.generic))


def add_packs(
    shipped: Iterable[SecretRule], packs: Iterable[Path]
) -> tuple[tuple[SecretRule, ...], list[str]]:
    """Return the *shipped* rules with those of *packs* that can be used, and what is wrong with the others."""
    rules = {rule.settings.id: rule for rule in shipped}
    problems: list[str] = []
    for file in (file for pack in packs for file in sorted(pack.glob("*.toml"))):
        for found in _found(file):
            if isinstance(found, Permanent):
                problems.append(str(found))
            elif rules.setdefault(found.settings.id, found) is not found:
                problems.append(
                    f"{file}: there is already a secret rule {found.settings.id}; give it another id"
                )
    lonely = [rule for rule in rules.values() if (pair := rule.settings.pair) and pair.rule not in rules]
    for rule in lonely:
        del rules[rule.settings.id]
        problems.append(f"secret rule {rule.settings.id}: there is no such rule to pair with")
    return tuple(sorted(rules.values(), key=lambda rule: rule.settings.generic)), problems


def _load(file: Path) -> Iterable[SecretRule]:
    for found in _found(file):
        if isinstance(found, Permanent):
            raise found
        yield found


def _found(file: Path) -> Iterable[SecretRule | Permanent]:
    """Yield the rules of *file*, and an error with its place for each that is broken."""
    try:
        text = file.read_text()
        tables = tomllib.loads(text)["rule"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        yield Permanent(f"{file} does not hold secret rules: {error}")
        return
    if isinstance(tables, list):
        yield from _checked(file, text, tables)
    else:
        yield Permanent(f"{file}: every rule begins with [[rule]]")


def _checked(file: Path, text: str, tables: list[Any]) -> Iterable[SecretRule | Permanent]:
    starts = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() == "[[rule]]"]
    for number, table in enumerate(tables):
        line = starts[number] if number < len(starts) else 1
        try:
            if unknown := set(table) - set(Settings.model_fields):
                yield Permanent(f"{file}:{line}: a secret rule has no {', '.join(sorted(unknown))}")
            else:
                yield SecretRule(Settings.model_validate(table))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'rule'}: {e['msg']}" for e in error.errors()
            )
            yield Permanent(f"{file}:{line}: {problems}")
