"""What vectors are held to, whatever server makes them; and the two kinds of server that do."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from ssl import SSLContext
from typing import Final

from bot.adapters import ollama_client, openai_client
from bot.adapters.model_errors import Unfit
from bot.adapters.model_ollama import ollama_client as client_of
from bot.adapters.openai_client import OpenAIClient
from bot.domain.errors import Transient

_LIMIT_S: Final = 60.0
#: Texts in one request: enough to keep a server busy, few enough to end in time on a CPU.
_BATCH: Final = 16


class _Embeddings:
    """Make vectors batch by batch, and check them; a subclass asks its server."""

    def __init__(self, model: str, parallel: int) -> None:
        self._model = model
        self._slots = asyncio.Semaphore(parallel)
        self._dimension = 0

    @property
    def name(self) -> str:
        """Return the configured model name."""
        return self._model

    async def dimension(self) -> int:
        """Return the length of a vector."""
        if not self._dimension:
            await self.embed(["dimension"])
        return self._dimension

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return a vector for each of *texts*."""
        vectors: list[tuple[float, ...]] = []
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            async with self._slots:
                answered = await self._ask(batch)
            vectors += self._checked(answered, len(batch))
        return vectors

    async def _ask(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        raise NotImplementedError

    def _checked(self, vectors: Sequence[Sequence[float]], wanted: int) -> list[tuple[float, ...]]:
        """Return *vectors* with length 1.

        Raises:
            Transient: they are too few, of several sizes, or no directions.
        """
        sizes = {len(vector) for vector in vectors} | ({self._dimension} if self._dimension else set())
        lengths = [math.hypot(*vector) for vector in vectors]
        if len(vectors) != wanted or len(sizes) != 1 or not all(0 < length < math.inf for length in lengths):
            msg = f"{self._model} made {len(vectors)} vectors for {wanted} texts, or some that are none"
            raise Transient(msg)
        self._dimension = sizes.pop()
        return [
            tuple(number / length for number in vector)
            for vector, length in zip(vectors, lengths, strict=True)
        ]


class OllamaEmbeddings(_Embeddings):
    """Make vectors with Ollama, which would cut texts that are too long if it were not told.

    Args:
        url: of the server; nothing else is ever contacted.
        model: name as in ``ollama list``.
        parallel: requests at a time.
        verify: how to check the server's certificate.

    Raises:
        Permanent: the model runs in a cloud.
    """

    def __init__(self, url: str, model: str, *, parallel: int = 1, verify: SSLContext | bool = True) -> None:
        super().__init__(model, parallel)
        self._url = url
        self._client = client_of(url, model, _LIMIT_S, verify=verify)

    async def identity(self) -> str:
        """Return the digest of the model."""
        with ollama_client.translated(self._url, self._model):
            facts = await self._client.facts(self._model)
        if facts.capabilities and "embedding" not in facts.capabilities:
            msg = f"{self._model} makes no embeddings: set CLOISTER_MODEL_EMBEDDINGS to a model that does"
            raise Unfit(msg)
        return facts.digest

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        await self.identity()  # refuses servers that are unsafe and models that run elsewhere
        with ollama_client.translated(self._url, self._model):
            return (await self._client.embed_whole(self._model, texts)).embeddings


class OpenAIEmbeddings(_Embeddings):
    """Make vectors with an OpenAI-compatible server; such servers refuse texts that are too long.

    Args:
        url: of the server; nothing else is ever contacted.
        model: name as in ``/v1/models``.
        key: bearer token, empty for none.
        parallel: requests at a time.
        verify: how to check the server's certificate.

    Raises:
        Permanent: the server is a vendor's.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str = "",
        parallel: int = 1,
        verify: SSLContext | bool = True,
    ) -> None:
        super().__init__(model, parallel)
        self._client = OpenAIClient(url, _LIMIT_S, key=key, verify=verify)

    async def identity(self) -> str:
        """Return what tells the model from others, as far as the server lets us know."""
        with openai_client.translated(self._client.url):
            served = await self._client.models()
            return openai_client.digest_of(openai_client.served_as(self._client.url, self._model, served))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        with openai_client.translated(self._client.url):
            vectors = await self._client.vectors(self._model, texts)
        if sorted(vector.index for vector in vectors) != list(range(len(texts))):
            msg = f"{self._model} did not answer each text once"
            raise Transient(msg)
        return [vector.embedding for vector in sorted(vectors, key=lambda one: one.index)]
