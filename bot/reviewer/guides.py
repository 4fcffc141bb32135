"""What models are told in each pass, from the prompt files that ship with the code."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bot.domain.answer import SCHEMA
from bot.domain.prompt import Instructions, instructions
from bot.resources import resource


@dataclass(frozen=True, slots=True)
class Guides:
    """Hold the instructions of each pass."""

    find: Instructions

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the versions of all instructions."""
        return tuple(getattr(self, one.name).version for one in fields(self))


def guides() -> Guides:
    """Return the instructions as this release has them."""
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in (resource("rules") / "review").glob("*.md")
    }
    return Guides(find=instructions(texts, SCHEMA))
