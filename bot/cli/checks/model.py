"""Can the model part of a review work."""

from __future__ import annotations

from typing import Protocol

from bot.cli.checks import Check, ok, warn


class Facts(Protocol):
    """What a model server says about itself and the model; see ``bot.adapters.model_ollama.ModelFacts``."""

    @property
    def version(self) -> str:
        """Return the server's version."""

    @property
    def context_tokens(self) -> int | None:
        """Return the context that the model was made for, None when it does not say."""


class Server(Protocol):
    """Ask the model server; what a review could not work with is raised, with the remedy."""

    async def check(self) -> Facts:
        """Return the facts."""


async def model(server: Server, name: str, context_tokens: int) -> list[Check]:
    """Judge server and model *name*, and whether *context_tokens* fit what it was made for."""
    facts = await server.check()
    checks = [ok("model", f"{name} on Ollama {facts.version}")]
    if facts.context_tokens is None:
        return checks
    if context_tokens > facts.context_tokens:
        return [
            *checks,
            warn(
                "model context",
                f"{context_tokens} tokens wanted, {name} was made for {facts.context_tokens}",
                f"set CLOISTER_MODEL_CONTEXT_TOKENS={facts.context_tokens} or less",
            ),
        ]
    return [*checks, ok("model context", f"{context_tokens} of {facts.context_tokens} tokens")]
