"""A model behind a server that speaks OpenAI's protocol: vLLM, SGLang, llama.cpp's server."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from ssl import SSLContext
from typing import Any, Final

from bot.adapters.chat_server import Loaded, ModelFacts, Part
from bot.adapters.model_chat import ChatModel, Deadlines
from bot.adapters.openai_client import (
    NotUnderstood,
    OpenAIClient,
    digest_of,
    served_as,
    translated,
)
from bot.adapters.openai_shapes import Chunk
from bot.domain.errors import Transient
from bot.domain.model_presets import Preset, Thinking, preset_of
from bot.ports import ModelRequest

#: What a model that cannot be kept from thinking may think, on top of its answer.
_THOUGHT_TOKENS: Final = 4096
#: How to ask for JSON, strictest first; what a server lacks is not asked for again.
_FORMATS: Final = ("json_schema", "json_object", "")
_ABOUT_FORMAT: Final = (
    "response_format",
    "json_schema",
    "json_object",
    "schema",
    "grammar",
    "guided",
    "structured",
)
#: What can be left out, by the words that a refusal names it with.
_OPTIONAL: Final = {
    "stream_options": ("stream_options", "include_usage"),
    "chat_template_kwargs": ("chat_template", "template_kwargs"),
    "seed": ("seed",),
}
_LIMIT, _NEWER_LIMIT = "max_tokens", "max_completion_tokens"
#: Servers say so where they broke an answer off themselves.
_BROKEN_OFF: Final = ("abort", "error")
_FALLBACK: Final = "\n\nAnswer with one JSON object that matches this JSON Schema, and with nothing else:\n"


@dataclass(frozen=True, slots=True)
class _Dialect:
    """Hold what is known of how a server wants to be asked.

    Args:
        form: how it is asked for JSON.
        limit: its name for the limit of an answer.
        without: fields that it refuses.
    """

    form: int = 0
    limit: str = _LIMIT
    without: frozenset[str] = frozenset()

    def after(self, reason: str, body: Mapping[str, Any]) -> _Dialect:
        """Return what to try once *body* was refused for *reason*: itself if there is nothing left to try."""
        if self.limit == _LIMIT and _NEWER_LIMIT in reason:
            return replace(self, limit=_NEWER_LIMIT)
        for name, words in _OPTIONAL.items():
            if name in body and any(word in reason for word in words):
                return replace(self, without=self.without | {name})
        if self.form + 1 < len(_FORMATS) and any(word in reason for word in _ABOUT_FORMAT):
            return replace(self, form=self.form + 1)
        return self


class OpenAIModel(ChatModel):
    """Answer prompts through one OpenAI-compatible server.

    Args:
        url: of the server; nothing else is ever contacted.
        model: name as in ``/v1/models``.
        key: bearer token, empty for none.
        window_tokens: context in tokens; a server with less gets less. None takes what the preset says.
        deadlines: see there.
        parallel: requests at a time.
        verify: how to check the server's certificate.
        monotonic: seconds that never go back.

    Raises:
        Permanent: the server is a vendor's.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str = "",
        window_tokens: int | None = None,
        deadlines: Deadlines = Deadlines(),
        parallel: int = 1,
        verify: SSLContext | bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        preset = preset_of(model)
        client = OpenAIClient(url, deadlines.total_s, key=key, verify=verify)
        super().__init__(
            OpenAIServer(client, model, preset),
            model,
            window_tokens=window_tokens or preset.window_tokens,
            options=preset.options,
            deadlines=deadlines,
            parallel=parallel,
            monotonic=monotonic,
        )


class OpenAIServer:
    """Speak OpenAI's protocol, with less of it where the server knows less."""

    def __init__(self, client: OpenAIClient, model: str, preset: Preset) -> None:
        self._client = client
        self._model = model
        self._preset = preset
        self._dialect = _Dialect()

    @property
    def label(self) -> str:
        """Return kind and address."""
        return f"the model server at {self._client.url}"

    @property
    def thought_tokens(self) -> int:
        """Return room for thoughts, if nothing can keep the model from them."""
        has_switch = "chat_template_kwargs" not in self._dialect.without
        switched_off = self._preset.thinking is Thinking.optional and has_switch
        return 0 if switched_off or self._preset.thinking is Thinking.never else _THOUGHT_TOKENS

    async def facts(self) -> ModelFacts:
        """Ask for the models, and llama.cpp's server for the context that it was started with."""
        with translated(self._client.url):
            served = await self._client.models()
            found = served_as(self._client.url, self._model, served)
            props = await self._client.props() if found.max_model_len is None else None
        meta = found.meta
        in_slot = props.default_generation_settings.n_ctx if props else 0
        trained = (meta.n_ctx or meta.n_ctx_train) if meta else 0
        context = found.max_model_len or in_slot or trained or None
        version = " ".join(filter(None, (found.owned_by, props.build_info if props else "")))
        return ModelFacts(version or "of unknown kind", digest_of(found), context, frozenset())

    async def loaded(self) -> Loaded:
        """Return the context, which such servers fix when they start."""
        return Loaded((await self.facts()).context_tokens)

    async def parts(
        self, request: ModelRequest, facts: ModelFacts, window_tokens: int
    ) -> AsyncGenerator[Part, None]:
        """Yield the parts of the answer, after leaving out of the request what the server does not know."""
        del facts, window_tokens  # the server's context is as it was started
        with translated(self._client.url):
            while True:
                sent = self._dialect
                try:
                    async with aclosing(self._client.chunks(self._body(request))) as chunks:
                        async for part in _parts(chunks):
                            yield part
                except NotUnderstood as refusal:
                    # A request beside this one may have learned the same meanwhile.
                    if sent == self._dialect:
                        self._dialect = self._dialect.after(refusal.reason.lower(), self._body(request))
                        if sent == self._dialect:
                            raise
                else:
                    return

    async def unload(self) -> bool:
        """Do nothing: such servers keep their one model, and no state between requests."""
        return False

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        wanted = _FORMATS[self._dialect.form]
        body: dict[str, Any] = {
            **self._preset.options,
            "model": self._model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.prompt + self._reminder(request)},
            ],
            "stream": True,
            self._dialect.limit: request.max_output_tokens + self.thought_tokens,
            "seed": request.seed,
            "stream_options": {"include_usage": True},
        }
        if wanted == "json_schema":
            schema = {"name": "answer", "schema": dict(request.schema), "strict": True}
            body["response_format"] = {"type": wanted, "json_schema": schema}
        elif wanted:
            body["response_format"] = {"type": wanted}
        if self._preset.thinking is Thinking.optional:
            # Qwen's templates know the one name, DeepSeek's the other; a template ignores what it does not know.
            body["chat_template_kwargs"] = {"thinking": False, "enable_thinking": False}
        return {name: value for name, value in body.items() if name not in self._dialect.without}

    def _reminder(self, request: ModelRequest) -> str:
        """Return the schema for a server that cannot be given one, unless the instructions have it."""
        schema = json.dumps(dict(request.schema), separators=(",", ":"))
        return "" if self._dialect.form == 0 or schema in request.system else _FALLBACK + schema


async def _parts(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Part, None]:
    """Yield the parts that *chunks* make; the counts come after the reason, in a chunk of their own."""
    reason, usage = None, None
    async for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices[:1]:
            thought = choice.delta.reasoning_content or choice.delta.reasoning or ""
            if choice.delta.content or thought:
                yield Part(choice.delta.content or "", len(thought))
            reason = choice.finish_reason or reason
    if reason is None or reason in _BROKEN_OFF:
        msg = "the model's answer broke off"
        raise Transient(msg)
    # A count of nothing is one that the server does not know.
    prompt, output = (usage.prompt_tokens or None, usage.completion_tokens or None) if usage else (None, None)
    yield Part("", 0, reason, prompt, output)
