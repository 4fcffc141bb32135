"""The whole policy: what a file may hold, and what holds for a project."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.domain.policy_gate import Gate
from bot.domain.policy_noise import Noise
from bot.domain.policy_sections import (
    Comments,
    Conversation,
    Learning,
    Paths,
    Reports,
    Review,
    Rules,
    Section,
)
from bot.domain.policy_waivers import Waivers


class Sections(Section):
    """Hold all sections; the default is what a project without any file gets."""

    gate: Gate = Gate()
    comments: Comments = Comments()
    paths: Paths = Paths()
    review: Review = Review()
    rules: Rules = Rules()
    reports: Reports = Reports()
    conversation: Conversation = Conversation()
    waivers: Waivers = Waivers()
    noise: Noise = Noise()
    learning: Learning = Learning()


#: The section that is enforced as a whole: its keys mean something only together.
GATE = "gate"


def keys() -> list[str]:
    """Return all keys, as in comments.max_inline, in the order of their declaration."""
    return [
        f"{name}.{key}"
        for name in Sections.model_fields
        for key in type(getattr(Sections(), name)).model_fields
    ]


def enforceable() -> list[str]:
    """Return what a level may enforce: sections, and keys outside of the gate."""
    return [*Sections.model_fields, *(key for key in keys() if not key.startswith(f"{GATE}."))]


def _known(name: str) -> str:
    if name.startswith(f"{GATE}."):
        msg = f"the gate is enforced as a whole; write {GATE} instead of {name}"
        raise ValueError(msg)
    if name not in enforceable():
        msg = f"{name!r} is no section and no key; write it like {GATE} or review.model"
        raise ValueError(msg)
    return name


class SharedFile(Sections):
    """Hold what a file for many projects says: that of the instance, or of a group."""

    enforced: Annotated[
        tuple[Annotated[str, AfterValidator(_known)], ...], Field(strict=False, max_length=50)
    ] = Field(
        default=(),
        description="sections and keys that lower levels cannot change, and of `gate` only tighten",
    )


class Policy(Sections):
    """Hold what holds for a project.

    ``floors`` are the policies of higher levels that enforce their gate: the strictest of all decides. ``levels`` names
    them in the same order, ``origins`` the level that sets a key of the gate, where it is no default.
    """

    floors: tuple[Sections, ...] = Field(default=(), strict=False)
    levels: tuple[str, ...] = Field(default=(), strict=False)
    origins: dict[str, str] = Field(default={})

    @property
    def approves(self) -> bool:
        """Say whether we approve what passes: everybody who enforces a gate must want it."""
        return all(one.gate.approve for one in (self, *self.floors))

    @property
    def status_checks(self) -> tuple[str, ...]:
        """Return the external status checks to answer: where a gate is enforced, those of its level alone."""
        names = (one.gate.status_check for one in (self.floors or (self,)))
        return tuple(dict.fromkeys(name for name in names if name))
