"""Models, and what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.records import ModelCallRecord


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Ask the model once; the answer must match *schema* (JSON Schema)."""

    system: str
    prompt: str
    schema: Mapping[str, Any]
    max_output_tokens: int = 2048
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ModelReply:
    """Hold a whole, finished answer and what it cost.

    ``first_token_s`` is how long the server was silent, which is mostly how long it read. Thoughts are not in the
    text, but took time.
    """

    text: str
    model: str
    digest: str
    prompt_tokens: int
    output_tokens: int
    duration_s: float
    first_token_s: float = 0.0
    thought_chars: int = 0


class Model(Protocol):
    """Answer prompts inside the building."""

    @property
    def name(self) -> str:
        """Return the configured model name."""

    @property
    def window_tokens(self) -> int:
        """Return how many tokens prompt and answer may take together."""

    def estimate_tokens(self, text: str) -> int:
        """Return a cautious (never too small) estimate of the tokens in *text*."""

    async def identity(self) -> str:
        """Return what decides an answer besides the request: the model as it is, its window, its sampling.

        ``window_tokens`` is final once this has returned. An answer may be kept and given again while this stays
        the same, as far as the server tells one model from another.

        Raises:
            Transient: the server is out of reach.
            Permanent: as ``answer``.
        """

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return a complete answer.

        Raises:
            Transient: busy, out of reach, stalled, or the answer broke off; another try may work.
            Permanent: the prompt does not fit, the model is not there, or the server is unsafe to use. The
                message says what to do, e.g. which ``ollama pull`` to run.
        """


class Answers(Protocol):
    """Remember what models answered. Losing an answer costs time only, so no method raises."""

    async def find(self, key: str) -> ModelReply | None:
        """Return the answer that was kept under *key*, None if there is none."""

    async def keep(self, key: str, reply: ModelReply) -> None:
        """Remember *reply* under *key*; the first one that is kept stays."""


class Audit(Protocol):
    """Keep a row for every model call: from before it, so that nothing that ends us leaves a call without one."""

    async def note(self, call: ModelCallRecord) -> None:
        """Store *call*, instead of what was stored of it before.

        Raises:
            Transient: the store is out of reach; then nobody is to be asked.
        """


class Embeddings(Protocol):
    """Turn texts into vectors inside the building, so that texts with a similar meaning are near each other."""

    @property
    def name(self) -> str:
        """Return the configured model name."""

    async def identity(self) -> str:
        """Return what decides a vector besides the text; vectors of different identities cannot be compared.

        Raises:
            Transient: the server is out of reach.
            Permanent: as ``embed``.
        """

    async def dimension(self) -> int:
        """Return how many numbers a vector has; the model is asked once.

        Raises:
            Transient: as ``embed``.
            Permanent: as ``embed``.
        """

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return one vector of length 1 for each of *texts*, in their order; a text is never cut.

        Raises:
            Transient: busy, out of reach or broken; another try may work.
            Permanent: a text is too long, the model is not there, it makes no embeddings, or the server is unsafe.
        """
