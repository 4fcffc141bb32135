"""A model behind Ollama, which by default truncates, waits and repeats without a word."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from ssl import SSLContext
from typing import Any, Final

import httpx

from bot.adapters.chat_server import Loaded, ModelFacts, Part
from bot.adapters.model_chat import ChatModel, Deadlines
from bot.adapters.model_errors import refuse_cloud
from bot.adapters.ollama_client import OllamaClient, same_model, translated
from bot.domain.model_presets import preset_of
from bot.ports import ModelRequest

__all__ = ["OllamaModel", "OllamaServer", "ollama_client"]

_CONNECT_S: Final = 5.0


class OllamaModel(ChatModel):
    """Answer prompts through one Ollama server.

    Args:
        url: of the server; nothing else is ever contacted.
        model: name as in ``ollama list``.
        num_ctx: context in tokens, the same in every request because a change reloads the model; a model
            made for less gets less. None takes what the preset of the model says.
        deadlines: see there.
        parallel: requests at a time; the server's ``OLLAMA_NUM_PARALLEL``.
        verify: how to check the server's certificate.
        monotonic: seconds that never go back.

    Raises:
        Permanent: the model runs in a cloud.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        num_ctx: int | None = None,
        deadlines: Deadlines = Deadlines(),
        parallel: int = 1,
        verify: SSLContext | bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        preset = preset_of(model)
        server = OllamaServer(
            ollama_client(url, model, deadlines.total_s, verify=verify), url, model, preset.options
        )
        super().__init__(
            server,
            model,
            window_tokens=num_ctx or preset.window_tokens,
            options=preset.options,
            deadlines=deadlines,
            parallel=parallel,
            monotonic=monotonic,
        )


def ollama_client(url: str, model: str, limit_s: float, *, verify: SSLContext | bool = True) -> OllamaClient:
    """Return a client of the server at *url* that waits *limit_s* for each answer.

    Raises:
        Permanent: *model* runs in a cloud, or there is no URL.
    """
    if model.lower().removesuffix(":latest").endswith("cloud"):
        refuse_cloud(model)
    return OllamaClient(url, httpx.Timeout(limit_s, connect=_CONNECT_S), verify=verify)


class OllamaServer:
    """Speak Ollama's own protocol; its imitation of OpenAI's ignores the size of the context."""

    thought_tokens = 0  # thinking is switched off in the request

    def __init__(self, client: OllamaClient, url: str, model: str, options: Mapping[str, Any]) -> None:
        self._client = client
        self._url = url
        self._model = model
        self._options = options

    @property
    def label(self) -> str:
        """Return kind and address."""
        return f"Ollama at {self._url}"

    async def facts(self) -> ModelFacts:
        """Ask for version, model and whether it runs here."""
        with translated(self._url, self._model):
            return await self._client.facts(self._model)

    async def loaded(self) -> Loaded:
        """Ask what is loaded, and where."""
        with translated(self._url, self._model):
            running = await self._client.running()
        found = next((each for each in running if same_model(each.name, self._model)), None)
        if found is None:
            return Loaded()
        share = found.size_vram / found.size if found.size else None
        return Loaded(found.context_length or None, share)

    async def parts(
        self, request: ModelRequest, facts: ModelFacts, window_tokens: int
    ) -> AsyncGenerator[Part, None]:
        """Yield the parts of the answer; thoughts count, and are not read."""
        body = self._body(request, facts, window_tokens)
        with translated(self._url, self._model):
            async with aclosing(self._client.stream_chat(body)) as stream:
                async for part in stream:
                    text, thought = part.message.content or "", part.message.thinking or ""
                    if part.done:
                        reason = part.done_reason or ""
                        yield Part(text, 0, reason, part.prompt_eval_count, part.eval_count)
                        return
                    if text or thought:
                        yield Part(text, len(thought))

    async def unload(self) -> bool:
        """Take the model out of memory; it is loaded again with the next request."""
        with translated(self._url, self._model):
            await self._client.generate(model=self._model, keep_alive=0)
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _body(self, request: ModelRequest, facts: ModelFacts, window_tokens: int) -> dict[str, Any]:
        """Return the request; ``truncate`` and ``shift`` off turn a silent cut into an error."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.prompt},
            ],
            "stream": True,
            "format": dict(request.schema),
            "truncate": False,
            "shift": False,
            "options": {
                **self._options,
                "num_ctx": window_tokens,
                "num_predict": request.max_output_tokens,
                "seed": request.seed,
            },
        }
        # Unset means on for a model that can, and any value is an error for some that cannot.
        return body | ({"think": False} if "thinking" in facts.capabilities else {})
