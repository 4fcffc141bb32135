"""What models are told in each pass, from the prompt files that ship with the code."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bot.domain import answer, claims, explanations, verdicts
from bot.domain.prompt import Instructions, instructions
from bot.resources import resource


@dataclass(frozen=True, slots=True)
class Guides:
    """Hold the instructions of each pass: to find, to judge what was found, to explain what scanners found."""

    find: Instructions
    judge: Instructions
    explain: Instructions

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the versions of all instructions."""
        return tuple(getattr(self, one.name).version for one in fields(self))


def guides() -> Guides:
    """Return the instructions as this release has them."""
    return Guides(
        find=instructions(_texts("review"), answer.SCHEMA),
        judge=instructions(_texts("judge"), verdicts.SCHEMA, claims.FRAME),
        explain=instructions(_texts("explain"), explanations.SCHEMA, explanations.FRAME),
    )


def _texts(name: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (resource("rules") / name).glob("*.md")}
