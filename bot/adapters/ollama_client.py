"""Ollama's own client, kept from talking to anybody but the configured server."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any, Final

import httpx
import ollama
from pydantic import Field

from bot.adapters.chat_server import ModelFacts
from bot.adapters.model_errors import Unfit, overlong, reached, reason_in, refuse_cloud
from bot.adapters.model_wire import Told, lines
from bot.domain.errors import Permanent, Transient

#: Older servers hand their memory to anybody who uploads a crafted model (CVE-2026-7482).
_OLDEST_SAFE: Final = (0, 17, 1)

#: What decides how much memory a model takes besides its weights.
_CONTEXT: Final = "CLOISTER_MODEL_CONTEXT_TOKENS"


class Version(Told):
    """What ``/api/version`` says."""

    version: str


class Listed(Told):
    """One model of ``/api/tags``."""

    name: str
    digest: str
    size: int = 0


class Tags(Told):
    """What ``/api/tags`` says."""

    models: list[Listed]


class Running(Told):
    """One model of ``/api/ps``; what the server does not tell is 0."""

    name: str
    context_length: int = 0
    size: int = 0
    size_vram: int = 0


class Processes(Told):
    """What ``/api/ps`` says."""

    models: list[Running]


class Embedded(Told):
    """What ``/api/embed`` says."""

    embeddings: list[list[float]]


class Shown(Told):
    """What ``/api/show`` says; ``remote_*`` are set for models that run in somebody's cloud."""

    capabilities: list[str] = Field(default_factory=list)
    model_info: dict[str, Any] = Field(default_factory=dict)
    remote_host: str = ""
    remote_model: str = ""

    @property
    def context_tokens(self) -> int | None:
        """Return the context that the model was made for."""
        value = self.model_info.get(f"{self.model_info.get('general.architecture')}.context_length")
        return value if isinstance(value, int) and value > 0 else None


class OllamaClient(ollama.AsyncClient):
    """Speak to one server and no other.

    The vendor's defaults follow redirects, take a proxy and an API key from the environment, and never time
    out. Its ``chat`` cannot send ``truncate`` and ``shift``, and cuts answers at characters that end lines in
    Unicode, so requests are made one level below.
    """

    def __init__(self, url: str, timeout: httpx.Timeout, *, verify: SSLContext | bool = True) -> None:
        if not url:
            msg = "no URL of an Ollama server is configured"
            raise Permanent(msg)
        super().__init__(host=url, timeout=timeout, follow_redirects=False, trust_env=False, verify=verify)
        self._client.headers.pop("authorization", None)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def facts(self, model: str) -> ModelFacts:
        """Return what the server says about itself and *model*.

        Raises:
            Permanent: the server is too old to be safe, or the model runs in a cloud.
        """
        version = await self.version()
        shown = await self._request(Shown, "POST", "/api/show", json={"model": model})
        if shown.remote_host or shown.remote_model:
            refuse_cloud(model)
        digest = next((each.digest for each in await self.listed() if same_model(each.name, model)), "")
        return ModelFacts(version, digest, shown.context_tokens, frozenset(shown.capabilities))

    async def version(self) -> str:
        """Return the server's version.

        Raises:
            Permanent: it is too old to be safe.
        """
        version = (await self._request(Version, "GET", "/api/version")).version
        _refuse_unsafe(version)
        return version

    async def listed(self) -> list[Listed]:
        """Return the models that are there."""
        return (await self._request(Tags, "GET", "/api/tags")).models

    async def embed_whole(self, model: str, texts: Sequence[str]) -> Embedded:
        """Return a vector for each of *texts*; one that is too long is an error rather than cut."""
        body = {"model": model, "input": list(texts), "truncate": False}
        return await self._request(Embedded, "POST", "/api/embed", json=body)

    async def running(self) -> list[Running]:
        """Return the models that are loaded."""
        return (await self._request(Processes, "GET", "/api/ps")).models

    async def stream_chat(self, body: Mapping[str, Any]) -> AsyncGenerator[ollama.ChatResponse, None]:
        """Return the parts of an answer; closing the generator closes the connection, which ends generation."""
        async with self._client.stream("POST", "/api/chat", json=dict(body)) as response:
            if response.status_code != 200:
                raise ollama.ResponseError(
                    (await response.aread()).decode(errors="replace"), response.status_code
                )
            async for line in lines(response):
                part = json.loads(line)
                if error := part.get("error"):
                    raise ollama.ResponseError(error)
                yield ollama.ChatResponse(**part)


def same_model(one: str, other: str) -> bool:
    """Say whether two names mean the same model; without a tag ``latest`` is meant."""
    return one.removesuffix(":latest") == other.removesuffix(":latest")


def _refuse_unsafe(version: str) -> None:
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)(-)?", version)
    if numbers is None:
        msg = f"Ollama calls its version {version[:40]!r}, so nobody can tell if it is safe: install 0.17.1 or newer"
        raise Unfit(msg)
    found = tuple(map(int, numbers.groups()[:3]))
    if found < _OLDEST_SAFE or (found == _OLDEST_SAFE and numbers[4]):
        msg = f"Ollama {version[:40]} is unsafe (CVE-2026-7482): install 0.17.1 or newer"
        raise Unfit(msg)


@contextmanager
def translated(url: str, model: str) -> Iterator[None]:
    """Turn whatever a call to Ollama can raise into what the caller can do about it.

    The vendor's client lets JSON and type errors of a broken answer through as they come.
    """
    odd = f"{url} does not answer as Ollama does: is it an Ollama server?"
    with reached(f"Ollama at {url}", odd=odd):
        try:
            yield
        except ollama.ResponseError as error:
            raise _from_status(error, url, model) from error


def _from_status(error: ollama.ResponseError, url: str, model: str) -> Transient | Permanent:
    reason, status = reason_in(error.error), error.status_code
    if status == 404 and "model" not in reason:
        return Unfit(
            f"{url} is no Ollama server: correct CLOISTER_MODEL_URL; vLLM, SGLang and llama.cpp's server are named"
            f" openai+{url}"
        )
    if status == 404:
        return Unfit(f"Ollama does not have {model}: run `ollama pull {model}` on its machine")
    if status in {401, 403, 407}:
        return Unfit(
            f"{url} refuses us ({status}). Ollama has no login, so what stands before it wants one: let Cloister's"
            " machine through, or name the address behind it"
        )
    if status in {502, 504}:
        return Transient(f"what stands before Ollama at {url} does not reach it ({status}): is it running?")
    if status == 503:
        return Transient(f"Ollama is busy: {reason}")
    if 300 <= status < 400:
        return Unfit("Ollama's URL redirects, which is not followed: configure the address that it leads to")
    if overlong(reason) and status not in {408, 429}:
        return Permanent(f"the prompt does not fit into the model's context: {reason}")
    if 400 <= status < 500 and status not in {408, 429}:
        return Permanent(f"Ollama refused the request ({status}): {reason}")
    if "memory" in reason:
        return Transient(f"Ollama failed: {reason}; free some, choose a smaller model, or lower {_CONTEXT}")
    return Transient(f"Ollama failed: {reason}")
