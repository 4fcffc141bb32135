"""What a model is shown besides the change itself: advice of the project, and how the change meets other code.

All of it serves to orient; only lines of the change can be reported.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.outline import Syntax
from bot.domain.policy import Advice


class Relation(enum.StrEnum):
    """How code elsewhere meets the change."""

    called = "called"
    caller = "caller"


@dataclass(frozen=True, slots=True)
class Signature:
    """Hold the head of a definition elsewhere that code of the changed file ``of`` calls, or that calls it."""

    of: str
    relation: Relation
    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """Hold a file of the target branch that tells people how to work on the project."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """Hold what is known besides the change.

    ``syntaxes`` are those of changed files at the head, by path. ``missing`` says what could not be looked up.
    """

    syntaxes: Mapping[str, Syntax] = field(default_factory=dict)
    signatures: tuple[Signature, ...] = ()
    guidelines: tuple[Guideline, ...] = ()
    instructions: tuple[Advice, ...] = ()
    missing: str = ""
