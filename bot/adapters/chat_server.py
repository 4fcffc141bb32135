"""How a model server is spoken to, whatever its protocol: what `bot.adapters.model_chat` needs of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from bot.ports import ModelRequest


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Hold what a server says about itself and the model.

    ``digest`` changes whenever the model does, as far as the server tells. ``loaded_tokens`` is the context that
    the model is loaded with right now, ``gpu_share`` how much of it is on graphics cards, each None if it is not
    loaded or the server does not say.
    """

    version: str
    digest: str
    context_tokens: int | None
    capabilities: frozenset[str] = frozenset()
    loaded_tokens: int | None = None
    gpu_share: float | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Hold how the model is loaded right now; None is what the server does not say."""

    context_tokens: int | None = None
    gpu_share: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Hold a piece of an answer; the last one has a reason and, where the server tells, counts."""

    text: str = ""
    thought_chars: int = 0
    reason: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None


class ChatServer(Protocol):
    """Speak one server's protocol, about one model.

    Every method raises ``Transient`` when the server is out of reach or broken, ``Unfit`` when it cannot be used
    for the model, and ``Permanent`` when the request is at fault.
    """

    @property
    def label(self) -> str:
        """Return what the operator knows the server as, e.g. ``Ollama at http://127.0.0.1:11434``."""

    @property
    def thought_tokens(self) -> int:
        """Return how many tokens the model may think before it answers; they come on top of the answer's."""

    async def facts(self) -> ModelFacts:
        """Ask what the server is and has."""

    async def loaded(self) -> Loaded:
        """Ask how the model is loaded."""

    def parts(
        self, request: ModelRequest, facts: ModelFacts, window_tokens: int
    ) -> AsyncGenerator[Part, None]:
        """Yield an answer as it comes, nothing before there is something; closing ends the generation."""

    async def unload(self) -> bool:
        """Let the server forget the model's state, and say whether it could."""

    async def close(self) -> None:
        """Close the connections."""
