"""The rules of the secret scanner, one table per kind of secret in ``rules/secrets/*.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import re2
from pydantic import Field, ValidationError

from bot.domain.errors import Permanent
from bot.domain.findings import Severity
from bot.domain.merge_request import Value


class Settings(Value):
    """Hold one table of a rule file.

    ``pattern`` finds the secret: its first group, or all of it. ``trigger`` is the cheaper expression for
    the first pass where they differ. ``near`` lists words of which one must stand close by.
    ``min_entropy`` is in bits per character, ``revealed`` the number of leading characters that may be
    shown. ``mixed`` demands letters and digits. A ``generic`` rule gives way to the others. ``samples``
    and ``clean`` are templates: ``{[A-Z]:4}`` stands for four random capitals, so that no rule file
    contains anything like a secret.
    """

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str = Field(min_length=1)
    pattern: str = Field(min_length=1)
    samples: tuple[str, ...] = Field(min_length=1, strict=False)
    clean: tuple[str, ...] = Field(min_length=1, strict=False)
    severity: Severity = Field(default=Severity.critical, strict=False)
    trigger: str = ""
    near: tuple[str, ...] = Field(default=(), strict=False)
    min_entropy: float = 0.0
    revealed: int = Field(default=4, ge=0, le=4)
    multiline: bool = False
    mixed: bool = False
    generic: bool = False


@dataclass(frozen=True)
class SecretRule:
    """Hold one rule; expressions work on bytes."""

    settings: Settings

    @property
    def trigger(self) -> bytes:
        """Return the expression of the first pass."""
        return (self.settings.trigger or self.settings.pattern).encode()

    @cached_property
    def pattern(self) -> Any:
        """Return the compiled expression that finds the secret itself, in linear time."""
        return re2.compile(self.settings.pattern.encode())  # type: ignore[no-untyped-call]


def load_rules(directory: Path) -> tuple[SecretRule, ...]:
    """Return the rules of all files in *directory*, generic ones last.

    Raises:
        Permanent: a rule is broken; the message names its file.
    """
    rules: dict[str, SecretRule] = {}
    for file in sorted(directory.glob("*.toml")):
        for rule in _load(file):
            if rules.setdefault(rule.settings.id, rule) is not rule:
                raise Permanent(f"{file}: there is already a secret rule {rule.settings.id}")
    if not rules:
        raise Permanent(f"no secret rules in {directory}; reinstall Cloister or correct its rules path")
    return tuple(sorted(rules.values(), key=lambda rule: rule.settings.generic))


def _load(file: Path) -> list[SecretRule]:
    try:
        tables = tomllib.loads(file.read_text())["rule"]
        return [SecretRule(Settings.model_validate(table)) for table in tables]
    except (tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise Permanent(f"{file} does not hold complete secret rules: {error}") from error
