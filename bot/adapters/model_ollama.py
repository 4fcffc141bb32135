"""A model behind Ollama, which by default truncates, waits and repeats without a word."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import ollama

from bot.adapters.ollama_client import ModelFacts, OllamaClient, refuse_cloud, same_model, translated
from bot.domain.breaker import Breaker
from bot.domain.degenerate import degenerate, repeats
from bot.domain.errors import Permanent, Transient
from bot.domain.tokens import TokenGauge
from bot.ports import ModelReply, ModelRequest

_FACTS_KEPT_S: Final = 60.0
_CONNECT_S: Final = 5.0
_LOOKUP_S: Final = 10.0
_TEMPLATE_TOKENS: Final = 64
#: No vocabulary has longer tokens on average; what goes beyond is not an answer.
_CHARS_PER_TOKEN: Final = 16
_REPEAT_CHECK_CHARS: Final = 1_000
#: Our own reason for the end of an answer, beside the server's.
_LOOP: Final = "loop"
#: Far from the seeds that callers count up from zero.
_SECOND_SEED: Final = 1_000_003


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Bound an answer in seconds: to its first token, between tokens, and in total."""

    first_token_s: float = 120.0
    gap_s: float = 30.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class _Completion:
    text: str
    done_reason: str
    prompt_tokens: int
    output_tokens: int
    digest: str = ""
    duration_s: float = 0.0


class OllamaModel:
    """Answer prompts through one Ollama server.

    Args:
        url: of the server; nothing else is ever contacted.
        model: name as in ``ollama list``.
        num_ctx: context in tokens, the same in every request because a change reloads the model; a model
            made for less gets less.
        deadlines: see there.
        parallel: requests at a time; the server's ``OLLAMA_NUM_PARALLEL``.
        monotonic: seconds that never go back.

    Raises:
        Permanent: the model runs in a cloud.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        num_ctx: int = 16_384,
        deadlines: Deadlines = Deadlines(),
        parallel: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if model.lower().removesuffix(":latest").endswith("cloud"):
            refuse_cloud(model)
        self._url = url
        self._model = model
        self._num_ctx = num_ctx
        self._deadlines = deadlines
        self._monotonic = monotonic
        self._client = OllamaClient(url, httpx.Timeout(deadlines.total_s, connect=_CONNECT_S))
        self._slots = asyncio.Semaphore(parallel)
        self._lookup = asyncio.Lock()
        self._breaker = Breaker("the model server", monotonic=monotonic)
        self._gauge = TokenGauge()
        self._facts: ModelFacts | None = None
        self._facts_at = -math.inf

    @property
    def name(self) -> str:
        """Return the configured model name."""
        return self._model

    @property
    def window_tokens(self) -> int:
        """Return the context in use: the configured one, or the model's own once known to be smaller."""
        made_for = self._facts.context_tokens if self._facts else None
        return min(self._num_ctx, made_for or self._num_ctx)

    async def identity(self) -> str:
        """Return the digest of the weights, with the one option set that every request has."""
        facts = await self._known()
        return f"{facts.digest}:{self.window_tokens}"

    def estimate_tokens(self, text: str) -> int:
        """Return a cautious estimate, sharpened by what the server counted in earlier prompts."""
        return self._gauge.estimate(text)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def check(self) -> ModelFacts:
        """Ask the server now what it is and has; also the way to learn ``window_tokens`` before first use.

        Raises:
            Transient: it is out of reach.
            Permanent: it is too old to be safe, lacks the model, or the model runs in a cloud.
        """
        self._facts_at = -math.inf
        facts = await self._known()
        with translated(self._url, self._model):
            running = await self._client.running()
        loaded = next((each for each in running if same_model(each.name, self._model)), None)
        return replace(facts, loaded_tokens=loaded.context_length or None if loaded else None)

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return a complete answer; one that is empty, loops or breaks off is asked for once more.

        The second try has another seed. If it fails too, the model is unloaded, so that the next request
        finds it fresh.
        """
        completion = await self._exchange(request, self._deadlines.total_s)
        if degenerate(completion.text) is not None and completion.done_reason != "length":
            again = replace(request, seed=request.seed + _SECOND_SEED)
            completion = await self._exchange(again, self._deadlines.total_s - completion.duration_s)
        await self._refuse_incomplete(completion, request)
        return ModelReply(
            text=completion.text,
            model=self._model,
            digest=completion.digest,
            prompt_tokens=completion.prompt_tokens,
            output_tokens=completion.output_tokens,
            duration_s=completion.duration_s,
        )

    async def _refuse_incomplete(self, completion: _Completion, request: ModelRequest) -> None:
        if completion.done_reason == "length":
            msg = f"the answer was cut at {request.max_output_tokens} tokens"
            raise Transient(msg)
        fault = degenerate(completion.text)
        if fault is not None:
            with suppress(Transient, Permanent), translated(self._url, self._model):
                async with asyncio.timeout(_LOOKUP_S):
                    await self._client.generate(model=self._model, keep_alive=0)
            msg = f"the model's answer is useless, {fault}; the model was unloaded"
            raise Transient(msg)

    async def _exchange(self, request: ModelRequest, limit_s: float) -> _Completion:
        """Make one request, when it is our turn and the server is not known to be down."""
        self._breaker.check()
        async with self._slots:
            with self._breaker.call():
                started = self._monotonic()
                try:
                    async with asyncio.timeout(limit_s):
                        facts = await self._known()
                        body = self._body(request, facts)
                        completion = await self._collect(body, request.max_output_tokens * _CHARS_PER_TOKEN)
                except TimeoutError:
                    msg = f"the model did not finish in {self._deadlines.total_s:g} s"
                    raise Transient(msg) from None
        if completion.done_reason != _LOOP:
            self._refuse_truncated(request.system + request.prompt, completion.prompt_tokens)
        return replace(completion, digest=facts.digest, duration_s=self._monotonic() - started)

    def _body(self, request: ModelRequest, facts: ModelFacts) -> dict[str, Any]:
        """Return the request; ``truncate`` and ``shift`` off turn a silent cut into an error."""
        least = self._gauge.least(request.system + request.prompt) + request.max_output_tokens
        if least + _TEMPLATE_TOKENS > self.window_tokens:
            msg = f"the prompt does not fit: at least {least} of {self.window_tokens} tokens with the answer"
            raise Permanent(msg)
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
                "num_ctx": self.window_tokens,
                "num_predict": request.max_output_tokens,
                "temperature": 0.1,
                "seed": request.seed,
            },
        }
        # Unset means on for a model that can, and any value is an error for some that cannot.
        return body | ({"think": False} if "thinking" in facts.capabilities else {})

    async def _collect(self, body: dict[str, Any], most_chars: int) -> _Completion:
        text, checked = "", 0
        with translated(self._url, self._model):
            async with aclosing(await self._client.stream_chat(body)) as stream:
                part = await _next(stream, self._deadlines.first_token_s, "the model has not begun to answer")
                while not part.done:
                    text += part.message.content or ""
                    if len(text) - checked > _REPEAT_CHECK_CHARS:
                        checked = len(text)
                        if repeats(text):
                            return _Completion(text, _LOOP, 0, 0)
                    if len(text) > most_chars:
                        msg = "the model answers more than it was asked for"
                        raise Transient(msg)
                    part = await _next(stream, self._deadlines.gap_s, "the model has stopped answering")
        return _Completion(
            text + (part.message.content or ""),
            part.done_reason or "",
            part.prompt_eval_count or 0,
            part.eval_count or 0,
        )

    def _refuse_truncated(self, sent: str, counted: int) -> None:
        """Refuse an answer to a prompt that the server cut, for all that it was told.

        A server that cuts keeps about half of its context; a count of exactly that much gives it away.
        """
        cut = {self.window_tokens // 2 + extra for extra in (1, 2, 3)}
        if counted in cut or counted < self._gauge.least(sent):
            msg = (
                f"Ollama read only {counted} tokens of a prompt of {len(sent)} characters: "
                "update Ollama, or give the model a larger context"
            )
            raise Permanent(msg)
        self._gauge.learn(sent, counted)

    async def _known(self) -> ModelFacts:
        async with self._lookup:
            if self._facts is None or self._monotonic() - self._facts_at > _FACTS_KEPT_S:
                self._facts = await self._look_up()
                self._facts_at = self._monotonic()
            return self._facts

    async def _look_up(self) -> ModelFacts:
        try:
            async with asyncio.timeout(_LOOKUP_S):
                with translated(self._url, self._model):
                    return await self._client.facts(self._model)
        except TimeoutError:
            msg = f"Ollama at {self._url} does not answer in time"
            raise Transient(msg) from None


async def _next(
    stream: AsyncGenerator[ollama.ChatResponse, None], limit_s: float, late: str
) -> ollama.ChatResponse:
    try:
        async with asyncio.timeout(limit_s):
            return await anext(stream)
    except TimeoutError:
        msg = f"{late} for {limit_s:g} s"
        raise Transient(msg) from None
    except StopAsyncIteration:
        msg = "the model's answer broke off"
        raise Transient(msg) from None
